package dissolve_test

import (
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/dissolve"
	"github.com/loadgrid/loadgrid/internal/oracle"
)

// FuzzUnion unites rectangles and right triangles on a lattice of 8 by 8, and compares the result
// with the half squares that they cover. There is a union if they cover no half twice. It covers
// exactly these halves, and it is valid.
func FuzzUnion(f *testing.F) {
	f.Add([]byte{0x00, 0x22, 0x20, 0x42, 0x02, 0x24})
	f.Add([]byte{0x00, 0x77, 0x11, 0x22})
	f.Add([]byte{0x00, 0x31, 0x02, 0x33, 0x01, 0x12, 0x21, 0x32})
	f.Add([]byte{0x80, 0x11, 0x88, 0x11, 0x11, 0x22})

	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64 {
			return
		}

		halves := map[[3]int]int{}
		var parts []geomgen.Polygon
		for i := 0; i+1 < len(b); i += 2 {
			if p := fuzzedPart(b[i], b[i+1], halves); p != nil {
				parts = append(parts, p)
			}
		}

		overlap := false
		for _, n := range halves {
			overlap = overlap || n > 1
		}

		union, ok, err := dissolve.Union(t.Context(), parts)
		if err != nil {
			t.Fatal(err)
		}
		if ok == overlap {
			t.Fatalf("there is a union: %v; parts overlap: %v: %v", ok, overlap, parts)
		}
		if !ok {
			return
		}

		if err := geomgen.CheckPolygons(union); err != nil {
			t.Fatal(err)
		}
		if got, want := area(union), float64(len(halves))/2; got != want {
			t.Fatalf("the union has an area of %v, want %v: %v", got, want, union)
		}
		if len(union) == 0 {
			return
		}

		whole := oracle.NewArea(union)
		for x := range 8 {
			for y := range 8 {
				for half := range 2 {
					middle := geomgen.Point{X: float64(x) + float64(1+half)/3, Y: float64(y) + float64(2-half)/3}
					if in := whole.ContainsPoint(middle); in != (halves[[3]int{x, y, half}] > 0) {
						t.Fatalf("%v is in the union: %v: %v", middle, in, union)
					}
				}
			}
		}
	})
}

// fuzzedPart makes a part from two bytes, and counts the half squares that it covers.
func fuzzedPart(a, b byte, halves map[[3]int]int) geomgen.Polygon {
	x, y, u, v := int(a>>4&7), int(a&7), int(b>>4&7), int(b&7)
	if a&0x80 != 0 { // a triangle in a square: above its diagonal or below
		half := int(b & 1)
		halves[[3]int{x, y, half}]++
		p, q := geomgen.Point{X: float64(x), Y: float64(y)}, geomgen.Point{X: float64(x + 1), Y: float64(y + 1)}
		r := geomgen.Point{X: p.X, Y: q.Y}
		if half == 1 {
			r = geomgen.Point{X: q.X, Y: p.Y}
		}
		return geomgen.Polygon{{p, q, r, p}}
	}

	if u <= x || v <= y {
		return nil
	}
	for i := x; i < u; i++ {
		for k := y; k < v; k++ {
			halves[[3]int{i, k, 0}]++
			halves[[3]int{i, k, 1}]++
		}
	}
	return box(float64(x), float64(y), float64(u), float64(v))
}
