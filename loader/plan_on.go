package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/serverplan"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// PlanWith is PlanOn for a caller who would rather not connect: it opens a server only
// where the job's area of interest needs one, and closes it after. The error of open is
// wrapped, beside the *NeedsServerError that says what the server is needed for.
func PlanWith(ctx context.Context, j Job, open func(context.Context) (*pgxpool.Pool, error)) (*Plan, error) {
	return serverplan.With(ctx, j, open, plan.WithoutServer)
}

// EstimateWith is PlanWith for a caller who wants to know soon, however small the cells are:
// where they are too many to be counted soon, Plan.Rows is an estimate. See Plan.Exact.
func EstimateWith(ctx context.Context, j Job, open func(context.Context) (*pgxpool.Pool, error)) (*Plan, error) {
	return serverplan.With(ctx, j, open, plan.Approximate)
}

// PlanOn is NewPlan, with a server that makes the area of interest ready where that
// is needed: by a query, a transformation, or mending. It writes nothing.
func PlanOn(ctx context.Context, pool *pgxpool.Pool, j Job) (*Plan, error) {
	return serverplan.On(ctx, pool, j)
}

// ForServer returns the plan with what its estimates depend on of a server: how that builds
// indexes, and what COPY leaves to do. It writes nothing.
func ForServer(ctx context.Context, pool *pgxpool.Pool, p *Plan) (*Plan, error) {
	return serverplan.WithTraits(ctx, pool, p)
}

// ResolveArea returns an area as polygons in the CRS of a grid, 0 for none: it runs its
// query, mends and unites what is to be, and transforms it, all on the server and in
// read-only transactions. An area that cannot be is a *geomgen.ParamError, a query that
// cannot be a *SQLError.
func ResolveArea(ctx context.Context, pool *pgxpool.Pool, a *Area, srid int32) (*Area, error) {
	return serverplan.ResolveArea(ctx, pool, a, srid)
}
