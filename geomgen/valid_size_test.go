package geomgen

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

// boxRing returns a closed ring around a box.
func boxRing(x, y, width, height float64) []Point {
	return []Point{{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}, {x, y}}
}

// manyShapes returns valid areas with about n rings or corners. Each of them was slow once.
func manyShapes(n int) map[string][]Polygon {
	f := float64(n)
	row, chain := Polygon{boxRing(-1, -1, 2*f+2, 4)}, Polygon{boxRing(-1, -2, 2*f+2, 4)}
	fan := Polygon{boxRing(-2, -2, 4, 4)}
	comb, slanted := []Point{{0, -1}, {2 * f, -1}}, []Point{{-1, 0}, {-1, -1}, {f + 1, -1}}
	var circle []Point
	var nested, islands []Polygon

	for i := range n {
		x := float64(i)
		row = append(row, boxRing(2*x+0.5, 0.5, 1, 1))
		chain = append(chain, []Point{{2 * x, 0}, {2*x + 1, -1}, {2*x + 2, 0}, {2*x + 1, 1}, {2 * x, 0}})
		sin, cos := math.Sincos(2 * math.Pi * x / f)
		nextSin, nextCos := math.Sincos(2 * math.Pi * (x + 0.5) / f)
		fan = append(fan, []Point{{0, 0}, {cos, sin}, {nextCos, nextSin}, {0, 0}})
		circle = append(circle, Point{1000 * cos, 1000 * sin})
		left := f - 1 - x
		comb = append(comb, Point{2*left + 1.5, 1000}, Point{2*left + 0.5, 0})
		slanted = append(slanted, Point{left + 0.9 + f, f}, Point{left + 0.5, 0})
		a := 4 * (x + 1)
		nested = append(nested, Polygon{boxRing(-a, -a, 2*a, 2*a), boxRing(1-a, 1-a, 2*a-2, 2*a-2)})
		islands = append(islands, Polygon{boxRing(2*x, 0, 1, 1)}, Polygon{boxRing(2*x, 2, 1, 1)})
	}

	closed := func(ring []Point) []Polygon { return []Polygon{{append(ring, ring[0])}} }
	return map[string][]Polygon{
		"holes in a row": {row}, "holes that touch in points": {chain}, "holes that touch in one point": {fan}, "a ring of many points": closed(circle),
		"a comb": closed(comb), "a slanted comb": closed(slanted), "rings in rings": nested, "islands": islands,
	}
}

// Areas are checked, located in, and clipped in about n log n steps, whatever the position of their rings: the
// square of 60,000 would take hours.
func TestAreasOfManyRings(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	for name, polygons := range manyShapes(30_000) {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			m, err := NewMaskContext(ctx, Grid{X0: -3e6, Y0: -3e6, DX: 4e6, DY: 4e6}, polygons, Centroid)
			if err != nil {
				t.Fatal(err)
			}

			checked := time.Since(start)
			for i := 0; i < len(m.contour.points)-1; i += 7 {
				p := middle(m.contour.points[i], m.contour.points[i+1])
				if name != "a slanted comb" { // its boxes are large
					m.containsPoint(Point{p.X + 0.1, p.Y + 0.01})
				}
			}

			located := time.Since(start) - checked
			var rings, want int
			for _, c := range []Cell{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
				part, err := NewClipper(m).ClipContext(ctx, c)
				if err != nil {
					t.Fatal(err)
				}
				rings += len(part.Rings)
			}
			for _, p := range polygons {
				want += len(p)
			}

			if rings < want {
				t.Errorf("%d rings are left of %d", rings, want)
			}
			t.Logf("checked in %v, located in %v, cut in %v", checked, located, time.Since(start)-located-checked)
		})
	}
}

// A part that must be repaired has as many lines as its area.
func TestMendingOfManyLines(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	// Teeth that reach beyond the cell, and one that ends within rounding distance of its edge.
	const n = 20_000
	ring := []Point{{0.5, -1}, {0.5, n + 1}}
	for i := n; i > 0; i-- {
		y := float64(i) - 0.3
		ring = append(ring, Point{1.7, y + 0.13}, Point{math.Nextafter(1, 0), y - 0.07})
	}

	ring = append(ring, ring[0])
	m, err := NewMaskContext(ctx, Grid{X0: 0, Y0: -2, DX: 1, DY: n + 4}, []Polygon{{ring}}, Intersects)
	if err != nil {
		t.Fatal(err)
	}

	for _, c := range []Cell{{0, 0}, {1, 0}} {
		part, err := NewClipper(m).ClipContext(ctx, c)
		if err != nil {
			t.Fatal(err)
		}

		var polygons []Polygon
		for k, r := range part.Rings {
			if slices.Contains(part.Shells, k) {
				polygons = append(polygons, nil)
			}
			polygons[len(polygons)-1] = append(polygons[len(polygons)-1], r)
		}
		if err := CheckPolygons(polygons); err != nil {
			t.Errorf("cell %v: %v", c, err)
		}
	}
}

// Everything that takes long stops when its context ends.
func TestAreasEndWithTheirContext(t *testing.T) {
	row := manyShapes(20_000)["holes in a row"]
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)

	if err := CheckPolygonsContext(ctx, row); err != stopped {
		t.Errorf("checking: %v", err)
	}
	if _, err := NewMaskContext(ctx, Grid{DX: 1, DY: 1}, row, Within); err != stopped {
		t.Errorf("masking: %v", err)
	}
	if _, err := ShellsAround(ctx, row[0]); err != stopped {
		t.Errorf("nesting: %v", err)
	}

	m, err := NewMask(Grid{X0: -5, Y0: -5, DX: 1e6, DY: 1e6}, row, Within)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewClipper(m).ClipContext(ctx, Cell{}); err != stopped {
		t.Errorf("cutting: %v", err)
	}
	if _, err := Select(ctx, Range{MaxCol: 5, MaxRow: 5}, m); err != stopped {
		t.Errorf("counting: %v", err)
	}

	// The sweep itself stops, too, not only the code before it.
	o := newOutline(row)
	if err := outlineSweep(&o).run(ctx); err != stopped {
		t.Errorf("sweeping: %v", err)
	}
}
