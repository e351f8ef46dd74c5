package aoi_test

import (
	"context"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

func TestMain(m *testing.M) {
	aoi.CheckSelects = checkSelects
	m.Run()
}

// checkSelects loads the area, if it is valid, in a few dozen cells.
func checkSelects(t *testing.T, a *aoi.Area) {
	t.Helper()
	if len(a.Polygons) > 50 || geomgen.CheckPolygons(a.Polygons) != nil {
		return
	}

	box := geomgen.Box{XMin: math.Inf(1), YMin: math.Inf(1), XMax: math.Inf(-1), YMax: math.Inf(-1)}

	for _, q := range a.Polygons[0][0] {
		box = geomgen.Box{XMin: min(box.XMin, q.X), YMin: min(box.YMin, q.Y), XMax: max(box.XMax, q.X), YMax: max(box.YMax, q.Y)}
	}

	grid := geomgen.Grid{X0: box.XMin, Y0: box.YMin, DX: box.XMax/7 - box.XMin/7, DY: box.YMax/5 - box.YMin/5, SRID: a.SRID}
	p, err := plan.New(context.Background(), job.Job{Table: job.Table{Name: "t"}, Grid: grid, Cols: 9, Rows: 7, Area: a, Clip: true, Coverage: true})
	if err != nil {
		var param *geomgen.ParamError
		if !errors.As(err, &param) {
			t.Fatal(err)
		}

		return
	}

	if n, err := io.Copy(io.Discard, p.NewFirstRows(context.Background(), p.Rows)); err != nil || p.Rows > 63 {
		t.Fatalf("%d rows, %d bytes: %v", p.Rows, n, err)
	}
}
