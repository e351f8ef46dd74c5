package geomgen_test

import (
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// FuzzClip clips rotated squares, hexagons and other cells by a ring through corners of the same grid, or a few
// units in the last place away from them, with a hole. The parts must be valid, fit together and add up, in
// fractions.
func FuzzClip(f *testing.F) {
	f.Add(uint8(0), 45.0, 0.1, 0.3, []byte{0, 0, 0, 0, 6, 0, 1, 0, 0, 5, 2, 9}, []byte{})
	f.Add(uint8(1), 0.0, 1e3, 1e9, []byte{1, 2, 3, 0, 7, 3, 1, 0, 5, 6, 2, 0}, []byte{})
	f.Add(uint8(2), 12.5, 4e6, 1e5, []byte{0, 0, 0, 1, 9, 0, 1, 2, 9, 9, 2, 3, 0, 9, 3, 4}, []byte{3, 3, 0, 0, 6, 3, 0, 0, 6, 6, 0, 0})
	f.Add(uint8(3), -90.0, 1e15, -1e15, []byte{0, 0, 0, 24, 9, 1, 1, 3, 4, 8, 2, 40}, []byte{})
	f.Add(uint8(0), 1e-14, 0.1, 0.2, []byte{2, 4, 1, 0, 3, 0, 0, 11, 5, 1, 2, 48}, []byte{})

	f.Fuzz(func(t *testing.T, kind uint8, rotate, x0, y0 float64, shell, hole []byte) {
		size := []float64{1, 0.1, 30, 100}[kind>>2&3]
		g := geomgen.Grid{X0: x0, Y0: y0, DX: size, DY: size, Rotate: rotate,
			Shape: []geomgen.Shape{geomgen.Square, geomgen.HexagonFlat, geomgen.HexagonPointy, geomgen.Square}[kind&3]}
		if g.Validate() != nil || len(shell) > 40 || len(hole) > 20 {
			return
		}

		// For each corner: column, row, which corner of the cell, and how far away from it.
		ring := func(b []byte) []geomgen.Point {
			var points []geomgen.Point
			for ; len(b) >= 4; b = b[4:] {
				corners := g.AppendCorners(nil, geomgen.Cell{Col: int32(b[0]%7) - 3, Row: int32(b[1]%7) - 3})
				p := corners[int(b[2])%len(corners)]
				points = append(points, geomgen.Point{X: nudge(p.X, int(b[3]%7)-3), Y: nudge(p.Y, int(b[3]/7%7)-3)})
			}
			if len(points) > 0 {
				points = append(points, points[0])
			}
			return points
		}

		area := geomgen.Polygon{ring(shell)}
		if h := ring(hole); len(h) > 0 {
			area = append(area, h)
		}
		if geomgen.CheckPolygons([]geomgen.Polygon{area}) != nil {
			return
		}
		if _, err := g.Around(boxOf(area[0])); err != nil {
			return
		}
		if err := checkCover(g, []geomgen.Polygon{area}); err != nil {
			t.Errorf("%v\ngrid %+v area %v", err, g, area)
		}
	})
}

func boxOf(ring []geomgen.Point) geomgen.Box {
	b := geomgen.Box{XMin: ring[0].X, YMin: ring[0].Y, XMax: ring[0].X, YMax: ring[0].Y}
	for _, p := range ring {
		b.XMin, b.YMin = min(b.XMin, p.X), min(b.YMin, p.Y)
		b.XMax, b.YMax = max(b.XMax, p.X), max(b.YMax, p.Y)
	}
	return b
}
