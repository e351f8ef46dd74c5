package dissolve_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/dissolve"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

func box(xmin, ymin, xmax, ymax float64) geomgen.Polygon {
	return geomgen.Polygon{ring(xmin, ymin, xmax, ymin, xmax, ymax, xmin, ymax)}
}

func ring(coordinates ...float64) []geomgen.Point {
	var points []geomgen.Point
	for i := 0; i < len(coordinates); i += 2 {
		points = append(points, geomgen.Point{X: coordinates[i], Y: coordinates[i+1]})
	}
	return append(points, points[0])
}

func TestUnion(t *testing.T) {
	zero := math.Copysign(0, -1)
	for name, test := range map[string]struct {
		polygons []geomgen.Polygon
		rings    []int // of the union's polygons; nil if there is no union
		area     float64
	}{
		"one":                              {[]geomgen.Polygon{box(0, 0, 1, 1)}, []int{1}, 1},
		"side by side":                     {[]geomgen.Polygon{box(0, 0, 1, 1), box(1, 0, 2, 1)}, []int{1}, 2},
		"two zeros":                        {[]geomgen.Polygon{box(-1, 0, 0, 1), box(zero, zero, 1, 1)}, []int{1}, 2},
		"apart":                            {[]geomgen.Polygon{box(0, 0, 1, 1), box(2, 0, 3, 1)}, []int{1, 1}, 2},
		"corner to corner":                 {[]geomgen.Polygon{box(0, 0, 1, 1), box(1, 1, 2, 2)}, []int{1, 1}, 2},
		"a corner on a side":               {[]geomgen.Polygon{box(0, 0, 2, 2), {ring(2, 1, 3, 0, 3, 2)}}, []int{1, 1}, 5},
		"a part of a side":                 {[]geomgen.Polygon{box(0, 0, 2, 2), box(2, 1, 3, 3)}, []int{1}, 6},
		"two on one side":                  {[]geomgen.Polygon{box(0, 0, 1, 4), box(1, 0, 2, 1), box(1, 1, 2, 4)}, []int{1}, 8},
		"sides that overlap":               {[]geomgen.Polygon{box(0, 0, 1, 3), box(1, 1, 2, 4)}, []int{1}, 6},
		"clockwise":                        {[]geomgen.Polygon{{ring(0, 0, 0, 1, 1, 1, 1, 0)}, box(1, 0, 2, 1)}, []int{1}, 2},
		"a hole that is filled":            {[]geomgen.Polygon{{box(0, 0, 3, 3)[0], box(1, 1, 2, 2)[0]}, box(1, 1, 2, 2)}, []int{1}, 9},
		"a hole that is filled in part":    {[]geomgen.Polygon{{box(0, 0, 4, 4)[0], box(1, 1, 3, 3)[0]}, box(1, 1, 2, 3)}, []int{2}, 14},
		"a frame of four":                  {[]geomgen.Polygon{box(0, 0, 3, 1), box(0, 1, 1, 3), box(1, 2, 3, 3), box(2, 1, 3, 2)}, []int{2}, 8},
		"a frame whose ends touch":         {[]geomgen.Polygon{box(0, 0, 3, 1), box(0, 1, 1, 3), box(1, 2, 2, 3), box(2, 1, 3, 2)}, []int{2}, 7},
		"an island in a frame":             {[]geomgen.Polygon{box(0, 0, 5, 1), box(0, 1, 1, 5), box(1, 4, 5, 5), box(4, 1, 5, 4), box(2, 2, 3, 3)}, []int{2, 1}, 17},
		"holes that touch":                 {[]geomgen.Polygon{box(0, 0, 4, 1), box(0, 3, 4, 4), box(0, 1, 1, 3), box(3, 1, 4, 3), box(2, 1, 3, 2), box(1, 2, 2, 3)}, []int{3}, 14},
		"an island that touches twice":     {[]geomgen.Polygon{{box(0, 0, 4, 4)[0], ring(1, 1, 3, 1, 3, 3, 1, 3)}, {ring(1, 1, 2, 1.5, 3, 3, 1.5, 2)}}, []int{2, 1}, 13},
		"one on top of the other":          {[]geomgen.Polygon{box(0, 0, 1, 1), box(0, 0, 1, 1)}, nil, 0},
		"one in the other":                 {[]geomgen.Polygon{box(0, 0, 3, 3), box(1, 1, 2, 2)}, nil, 0},
		"one in the other, at a side":      {[]geomgen.Polygon{box(0, 0, 3, 3), box(0, 0, 1, 1)}, nil, 0},
		"crossing":                         {[]geomgen.Polygon{box(0, 0, 2, 2), box(1, 1, 3, 3)}, nil, 0},
		"a sliver on both":                 {[]geomgen.Polygon{box(0, 0, 1, 1), {ring(1, 0, 2, 0, 2, 1, 1, 1, 1-0x1p-53, 0.5)}}, nil, 0},
		"a sliver between":                 {[]geomgen.Polygon{box(0, 0, 1, 1), {ring(1, 0, 2, 0, 2, 1, 1, 1, 1+0x1p-52, 0.5)}}, []int{1, 1}, 2 - 0x1p-53},
		"three, two of them in the third":  {[]geomgen.Polygon{box(0, 0, 2, 1), box(0, 0, 1, 1), box(1, 0, 2, 1)}, nil, 0},
		"a cross of five":                  {[]geomgen.Polygon{box(1, 1, 2, 2), box(0, 1, 1, 2), box(2, 1, 3, 2), box(1, 0, 2, 1), box(1, 2, 2, 3)}, []int{1}, 5},
		"squares of a chessboard":          {[]geomgen.Polygon{box(0, 0, 1, 1), box(2, 0, 3, 1), box(1, 1, 2, 2), box(0, 2, 1, 3), box(2, 2, 3, 3)}, []int{1, 1, 1, 1, 1}, 5},
		"a ring of squares by corners":     {[]geomgen.Polygon{box(1, 0, 2, 1), box(2, 1, 3, 2), box(1, 2, 2, 3), box(0, 1, 1, 2)}, []int{1, 1, 1, 1}, 4},
		"polygons in a hole of the island": {[]geomgen.Polygon{{box(0, 0, 9, 9)[0], box(1, 1, 8, 8)[0]}, {box(2, 2, 7, 7)[0], box(3, 3, 6, 6)[0]}, box(4, 4, 5, 5), box(1, 2, 2, 3)}, []int{3, 1}, 81 - 49 + 25 - 9 + 1 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			union, ok, err := dissolve.Union(t.Context(), test.polygons)
			if err != nil || ok != (test.rings != nil) {
				t.Fatalf("the union is %v, %v, %v", union, ok, err)
			}
			if !ok {
				return
			}

			var rings []int
			for _, p := range union {
				rings = append(rings, len(p))
			}
			if slices.Sort(rings); !slices.Equal(rings, sorted(test.rings)) {
				t.Errorf("it has polygons with %v rings, want %v: %v", rings, test.rings, union)
			}
			if got := area(union); math.Abs(got-test.area) > 1e-15 {
				t.Errorf("it has an area of %v, want %v: %v", got, test.area, union)
			}
			if err := geomgen.CheckPolygons(union); err != nil {
				t.Error(err)
			}
		})
	}
}

