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

// Run does a job: it plans, loads, finishes and publishes the table, and returns when readers see the new rows.
// If ctx ends, Run stops cleanly, and its error wraps the cause of ctx. Other errors are:
//   - *geomgen.ParamError: a setting of the job is wrong. Nothing was written.
//   - *SQLError: SQL in the job cannot run. Nothing was written.
//   - *PoolSizeError: the pool has room for fewer than PoolSize connections. Nothing was written.
//   - *LockedError: another run holds the table. Nothing was written.
//   - *OnHoldError: the table is on hold. Nothing was written, and the Summary has the hold.
//   - *ResumableError: the run stopped with committed chunks. Call Run with the same job to resume it.
//   - *ServerError: there is a problem with the server.
//
// Run uses a pool from Open or OpenConfig directly, unless another run is using it. For any other pool, Run opens
// a pool of its own with the same configuration and hooks, and closes it at the end. A session that you share may
// have limits, such as a role's statement_timeout, and a silently broken connection must be noticed. The server
// then has up to PoolSize connections more, and your connections stay unchanged.
func Run(ctx context.Context, pool *pgxpool.Pool, j Job, options Options) (Summary, error) {
	if options.Shared != nil { // once the run holds the table: another process may be doing the job
		return run(ctx, pool, task{job: j.WithDefaults(), uncounted: true}, options)
	}

	p, needs, err := serverplan.Counted(ctx, j, options.Log)

	switch {
	case err != nil:
		return Summary{}, observe.WithCause(ctx, err)
	case needs != nil: // the run asks the server once it holds the table
		return run(ctx, pool, task{job: j.WithDefaults()}, options)
	}

	return run(ctx, pool, task{job: p.Job, plan: p}, options)
}

// RunPlan runs the job of an existing plan: see Run. It does not change the plan, so several runs can use one
// plan at the same time. If the plan's number of rows is an estimate, RunPlan first counts the cells, which may
// take long.
func RunPlan(ctx context.Context, pool *pgxpool.Pool, p *Plan, options Options) (Summary, error) {
	if !p.Exact() {
		return Run(ctx, pool, p.Job, options)
	}
	return run(ctx, pool, task{job: p.Job, plan: p}, options)
}

// task is a job with its defaults, and its plan. The plan is nil if the job's area needs a server before it can
// be planned.
type task struct {
	job  job.Job
	plan *plan.Plan
	// uncounted is true until somebody tries to plan the job.
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
