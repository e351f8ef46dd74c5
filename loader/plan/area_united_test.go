package plan

import (
	"errors"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// The plan unites features that share borders. Features that overlap need a server, and separate features stay as
// they are.
func TestFeaturesAreUnited(t *testing.T) {
	feature := func(ring string) string {
		return `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[` + ring + `]}}`
	}
	square := feature("[[0,0],[4,0],[4,4],[0,4],[0,0]]")

	for name, test := range map[string]struct {
		other    string
		polygons int // in the area; 0 if a server is needed
		cells    int64
	}{
		"apart":              {feature("[[6,0],[9,0],[9,4],[6,0]]"), 2, 0},
		"side by side":       {feature("[[4,0],[8,0],[8,4],[4,4],[4,0]]"), 1, 32},
		"a part of the side": {feature("[[4,1],[8,1],[8,3],[4,3],[4,1]]"), 1, 24},
		"overlapping":        {feature("[[3,1],[8,1],[8,3],[3,3],[3,1]]"), 0, 0},
	} {
		a := areaOf(t, `{"type":"FeatureCollection","features":[`+square+","+test.other+`]}`)
		a.SRID, a.Rule = 0, geomgen.Overlaps
		p, err := New(t.Context(), job.Job{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Area: a})
		if needs := errors.As(err, new(*NeedsServerError)); needs != (test.polygons == 0) || err != nil && !needs {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if test.polygons == 0 {
			continue
		}

		if got := p.Job.Area.Polygons; len(got) != test.polygons || test.cells > 0 && p.Rows != test.cells {
			t.Errorf("%s: %d cells in %v, want %d in %d polygons", name, p.Rows, got, test.cells, test.polygons)
		}
		if test.polygons == 2 && p.Job.Area.Digest() != a.Digest() {
			t.Errorf("%s: the area is another one: %v", name, p.Job.Area.Polygons)
		}
	}
}
