package loader

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/area"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// areaConns is how many connections an area needs: its query, and one to end that.
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

// planner plans a job without a server, or says what one is needed for.
type planner func(context.Context, Job) (*Plan, *NeedsServerError, error)

func planWith(ctx context.Context, j Job, open func(context.Context) (*pgxpool.Pool, error), make planner) (*Plan, error) {
	p, needs, err := make(ctx, j)
	if needs == nil {
		return p, err
	}

	pool, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", needs, err)
	}
	defer Close(pool)

	return planResolved(ctx, pool, j, make)
}

// PlanOn is NewPlan, with a server that makes the area of interest ready where that
// is needed: by a query, a transformation, or mending. It writes nothing.
func PlanOn(ctx context.Context, pool *pgxpool.Pool, j Job) (*Plan, error) {
	p, needs, err := plan.WithoutServer(ctx, j)
	if needs == nil {
		return p, err
	}

	return planResolved(ctx, pool, j, plan.WithoutServer)
}

// planResolved plans a job after the server has made its area ready and has said what it
// knows of the CRSs.
func planResolved(ctx context.Context, pool *pgxpool.Pool, j Job, make planner) (*Plan, error) {
	own, release, err := pg.Own(ctx, pool, areaConns)
	if err != nil {
		return nil, err
	}
	defer release()

	if j.Area, err = area.Resolve(ctx, own, j.Area, j.Grid.SRID); err != nil {
		return nil, err
	}

	p, needs, err := make(ctx, j)
	if needs != nil {
		return nil, needs
	}
	if err != nil {
		return nil, err
	}

	postgis, err := catalog.PostGISSchema(ctx, own)
	if err != nil {
		return nil, err
	}

	c, err := precheck.CheckCRS(ctx, own, postgis, p.Job)
	if err != nil {
		return nil, err
	}

	return p.WithCRS(c), nil
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

// planOn plans a job whose area needs a server.
func planOn(ctx context.Context, e *environment, j Job) (_ *Plan, err error) {
	if j.Area, err = area.Resolve(ctx, e.pool, j.Area, j.Grid.SRID); err != nil {
		return nil, err
	}

	p, needs, err := planCounted(ctx, j, e.observer.Log)
	if needs != nil {
		return nil, needs
	}
	return p, err
}

// planCounted is plan.WithoutServer. Where it takes long to count the cells, it says so
// before; log may be nil.
func planCounted(ctx context.Context, j Job, log *slog.Logger) (*Plan, *NeedsServerError, error) {
	p, needs, err := plan.Approximate(ctx, j)
	if p == nil || p.Exact() {
		return p, needs, err
	}

	if log != nil {
		log.Info("counting cells", "about", p.Rows)
	}
	return plan.WithoutServer(ctx, j)
}
