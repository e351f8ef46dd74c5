package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/area"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/internal/serverplan"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// areaConns is how many connections an area needs: its query, and one beside it.
const areaConns = 2

// PlanWith is PlanOn for a caller who would rather not connect: it opens a server only
// where the job's area of interest needs one, and closes it after. The error of open is
// wrapped, beside the *NeedsServerError that says what the server is needed for.
func PlanWith(ctx context.Context, j Job, open func(context.Context) (*pgxpool.Pool, error)) (*Plan, error) {
	return planWith(ctx, j, open, plan.WithoutServer)
}

// EstimateWith is PlanWith for a caller who wants to know soon, however small the cells are:
// where they are too many to be counted soon, Plan.Rows is an estimate. See Plan.Exact.
func EstimateWith(ctx context.Context, j Job, open func(context.Context) (*pgxpool.Pool, error)) (*Plan, error) {
	return planWith(ctx, j, open, plan.Approximate)
}

func planWith(ctx context.Context, j Job, open func(context.Context) (*pgxpool.Pool, error), by serverplan.Planner) (*Plan, error) {
	p, needs, err := by(ctx, j)
	if needs == nil {
		return p, err
	}

	pool, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", needs, err)
	}
	defer Close(pool)

	return resolved(ctx, pool, j, by)
}

// PlanOn is NewPlan, with a server that makes the area of interest ready where that
// is needed: by a query, a transformation, or mending. It writes nothing.
func PlanOn(ctx context.Context, pool *pgxpool.Pool, j Job) (*Plan, error) {
	p, needs, err := plan.WithoutServer(ctx, j)
	if needs == nil {
		return p, err
	}

	return resolved(ctx, pool, j, plan.WithoutServer)
}

// ForServer returns the plan with what its estimates depend on of a server: how that builds
// indexes, and what COPY leaves to do. It writes nothing.
func ForServer(ctx context.Context, pool *pgxpool.Pool, p *Plan) (*Plan, error) {
	traits, err := precheck.Traits(ctx, pool)
	if err != nil {
		return nil, err
	}

	return p.WithServer(traits), nil
}

// resolved plans a job with a pool of the caller's.
func resolved(ctx context.Context, pool *pgxpool.Pool, j Job, by serverplan.Planner) (*Plan, error) {
	own, release, err := pg.Own(ctx, pool, areaConns)
	if err != nil {
		return nil, err
	}
	defer release()

	return serverplan.Resolved(ctx, own, j, by)
}

// ResolveArea returns an area as polygons in the CRS of a grid, 0 for none: it runs its
// query, mends and unites what is to be, and transforms it, all on the server and in
// read-only transactions. An area that cannot be is a *geomgen.ParamError, a query that
// cannot be a *SQLError.
func ResolveArea(ctx context.Context, pool *pgxpool.Pool, a *Area, srid int32) (*Area, error) {
	own, release, err := pg.Own(ctx, pool, areaConns)
	if err != nil {
		return nil, err
	}
	defer release()

	return area.Resolve(ctx, own, a, srid)
}
