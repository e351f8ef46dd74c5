package loader

import (
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
)

// How long the query may take does not change what is loaded.
func TestSQLTimeoutIsNotInTheFingerprint(t *testing.T) {
	job := Job{Table: Table{Name: "grid"}, Grid: geomgen.Grid{DX: 1, DY: 1},
		Area: &Area{SQL: "select 1", Polygons: []geomgen.Polygon{{{{X: 0, Y: 0}, {X: 3, Y: 0}, {X: 3, Y: 3}, {X: 0, Y: 0}}}}, ready: true}}
	of := func(timeout time.Duration) string {
		area := *job.Area
		area.SQLTimeout = timeout
		j := job
		j.Area = &area
		p, err := NewPlan(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		return p.Job.fingerprint(p.Cells)
	}
	if of(0) != of(time.Hour) {
		t.Error("the timeout changes the fingerprint")
	}
}

func TestSQLTimeoutBounds(t *testing.T) {
	for timeout, right := range map[time.Duration]bool{
		0: true, time.Millisecond: true, 24 * time.Hour: true, 24 * 24 * time.Hour: true,
		-1: false, time.Nanosecond: false, 999 * time.Microsecond: false, 25 * 24 * time.Hour: false, 1<<63 - 1: false,
	} {
		err := (&Area{SQL: "select 1", SQLTimeout: timeout}).checkSQLTimeout()
		if right != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), "aoi-sql-timeout") {
			t.Errorf("%v: %v", timeout, err)
		}
	}
}
