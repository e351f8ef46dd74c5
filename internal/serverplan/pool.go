package serverplan

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/area"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// areaConns is the number of connections that an area needs: one for its query, and another one.
const areaConns = 2

// With plans a job, and opens a server only if the job's area needs one: see loader.PlanWith.
func With(ctx context.Context, j job.Job, open func(context.Context) (*pgxpool.Pool, error), by Planner) (*plan.Plan, error) {
	p, needs, err := by(ctx, j)
	if needs == nil {
		return p, err
	}

	pool, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", needs, err)
	}
	defer pg.Close(pool)

	return resolvedOn(ctx, pool, j, by)
}

// On plans a job, and uses the caller's pool if the job's area needs a server: see loader.PlanOn.
func On(ctx context.Context, pool *pgxpool.Pool, j job.Job) (*plan.Plan, error) {
	p, needs, err := plan.WithoutServer(ctx, j)
	if needs == nil {
		return p, err
	}

	return resolvedOn(ctx, pool, j, plan.WithoutServer)
}

// resolvedOn plans a job with the caller's pool.
func resolvedOn(ctx context.Context, pool *pgxpool.Pool, j job.Job, by Planner) (*plan.Plan, error) {
	own, release, err := pg.Own(ctx, pool, areaConns)
	if err != nil {
		return nil, err
	}
	defer release()

	return resolved(ctx, own, j, by)
}

// WithTraits returns the plan with the server properties that its estimates depend on: see
// loader.ForServer.
func WithTraits(ctx context.Context, pool *pgxpool.Pool, p *plan.Plan) (*plan.Plan, error) {
	traits, err := precheck.Traits(ctx, pool)
	if err != nil {
		return nil, err
	}

	return p.WithServer(traits), nil
}

// ResolveArea returns an area as polygons in the CRS of a grid, with the caller's pool: see
// loader.ResolveArea.
func ResolveArea(ctx context.Context, pool *pgxpool.Pool, a *aoi.Area, srid int32) (*aoi.Area, error) {
	own, release, err := pg.Own(ctx, pool, areaConns)
	if err != nil {
		return nil, err
	}
	defer release()

	return area.Resolve(ctx, own, a, srid, area.Features{})
}
