// Package serverplan owns the planning of jobs whose area needs a server, and of jobs whose cells
// take long to count.
package serverplan

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/area"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/precheck"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Planner plans a job without a server, or returns the reason why it needs one.
type Planner func(context.Context, job.Job) (*plan.Plan, *plan.NeedsServerError, error)

// resolved plans a job after the server has resolved its area and told what it knows about the
// CRSs.
func resolved(ctx context.Context, pool *pgxpool.Pool, j job.Job, by Planner) (*plan.Plan, error) {
	var err error
	if j.Area, err = resolveArea(ctx, pool, j); err != nil {
		return nil, err
	}

	p, needs, err := by(ctx, j)
	if needs != nil {
		return nil, needs
	}
	if err != nil {
		return nil, err
	}

	postgis, err := catalog.PostGISSchema(ctx, pool)
	if err != nil {
		return nil, err
	}

	c, err := precheck.CheckCRS(ctx, pool, postgis, p.Job)
	if err != nil {
		return nil, err
	}

	traits, err := precheck.Traits(ctx, pool)
	if err != nil {
		return nil, err
	}

	return p.WithCRS(c).WithServer(traits), nil
}

// resolveArea resolves the area of a job, with the features that the job needs.
func resolveArea(ctx context.Context, pool *pgxpool.Pool, j job.Job) (*aoi.Area, error) {
	var want area.Features
	if j.Pairs() {
		want.Key = func(types []string) func(aoi.Value) (string, error) { return j.WithTypes(types).NameKey() }
	}

	for _, a := range j.FeatureAttributes() {
		want.Names = append(want.Names, a.Name)
	}

	return area.Resolve(ctx, pool, j.Area, j.Grid.SRID, want)
}

// Prepare plans a job whose area needs a server, for a run, which checks the CRS itself.
func Prepare(ctx context.Context, pool *pgxpool.Pool, j job.Job, log *slog.Logger) (_ *plan.Plan, err error) {
	if j.Area, err = resolveArea(ctx, pool, j); err != nil {
		return nil, err
	}

	p, needs, err := Counted(ctx, j, log)
	if needs != nil {
		return nil, needs
	}
	return p, err
}

// Counted is plan.WithoutServer. If counting the cells takes long, it logs that first. log may be
// nil.
func Counted(ctx context.Context, j job.Job, log *slog.Logger) (*plan.Plan, *plan.NeedsServerError, error) {
	p, needs, err := plan.Approximate(ctx, j)
	if p == nil || p.Exact() {
		return p, needs, err
	}

	if log != nil {
		log.Info("counting cells", "about", p.Rows)
	}
	return plan.WithoutServer(ctx, j)
}
