package geomgen

import (
	"context"
	"errors"
	"testing"
)

// An extent between two lines that are equal within the tolerance contains no cell. All shapes report that.
func TestThinExtents(t *testing.T) {
	for _, shape := range []Shape{Square, HexagonFlat, HexagonPointy} {
		_, _, err := (Grid{DX: 1, DY: 1, Shape: shape}).Extent(Box{XMin: 0, YMin: 0, XMax: 1e-10, YMax: 1})
		var param *ParamError
		if !errors.As(err, &param) || param.Param != "extent" {
			t.Errorf("%s: %v", shape, err)
		}
	}
}

// An extent rotated with its grid has the same columns and rows, whether its bounds are on lines or slightly off,
// as decimal ones are.
func TestExtentOfQuarterTurns(t *testing.T) {
	turned := map[float64]func(b Box) Box{
		90:   func(b Box) Box { return Box{-b.YMax, b.XMin, -b.YMin, b.XMax} },
		-270: func(b Box) Box { return Box{-b.YMax, b.XMin, -b.YMin, b.XMax} },
		180:  func(b Box) Box { return Box{-b.XMax, -b.YMax, -b.XMin, -b.YMin} },
		-180: func(b Box) Box { return Box{-b.XMax, -b.YMax, -b.XMin, -b.YMin} },
		270:  func(b Box) Box { return Box{b.YMin, -b.XMax, b.YMax, -b.XMin} },
		-90:  func(b Box) Box { return Box{b.YMin, -b.XMax, b.YMax, -b.XMin} },
	}
	for _, shape := range []Shape{Square, HexagonFlat, HexagonPointy} {
		for _, e := range []Box{{0, 0, 1, 1}, {0.3, 0.3, 0.7, 0.6}, {-1.1, -0.7, 2.3, 0.9}, {0.25, -0.15, 0.35, 0.05}, {-0.3 + 1e-11, 0.1 - 1e-11, 0.8, 0.9}} {
			g := Grid{DX: 0.1, DY: 0.1, Shape: shape}
			want := extentCells(t, g, e)
			for angle, turn := range turned {
				g.Rotate = angle
				if got := extentCells(t, g, turn(e)); got != want {
					t.Errorf("%s, %v turned by %v: %d cells, want %d", shape, e, angle, got, want)
				}
			}
		}
	}
}

func extentCells(t *testing.T, g Grid, e Box) int64 {
	t.Helper()
	r, m, err := g.Extent(e)
	if err != nil {
		t.Fatal(err)
	}
	if m == nil {
		return r.Count()
	}

	s, err := Select(context.Background(), r, m)
	if err != nil {
		t.Fatal(err)
	}
	return s.Count()
}

// The rectangle of a grid rotated by right angles is what the rule of an extent selects, if no bound is near a
// line.
func TestExtentOfQuarterTurnsAgainstMask(t *testing.T) {
	e := Box{-3.17, -1.41, 2.63, 4.89}
	for _, angle := range []float64{90, 180, 270, -90, -180, -270} {
		g := Grid{X0: 0.1, Y0: -0.2, DX: 0.5, DY: 0.3, Rotate: angle}
		r, m, err := g.Extent(e)
		if err != nil || m != nil {
			t.Fatal(m, err)
		}

		if m, err = NewMask(g, []Polygon{e.polygon()}, Overlaps); err != nil {
			t.Fatal(err)
		}
		for c := (Cell{r.MinCol - 2, 0}); c.Col < r.MaxCol+2; c.Col++ {
			for c.Row = r.MinRow - 2; c.Row < r.MaxRow+2; c.Row++ {
				if m.Contains(c) != r.Contains(c) {
					t.Fatalf("turned by %v: cell %v is in %+v: %v", angle, c, r, r.Contains(c))
				}
			}
		}
	}
}
