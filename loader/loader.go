package loader

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"

	"github.com/loadgrid/loadgrid/internal/copier"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// Run does a job: it plans, loads, finishes and publishes the table, and returns
// when readers see it. The pool needs as many connections as Open gives it.
//
// A run that stopped with committed chunks is a *ResumableError, and Run with
// the same job goes on from there. A wrong job is a *geomgen.ParamError, and a
// table that another run holds a *LockedError; in both cases nothing is written.
// Trouble with the server is a *ServerError. When ctx ends, Run stops in order,
// and the error holds the cause.
func Run(ctx context.Context, pool *pgxpool.Pool, j job.Job, options Options) (Summary, error) {
	p, err := plan.New(ctx, j)
	if errors.As(err, new(*NeedsServerError)) {
		// The server is asked once the run holds the table.
		p, err = &plan.Plan{Job: j.WithDefaults()}, nil
	}

	if err != nil {
		return Summary{}, err
	}

	return RunPlan(ctx, pool, p, options)
}

// RunPlan does the job of a plan that was made beforehand: see Run.
func RunPlan(ctx context.Context, pool *pgxpool.Pool, p *Plan, options Options) (_ Summary, err error) {
	e := newEnvironment(pool, p.Job, options)
	ctx, end := e.observer.Span(ctx, "run",
		attribute.String("loadgrid.job", e.options.JobName), attribute.String("loadgrid.table", p.Job.Table.String()))
	defer func() { end(err) }()

	var s preparation
	var a attempt
	defer func() { s.close(ctx, e) }()

	err = e.observer.Stage(ctx, progress.StagePlan, 0, func(ctx context.Context) (err error) {
		if s, err = open(ctx, e, p); err == nil {
			a, err = begin(ctx, e, s)
		}

		return err
	})
	if errors.Is(err, errUnchanged) {
		return summarizeUnchanged(e, s), nil
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

	if err != nil {
		err = stop(ctx, e, s, a, copied, err)
	}

	return summarize(ctx, e, s, a, copied, skipped, err), err
}
