package geomgen

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

// compareWithReference compares the sweep with the check of all pairs: whether polygons are valid, and for valid
// ones, where a mask locates a point.
func compareWithReference(t *testing.T, polygons []Polygon) (valid bool) {
	t.Helper()
	err, want := CheckPolygons(polygons), referenceCheck(polygons)
	if (err == nil) != (want == nil) {
		t.Fatalf("the sweep says %v, the check of all pairs %v: %v", err, want, polygons)
	}

	var invalid *InvalidError
	if err != nil && !errors.As(err, &invalid) {
		t.Fatalf("%v is not an InvalidError", err)
	}
	if err != nil {
		return false
	}

	m, err := NewMask(Grid{DX: 1, DY: 1}, polygons, Intersects)
	if err != nil {
		t.Fatal(err)
	}

	o := referenceOutline{outline: newOutline(polygons)}
	o.index = newTree(t.Context(), o.segments)
	for _, s := range o.segments {
		for _, p := range []Point{s.a, {s.a.X + 0.5, s.a.Y}, {s.a.X, s.a.Y - 0.25}, middle(s.a, s.b)} {
			in, edge := m.contour.locate(p)
			if wantIn, wantEdge := locateByCounting(&o.outline, p); in != wantIn || edge != wantEdge {
				t.Fatalf("%v is inside: %v, on the edge: %v; want %v, %v: %v", p, in, edge, wantIn, wantEdge, polygons)
			}
		}

		if got, want := m.contour.insideBelow(s.a), windingBelowByCounting(&o, s.a) > 0; got != want {
			t.Fatalf("below %v is area: %v, want %v: %v", s.a, got, want, polygons)
		}
	}

	return true
}

// locateByCounting locates a point by counting the segments that a ray to the right crosses.
func locateByCounting(o *outline, p Point) (inside, edge bool) {
	for _, s := range o.segments {
		where := side(s.a, s.b, p)
		edge = edge || where == 0 && s.box().intersects(Box{p.X, p.Y, p.X, p.Y})
		if up := s.b.Y > p.Y; up != (s.a.Y > p.Y) && (where > 0) == up {
			inside = !inside
		}
	}

	return inside && !edge, edge
}

func windingBelowByCounting(o *referenceOutline, p Point) int {
	return o.winding(p, func(y float64) bool { return y >= p.Y }, func(s segment, up bool) bool {
		return up && s.b.X < s.a.X || !up && s.a.X < s.b.X
	})
}

// Rings on a small lattice touch, cross, overlap and nest in all possible ways.
func TestCheckIsThatOfAllPairs(t *testing.T) {
	rng := testrand.New(t, 1)
	valid := 0
	for range 60_000 {
		side := 3 + rng.IntN(6)
		var polygons []Polygon
		for range 1 + rng.IntN(2) {
			var p Polygon
			for range 1 + rng.IntN(4) {
				p = append(p, latticeRing(rng, side))
			}
			polygons = append(polygons, p)
		}
		if compareWithReference(t, polygons) {
			valid++
		}
	}

	// Shells with holes in them are more often valid.
	for range 20_000 {
		shell := []Point{{-9, -9}, {9, -9}, {9, 9}, {-9, 9}, {-9, -9}}
		p := Polygon{shell}
		for range 1 + rng.IntN(6) {
			p = append(p, latticeRing(rng, 9))
		}
		if compareWithReference(t, []Polygon{p}) {
			valid++
		}
	}

	if valid < 5_000 {
		t.Errorf("%d areas were valid, which are too few to compare", valid)
	}
}

// latticeRing returns a ring of at least three points on a lattice; small rings are more frequent.
func latticeRing(rng *rand.Rand, side int) []Point {
	x, y, size := rng.IntN(side)-side/2, rng.IntN(side)-side/2, 1+rng.IntN(3)
	var ring []Point
	for range 3 + rng.IntN(3) {
		ring = append(ring, Point{float64(x + rng.IntN(size+1)), float64(y + rng.IntN(size+1))})
	}

	return append(ring, ring[0])
}

// Rings of many points that wind between each other, rotated, so that their boxes are large.
func TestCheckOfTurnedAreas(t *testing.T) {
	rng := testrand.New(t, 2)
	for range 300 {
		turn := rng.Float64() * math.Pi
		sin, cos := math.Sincos(turn)
		var p Polygon
		at := func(x, y float64) Point { return Point{x*cos - y*sin, x*sin + y*cos} }
		n := 1 + rng.IntN(12)
		p = append(p, []Point{at(-2, -2), at(3*float64(n), -2), at(3*float64(n), 2), at(-2, 2), at(-2, -2)})
		for i := range n {
			x := 2.5*float64(i) + rng.Float64()
			p = append(p, []Point{at(x, -1), at(x+2, -1+rng.Float64()), at(x+1, 1.5), at(x, -1)})
		}

		compareWithReference(t, []Polygon{p})
		slices.Reverse(p[0])
		compareWithReference(t, []Polygon{p})
	}
}

func FuzzCheckPolygons(f *testing.F) {
	f.Add([]byte{0, 0, 9, 0, 9, 9, 0, 9, 255, 2, 2, 4, 2, 4, 4})
	f.Add([]byte{0, 0, 9, 0, 9, 9, 0, 9, 255, 0, 2, 4, 2, 4, 4, 255, 4, 2, 6, 2, 5, 9})
	f.Add([]byte{0, 0, 9, 9, 9, 0, 0, 9, 254, 2, 2, 4, 2, 4, 4})

	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 200 {
			return
		}

		polygons := []Polygon{{nil}}
		for i := 0; i < len(data); i++ {
			p := &polygons[len(polygons)-1]
			switch data[i] {
			case 254:
				polygons = append(polygons, Polygon{nil})
			case 255:
				*p = append(*p, nil)
			default:
				if i+1 < len(data) {
					ring := &(*p)[len(*p)-1]
					*ring = append(*ring, Point{float64(data[i] % 16), float64(data[i+1]%16) / 4})
					i++
				}
			}
		}

		for _, p := range polygons {
			for k := range p {
				if len(p[k]) > 0 {
					p[k] = append(p[k], p[k][0])
				}
			}
		}
		compareWithReference(t, polygons)
	})
}
