package picture

import (
	"math"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// An area keeps the shape that is seen, however many corners it has, and however far it reaches beyond the map.
func TestAreaIsThinned(t *testing.T) {
	v := viewport{world: geomgen.Box{XMax: 100, YMax: 100}, page: rect{0, 0, 500, 500}}
	for name, radius := range map[string]float64{"inside": 40, "beyond the map": 60, "far beyond": 1e6} {
		const corners = 200_000
		ring := make([]geomgen.Point, corners+1)
		for i := range ring {
			sin, cos := math.Sincos(2 * math.Pi * float64(i%corners) / corners)
			ring[i] = geomgen.Point{X: 50 + radius*cos, Y: 50 + radius*sin}
		}

		a := newDrawnArea(v, []geomgen.Polygon{{ring}})
		twice, n := 0.0, 0
		for i, p := range a.fills[0][0] {
			q := a.fills[0][0][(i+1)%len(a.fills[0][0])]
			twice += p.x*q.y - q.x*p.y
			n++
		}

		want := 25.0 * math.Pi * 40 * 40
		switch radius {
		case 60: // less what four segments of the circle have
			angle := 2 * math.Acos(50.0/60)
			want = 25 * (math.Pi*3600 - 4*1800*(angle-math.Sin(angle)))
		case 1e6:
			want = 500 * 500
		}
		if n > 8000 || math.Abs(math.Abs(twice)/2-want) > 0.001*want {
			t.Errorf("%s: an area of %g in %d corners, want %g", name, math.Abs(twice)/2, n, want)
		}
	}

	// Islands that nobody can see are left out.
	var islands []geomgen.Polygon
	for i := range 50_000 {
		ring := boxRing(float64(i%250)/2.5, float64(i/250)/2.5, 0.01)
		islands = append(islands, geomgen.Polygon{append(ring, ring[0])})
	}
	if a := newDrawnArea(v, islands); len(a.lines) != 0 {
		t.Errorf("%d islands are drawn", len(a.lines))
	}
}
