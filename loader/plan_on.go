package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/serverplan"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// PlanWith is PlanOn for callers that prefer not to connect. It calls open only if the job's area of interest
// needs a server, and closes the pool afterwards. If open fails, PlanWith wraps its error together with the
// *NeedsServerError that explains why a server is needed.
func PlanWith(ctx context.Context, j Job, open func(context.Context) (*pgxpool.Pool, error)) (*Plan, error) {
	return serverplan.With(ctx, j, open, plan.WithoutServer)
}

// EstimateWith is PlanWith for callers that need a quick answer however small the cells are. If counting the
// cells would take long, Plan.Rows is an estimate: see Plan.Exact.
func EstimateWith(ctx context.Context, j Job, open func(context.Context) (*pgxpool.Pool, error)) (*Plan, error) {
	return serverplan.With(ctx, j, open, plan.Approximate)
}

// PlanOn is NewPlan with a server that prepares the area of interest if necessary: it runs a query, transforms
// the area, or repairs it. It writes nothing.
func PlanOn(ctx context.Context, pool *pgxpool.Pool, j Job) (*Plan, error) {
	return serverplan.On(ctx, pool, j)
}

// ForServer returns the plan with estimates for a particular server. They depend on how that server builds
// indexes, and what work COPY leaves to it. ForServer writes nothing.
func ForServer(ctx context.Context, pool *pgxpool.Pool, p *Plan) (*Plan, error) {
	return serverplan.WithTraits(ctx, pool, p)
}

// ResolveArea returns an area as polygons in the CRS of a grid; srid 0 means no CRS. It runs the area's query,
// repairs and unites polygons as the area requires, and transforms them. All of that happens on the server in
// read-only transactions. If the area is unusable, the error is a *geomgen.ParamError. If its query fails, the
// error is a *SQLError.
func ResolveArea(ctx context.Context, pool *pgxpool.Pool, a *Area, srid int32) (*Area, error) {
	return serverplan.ResolveArea(ctx, pool, a, srid)
}
