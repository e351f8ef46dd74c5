package loader

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"

	"github.com/loadgrid/loadgrid/internal/attempts"
	"github.com/loadgrid/loadgrid/internal/copier"
	"github.com/loadgrid/loadgrid/internal/hold"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/serverplan"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// Run does a job: it plans, loads, finishes and publishes the table, and returns
// when readers see it.
//
// The pool must have room for PoolSize connections: else the error is a *PoolSizeError, and
// nothing was done. Any pool of pgxpool's will do. On one that Open or OpenConfig has made, Run
// works as it is, unless another run is at work on it. Of another one it takes the configuration, with all hooks, and opens a
// pool of its own that ends with the run, since a session that you share may have limits
// such as a role's statement_timeout, and a connection that breaks in silence must be
// noticed. The server then sees up to PoolSize connections beside yours, and yours stay as
// they are.
//
// A run that stopped with committed chunks is a *ResumableError, and Run with
// the same job goes on from there. A wrong job is a *geomgen.ParamError, or a *SQLError of
// its SQL, and a table that another run holds a *LockedError; in these cases nothing is
// written. So it is with a table that is on hold, which is an *OnHoldError: the Summary has the
// hold. Trouble with the server is a *ServerError. When ctx ends, Run stops in order,
// and the error holds the cause.
func Run(ctx context.Context, pool *pgxpool.Pool, j Job, options Options) (Summary, error) {
	if options.Shared != nil { // once the run holds the table: another process may be at it
		return run(ctx, pool, task{job: j.WithDefaults(), uncounted: true}, options)
	}

	p, needs, err := serverplan.Counted(ctx, j, options.Log)

	switch {
	case err != nil:
		return Summary{}, observe.WithCause(ctx, err)
	case needs != nil: // the server is asked once the run holds the table
		return run(ctx, pool, task{job: j.WithDefaults()}, options)
	}

	return run(ctx, pool, task{job: p.Job, plan: p}, options)
}

// RunPlan does the job of a plan that was made beforehand: see Run. It does not change the
// plan, which any number of runs may use, also at the same time. Of a plan whose rows are an
// estimate it counts the cells first, which may take long.
func RunPlan(ctx context.Context, pool *pgxpool.Pool, p *Plan, options Options) (Summary, error) {
	if !p.Exact() {
		return Run(ctx, pool, p.Job, options)
	}
	return run(ctx, pool, task{job: p.Job, plan: p}, options)
}

// task is what there is to do: a job that has its defaults, and its plan. That is nil
// where the job's area needs a server before it can be planned.
type task struct {
	job  job.Job
	plan *plan.Plan
	// uncounted says that nobody has tried to plan the job yet.
	uncounted bool
}

func run(ctx context.Context, pool *pgxpool.Pool, t task, options Options) (_ Summary, err error) {
	options = options.withDefaults(t.job)
	defer func() { err = observe.WithCause(ctx, err) }()

	e, err := newEnvironment(ctx, pool, t.job, options)
	if err != nil {
		return Summary{Job: options.JobName, Table: t.job.Table}, err
	}
	defer e.release()

	ctx, end := e.observer.Span(ctx, "run",
		attribute.String("loadgrid.job", options.JobName), attribute.String("loadgrid.table", t.job.Table.String()))
	defer func() { end(err) }()

	var s preparation
	var a attempt
	defer func() { s.close(ctx, e) }()

	err = e.observer.Stage(ctx, progress.StagePlan, 0, func(ctx context.Context) (err error) {
		if s, err = open(ctx, e, t); err == nil {
			a, err = begin(ctx, e, s)
		}

		return err
	})

	var done *attempts.DoneError
	var held *hold.Error
	switch {
	case errors.Is(err, errUnchanged):
		recordShared(ctx, e, s, a, err)
		return summarizeUnchanged(ctx, e, s), nil
	case errors.As(err, &done):
		return summarizeDone(e, s, done.By), nil
	case errors.As(err, &held):
		return summarizeHeld(e, s, held.Hold), err
	}

	var copied copier.Result
	if err == nil {
		copied, err = copyRows(ctx, e, s, a)
	}

	if err == nil {
		err = finish(ctx, e, s, a, copied)
	}

	var skipped int64
	if err == nil {
		skipped, err = publishTable(ctx, e, s, a, copied)
	}

	var kept Kept
	if err != nil {
		kept, err = stop(ctx, e, s, a, copied, err)
	}
	recordShared(ctx, e, s, a, err)

	sum := summarize(ctx, e, s, a, copied, skipped, err)
	sum.Kept = kept

	return sum, err
}
