package plan

import (
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
)

// The time limit of the query does not change what is loaded.
func TestSQLTimeoutIsNotInTheFingerprint(t *testing.T) {
	job := job.Job{Table: job.Table{Name: "grid"}, Grid: geomgen.Grid{DX: 1, DY: 1},
		Area: &aoi.Area{SQL: "select 1", Polygons: []geomgen.Polygon{{{{X: 0, Y: 0}, {X: 3, Y: 0}, {X: 3, Y: 3}, {X: 0, Y: 0}}}}}}
	job.Area.SetReady()
	of := func(timeout time.Duration) string {
		area := *job.Area
		area.SQLTimeout = timeout
		j := job
		j.Area = &area
		p, err := New(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}

		return p.Job.Fingerprint(p.Cells)
	}

	if of(0) != of(time.Hour) {
		t.Error("the timeout changes the fingerprint")
	}
}
