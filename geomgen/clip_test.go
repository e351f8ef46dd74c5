package geomgen_test

import (
	"math"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

func ringOf(coordinates ...float64) []geomgen.Point {
	var ring []geomgen.Point
	for i := 0; i+1 < len(coordinates); i += 2 {
		ring = append(ring, geomgen.Point{X: coordinates[i], Y: coordinates[i+1]})
	}
	return append(ring, ring[0])
}

func clip(t *testing.T, g geomgen.Grid, c geomgen.Cell, area ...geomgen.Polygon) geomgen.Part {
	t.Helper()
	m, err := geomgen.NewMask(g, area, geomgen.Intersects)
	if err != nil {
		t.Fatal(err)
	}
	part, err := geomgen.NewClipper(m).Clip(c)
	if err != nil {
		t.Fatal(err)
	}
	return part
}

// An edge along an axis keeps its coordinate in each cell, and the share is exact for these numbers.
func TestClipKeepsCoordinates(t *testing.T) {
	g := geomgen.Grid{DX: 1, DY: 1}
	area := geomgen.Polygon{ringOf(0.3, 0.3, 4.7, 0.3, 4.7, 2.9, 0.3, 2.9)}
	for col := range int32(5) {
		for row := range int32(3) {
			x0, x1 := max(float64(col), 0.3), min(float64(col)+1, 4.7)
			y0, y1 := max(float64(row), 0.3), min(float64(row)+1, 2.9)
			part := clip(t, g, geomgen.Cell{Col: col, Row: row}, area)
			if want := (x1 - x0) * (y1 - y0); math.Abs(part.Share-want) > 1e-15 {
				t.Errorf("cell %d,%d has share %v, want %v", col, row, part.Share, want)
			}
			if part.Share == 1 {
				continue
			}

			want := ringOf(x0, y0, x1, y0, x1, y1, x0, y1)
			if len(part.Rings) != 1 || len(part.Rings[0]) != 5 {
				t.Fatalf("cell %d,%d has %v", col, row, part.Rings)
			}
			for _, p := range part.Rings[0] {
				if !slices.Contains(want, p) {
					t.Errorf("cell %d,%d has %v, want %v", col, row, part.Rings, want)
				}
			}
		}
	}
}

// A case whose part was invalid: the area's edge passes a corner of the cell at a distance of a few units in the
// last place.
func TestClipBesideCorner(t *testing.T) {
	g := geomgen.Grid{X0: 0.1, Y0: 0.3, DX: 100, DY: 100, Rotate: 45}
	area := geomgen.Polygon{ringOf(-848.428137423857, -282.542712474619, 1131.470849898476, -282.542712474619, -848.428137423857, 283.14271247461903)}
	if err := checkCover(g, []geomgen.Polygon{area}); err != nil {
		t.Error(err)
	}
}

// Even if neighbouring numbers are far apart compared with the size of a cell, the share is that of the exact
// area, not of its rounded points.
func TestShareFarFromOrigin(t *testing.T) {
	const far = 1e15
	g := geomgen.Grid{X0: far, Y0: far, DX: 8, DY: 8}
	for name, test := range map[string]struct {
		ring []geomgen.Point
		want float64
	}{
		"a square of 2":          {ringOf(far+1, far+1, far+3, far+1, far+3, far+3, far+1, far+3), 0.0625},
		"at the corner":          {ringOf(far-8, far-8, far+2, far-8, far+2, far+2, far-8, far+2), 0.0625},
		"a strip of half a unit": {ringOf(far-8, far, far+16, far, far+16, far+0.5, far-8, far+0.5), 0.0625},
		"a triangle":             {ringOf(far, far, far+4, far, far, far+2), 0.0625},
		// It leaves the cell at a height of 8/3.
		"rounded crossings": {ringOf(far, far, far+24, far, far+24, far+8), 1. / 6},
	} {
		if part := clip(t, g, geomgen.Cell{}, geomgen.Polygon{test.ring}); part.Share != test.want {
			t.Errorf("%s: share %v, want %v", name, part.Share, test.want)
		}
	}
}

// A sliver has a share above 0, and a cell without a sliver has a share below 1, as exact as the number format
// allows.
func TestShareOfSlivers(t *testing.T) {
	g := geomgen.Grid{DX: 1, DY: 1}
	thin := 1e-30
	for name, test := range map[string]struct {
		ring []geomgen.Point
		want float64
	}{
		"a strip":                  {ringOf(-1, 0, 2, 0, 2, thin, -1, thin), thin},
		"the thinnest strip":       {ringOf(-1, 0, 2, 0, 2, 5e-324, -1, 5e-324), 5e-324},
		"a triangle":               {ringOf(0, -1, thin, 0, 0, thin, -1, 0), thin * thin / 2},
		"smaller than any number":  {ringOf(0, 0, 1e-200, 0, 0, 1e-200), 5e-324},
		"all but a strip":          {ringOf(-1, thin, 2, thin, 2, 2, -1, 2), 1 - 0x1p-53},
		"nothing but the side":     {ringOf(-1, -1, 2, -1, 2, 0, -1, 0), 0},
		"all":                      {ringOf(-1, -1, 2, -1, 2, 2, -1, 2), 1},
		"all, with a corner at it": {ringOf(0, 0, 1, 0, 1, 1, 0, 1), 1},
	} {
		if part := clip(t, g, geomgen.Cell{}, geomgen.Polygon{test.ring}); part.Share != test.want {
			t.Errorf("%s: share %v, want %v", name, part.Share, test.want)
		}
	}
}
