package loader

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/area"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// PlanOn is NewPlan, with a server that makes the area of interest ready where that
// is needed: by a query, a transformation, or mending. It writes nothing.
func PlanOn(ctx context.Context, pool *pgxpool.Pool, job job.Job) (*plan.Plan, error) {
	p, err := plan.New(ctx, job)
	var needs *plan.NeedsServerError
	if !errors.As(err, &needs) {
		return p, err
	}
	if job.Area, err = area.Resolve(ctx, pool, job.Area, job.Grid.SRID); err != nil {
		return nil, err
	}
	return plan.New(ctx, job)
}
