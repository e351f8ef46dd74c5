package plan_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// parcels returns GeoJSON of side x side parcels with eight corners each, which share their borders.
func parcels(side int) string {
	var b strings.Builder
	for i := range side * side {
		x, y := 5+0.001*float64(i%side), 45+0.001*float64(i/side)
		fmt.Fprintf(&b, `{"type":"Feature","properties":{"name":"parcel number %d"},"geometry":{"type":"Polygon","coordinates":[[`, i)
		for _, q := range [][2]float64{{0, 0}, {1, 0}, {2, 0}, {2, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}} {
			fmt.Fprintf(&b, "[%.4f,%.4f],", x+q[0]*0.0005, y+q[1]*0.0005)
		}
		fmt.Fprintf(&b, "[%.4f,%.4f]]]}}\n", x, y)
	}
	return b.String()
}

// The memory of a feature decides how many features a machine can plan. It is needed while the feature is read,
// partly as garbage, and in the plan.
func TestMemoryOfPlannedFeatures(t *testing.T) {
	const side = 150
	text := parcels(side)
	name := job.Attribute{Name: "name"}

	for what, test := range map[string]struct {
		change     func(j *job.Job)
		all, inUse int // bytes per feature
	}{
		"attributes": {func(j *job.Job) { j.Attributes = []job.Attribute{name} }, 1600, 480},
		"pairs":      {func(j *job.Job) { j.Each, j.Geometry = name, geomgen.AsNone }, 1700, 480},
	} {
		t.Run(what, func(t *testing.T) {
			before := memory()
			a, err := aoi.ReadWith(t.Context(), strings.NewReader(text), aoi.ReadOptions{Attributes: []string{"name"}})
			if err != nil {
				t.Fatal(err)
			}

			j := job.Job{Table: job.Table{Name: "x"}, Grid: geomgen.Grid{DX: 0.01, DY: 0.01, SRID: 4326}, Area: a}
			test.change(&j)
			p, err := plan.New(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}

			j, a = job.Job{}, nil
			after := memory()
			all := (after.TotalAlloc - before.TotalAlloc) / (side * side)
			inUse := (after.HeapAlloc - before.HeapAlloc) / (side * side)
			t.Logf("%d bytes a feature in all, and %d in use at the end, for %d rows", all, inUse, p.Rows)
			if all > uint64(test.all) || inUse > uint64(test.inUse) {
				t.Errorf("%d bytes a feature in all, and %d in use: more than %d and %d", all, inUse, test.all, test.inUse)
			}
			runtime.KeepAlive(p)
		})
	}
}

// memory returns what was allocated and what is in use after a garbage collection.
func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}