func sorted(list []int) []int {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func area(polygons []geomgen.Polygon) float64 {
	sum := 0.0
	for _, p := range polygons {
		for k, r := range p {
			if a := math.Abs(geomgen.RingArea(r)); k == 0 {
				sum += a
			} else {
				sum -= a
			}
		}
	}
	return sum
}

func TestUnionOfInvalid(t *testing.T) {
	bow := geomgen.Polygon{ring(0, 0, 2, 2, 2, 0, 0, 2)}
	_, _, err := dissolve.Union(t.Context(), []geomgen.Polygon{box(5, 5, 6, 6), bow})
	var invalid *geomgen.InvalidError
	if !errors.As(err, &invalid) || invalid.Polygon != 2 {
		t.Errorf("the error is %v", err)
	}

	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	if _, _, err := dissolve.Union(ctx, []geomgen.Polygon{box(0, 0, 1, 1)}); !errors.Is(err, stopped) {
		t.Errorf("the error is %v", err)
	}
}

// The union of random parts of a partition has exactly the points of the parts.
func TestUnionOfParts(t *testing.T) {
	rng := testrand.New(t, 411)
	for n := range 300 {
		name, parts := partition(rng, n)
		kept := parts[:0:0]
		for _, p := range parts {
			if rng.IntN(4) > 0 {
				kept = append(kept, p)
			}
		}
		if len(kept) == 0 {
			continue
		}

		rng.Shuffle(len(kept), func(i, k int) { kept[i], kept[k] = kept[k], kept[i] })
		if err := checkUnion(rng, kept); err != nil {
			t.Fatalf("%d, %s: %v\n%v", n, name, err, kept)
		}
	}
}

// checkUnion compares the union with its parts, in exact fractions.
func checkUnion(rng *rand.Rand, parts []geomgen.Polygon) error {
	union, ok, err := dissolve.Union(context.Background(), parts)
	if err != nil || !ok {
		return fmt.Errorf("no union: %v, %v", ok, err)
	}
	if err := geomgen.CheckPolygons(union); err != nil {
		return err
	}
	if a, b := area(union), area(parts); math.Abs(a-b) > 1e-9*b {
		return fmt.Errorf("the area is %v, of the parts %v: %v", a, b, union)
	}

	whole := oracle.NewArea(union)
	var each []*oracle.Area
	for _, p := range parts {
		each = append(each, oracle.NewArea([]geomgen.Polygon{p}))
	}

	points := []geomgen.Point{}
	for range 30 {
		p := parts[rng.IntN(len(parts))][0]
		i := rng.IntN(len(p) - 1)
		points = append(points, p[i], geomgen.Point{X: p[i].X/2 + p[i+1].X/2, Y: p[i].Y/2 + p[i+1].Y/2},
			geomgen.Point{X: p[i].X + rng.NormFloat64(), Y: p[i].Y + rng.NormFloat64()})
	}

	for _, p := range points {
		in := slices.ContainsFunc(each, func(a *oracle.Area) bool { return a.ContainsPoint(p) })
		if whole.ContainsPoint(p) != in {
			return fmt.Errorf("%v is in one of the parts: %v, in the union: %v: %v", p, in, !in, union)
		}
	}

	return nil
}

// partition returns polygons whose interiors have no point in common.
func partition(rng *rand.Rand, n int) (name string, parts []geomgen.Polygon) {
	switch n % 4 {
	case 0:
		return "rectangles", rectangles(rng, 0, 0, float64(4+rng.IntN(8)), float64(4+rng.IntN(8)), 5)
	case 1:
		return "triangles", triangles(rng, 2+rng.IntN(5))
	case 2:
		for i := range 25 {
			x, y := float64(i%5), float64(i/5)
			parts = append(parts, box(x, y, x+1, y+1))
		}
		return "squares", parts
	}

	// Rectangles of fractions, each with a hole that others fill.
	for _, p := range rectangles(rng, 0.1, 0.3, 7.7, 9.1, 3) {
		a, b := p[0][0], p[0][2]
		u, v := geomgen.Point{X: a.X + (b.X-a.X)/3, Y: a.Y + (b.Y-a.Y)/3}, geomgen.Point{X: b.X - (b.X-a.X)/3, Y: b.Y - (b.Y-a.Y)/3}
		parts = append(parts, geomgen.Polygon{p[0], box(u.X, u.Y, v.X, v.Y)[0]})
		parts = append(parts, rectangles(rng, u.X, u.Y, v.X, v.Y, 2)...)
	}
	return "rectangles with holes", parts
}

// rectangles divides a rectangle recursively: corners of some lie on sides of others.
func rectangles(rng *rand.Rand, xmin, ymin, xmax, ymax float64, depth int) []geomgen.Polygon {
	if depth == 0 || rng.IntN(6) == 0 {
		return []geomgen.Polygon{box(xmin, ymin, xmax, ymax)}
	}

	share := float64(1+rng.IntN(3)) / 4
	if rng.IntN(2) == 0 {
		at := xmin + share*(xmax-xmin)
		return append(rectangles(rng, xmin, ymin, at, ymax, depth-1), rectangles(rng, at, ymin, xmax, ymax, depth-1)...)
	}
	at := ymin + share*(ymax-ymin)
	return append(rectangles(rng, xmin, ymin, xmax, at, depth-1), rectangles(rng, xmin, at, xmax, ymax, depth-1)...)
}

// triangles divides a lattice with displaced points.
func triangles(rng *rand.Rand, n int) []geomgen.Polygon {
	at := map[[2]int]geomgen.Point{}
	for x := range n + 1 {
		for y := range n + 1 {
			at[[2]int{x, y}] = geomgen.Point{X: float64(x) + 0.4*rng.Float64(), Y: float64(y) + 0.4*rng.Float64()}
		}
	}

	var parts []geomgen.Polygon
	for x := range n {
		for y := range n {
			a, b, c, d := at[[2]int{x, y}], at[[2]int{x + 1, y}], at[[2]int{x + 1, y + 1}], at[[2]int{x, y + 1}]
			if rng.IntN(2) == 0 {
				parts = append(parts, geomgen.Polygon{{a, b, c, a}}, geomgen.Polygon{{a, c, d, a}})
			} else {
				parts = append(parts, geomgen.Polygon{{a, b, d, a}}, geomgen.Polygon{{b, c, d, b}})
			}
		}
	}
	return parts
}

// parcels returns n by n parcels with eight corners each.
func parcels(n int) []geomgen.Polygon {
	at := func(x, y, dx, dy float64) geomgen.Point {
		u, v := 2*x+dx, 2*y+dy
		return geomgen.Point{X: 4e5 + 20*u + 3*math.Sin(7*u+v), Y: 5e6 + 20*v + 3*math.Cos(5*v-u)}
	}

	list := make([]geomgen.Polygon, 0, n*n)
	for y := range n {
		for x := range n {
			x, y := float64(x), float64(y)
			r := []geomgen.Point{at(x, y, 0, 0), at(x, y, 1, 0), at(x, y, 2, 0), at(x, y, 2, 1), at(x, y, 2, 2), at(x, y, 1, 2), at(x, y, 0, 2), at(x, y, 0, 1)}
			list = append(list, geomgen.Polygon{append(r, r[0])})
		}
	}
	return list
}

func BenchmarkUnion(b *testing.B) {
	rng := testrand.New(b, 77)
	small := rectangles(rng, 0, 0, 1<<20, 1<<20, 17)
	for name, list := range map[string][]geomgen.Polygon{
		"parcels-1M": parcels(1000), "parcels-100k": parcels(316), fmt.Sprintf("rectangles-%dk", len(small)/1000): small,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := dissolve.Union(b.Context(), list); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
