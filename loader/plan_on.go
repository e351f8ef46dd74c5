package loader

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/area"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// PlanWith is PlanOn for a caller who would rather not connect: it opens a server only
// where the job's area of interest needs one, and closes it after. The error of open is
// wrapped, beside the *NeedsServerError that says what the server is needed for.
func PlanWith(ctx context.Context, j Job, open func(context.Context) (*pgxpool.Pool, error)) (*Plan, error) {
	p, err := NewPlan(ctx, j)
	var needs *NeedsServerError
	if !errors.As(err, &needs) {
		return p, err
	}

	pool, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", needs, err)
	}
	defer Close(pool)

	return PlanOn(ctx, pool, j)
}

// PlanOn is NewPlan, with a server that makes the area of interest ready where that
// is needed: by a query, a transformation, or mending. It writes nothing.
func PlanOn(ctx context.Context, pool *pgxpool.Pool, j Job) (*Plan, error) {
	p, err := plan.New(ctx, j)
	if !errors.As(err, new(*NeedsServerError)) {
		return p, err
	}

	if j.Area, err = area.Resolve(ctx, pool, j.Area, j.Grid.SRID); err != nil {
		return nil, err
	}

	return plan.New(ctx, j)
}
