package geomgen_test

import (
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
)

// FuzzMask draws a ring, with a hole, through points on or near a lattice of half cells, and checks one cell by
// each rule in fractions.
func FuzzMask(f *testing.F) {
	f.Add(uint8(0), []byte{0, 0, 8, 0, 8, 8, 0, 8}, []byte{2, 2, 4, 2, 4, 4}, int8(1), int8(1), 0.0)
	f.Add(uint8(5), []byte{0, 0, 8, 0, 8, 8, 0, 8}, []byte{2, 2, 4, 3, 3, 5}, int8(1), int8(2), 1e-17)
	f.Add(uint8(3), []byte{1, 1, 9, 2, 4, 7}, []byte{}, int8(2), int8(1), 0.25)

	f.Fuzz(func(t *testing.T, shape uint8, shell, hole []byte, col, row int8, off float64) {
		grids := []geomgen.Grid{
			{DX: 1, DY: 1}, {DX: 0.1, DY: 0.1}, {DX: 1, DY: 1, Rotate: 30}, {X0: -180, DX: 0.3, DY: 0.7},
			{DX: 1, DY: 1, Shape: geomgen.HexagonFlat}, {DX: 0.1, DY: 0.1, Shape: geomgen.HexagonPointy, Rotate: -7},
		}

		g := grids[int(shape)%len(grids)]
		if !(off > -1 && off < 1) || len(shell) > 32 || len(hole) > 16 {
			return
		}

		ring := func(b []byte) []geomgen.Point {
			var points []geomgen.Point
			for i := 0; i+1 < len(b); i += 2 {
				x, y := float64(b[i]%24)/2-4, float64(b[i+1]%24)/2-4
				points = append(points, geomgen.Point{X: g.X0 + x*g.DX + off*g.DX, Y: g.Y0 + y*g.DY})
			}

			if len(points) > 0 {
				points = append(points, points[0])
			}
			return points
		}

		area := []geomgen.Polygon{{ring(shell)}}
		if h := ring(hole); len(h) > 0 {
			area[0] = append(area[0], h)
		}
		if geomgen.CheckPolygons(area) != nil {
			return
		}

		judge := oracle.NewArea(area)
		c := geomgen.Cell{Col: int32(col % 8), Row: int32(row % 8)}
		corners := g.AppendCorners(nil, c)
		for _, rule := range []geomgen.Rule{geomgen.Intersects, geomgen.Within, geomgen.Centroid, geomgen.Overlaps} {
			want := judge.Selects(g, c, rule)
			m, err := geomgen.NewMask(g, area, rule)
			if err != nil {
				t.Fatal(err)
			}

			if got := m.Contains(c); got != want {
				t.Errorf("%s of cell %v is %v, want %v: %v", rule, c, got, want, area)
			}
			part, err := geomgen.NewClipper(m).Clip(c)
			if err != nil {
				t.Fatal(err)
			}

			// Only a whole cell is exactly 1.
			if judge.Covers(corners) != (part.Share == 1) || part.Share > 0 && !judge.Intersects(corners) {
				t.Errorf("share %v of cell %v: %v", part.Share, c, area)
			}
		}
	})
}
