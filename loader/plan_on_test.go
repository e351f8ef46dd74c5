package loader_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// PlanWith opens a server only if the job's area needs one.
func TestPlanWith(t *testing.T) {
	errAway := errors.New("nobody answers")
	opened := 0
	open := func(context.Context) (*pgxpool.Pool, error) {
		opened++
		return nil, errAway
	}

	job := loader.Job{Table: loader.Table{Name: "g"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 3, Rows: 2}
	if p, err := loader.PlanWith(t.Context(), job, open); err != nil || p.Rows != 6 || opened != 0 {
		t.Errorf("without an area: %v, opened %d times", err, opened)
	}

	job.Cols, job.Rows, job.Area = 0, 0, &loader.Area{SQL: "select 1", Rule: geomgen.Intersects}
	var needs *loader.NeedsServerError
	if _, err := loader.PlanWith(t.Context(), job, open); !errors.As(err, &needs) || !errors.Is(err, errAway) || opened != 1 {
		t.Errorf("with a query: %v, opened %d times", err, opened)
	}
}

// PlanWith refuses a wrong job before it opens a server.
func TestPlanWithRefusesAWrongJob(t *testing.T) {
	open := func(context.Context) (*pgxpool.Pool, error) {
		t.Error("a server was opened")
		return nil, errors.New("nobody answers")
	}

	job := loader.Job{Table: loader.Table{Name: "g"}, Area: &loader.Area{SQL: "select 1", Rule: geomgen.Intersects}}
	var wrong *geomgen.ParamError
	if p, err := loader.PlanWith(t.Context(), job, open); !errors.As(err, &wrong) || p != nil {
		t.Errorf("without a size of cells: %v, %v", p, err)
	}
}
