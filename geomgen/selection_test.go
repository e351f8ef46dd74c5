package geomgen

import (
	"context"
	"errors"
	"testing"
)

// The blocks of each level contain all cells, in order, and their outlines reach no further than the cells.
func TestBlocksAndOutlines(t *testing.T) {
	r := Range{MinCol: -3, MinRow: 2, MaxCol: 38, MaxRow: 3 + 10}
	for name, g := range map[string]Grid{"boxes": {DX: 2, DY: 3}, "turned": {DX: 2, DY: 3, Rotate: 90}, "pointy": {DX: 1, DY: 1, Shape: HexagonPointy}} {
		s, err := Select(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}

		around := g.BoxAround(r)
		for level := range uint8(8) {
			sum := int64(0)
			s.Blocks(level, func(b Block, before, n int64) {
				if before != sum || n < 1 || n > b.Cells() {
					t.Fatalf("%s, level %d: %d cells come before, %d are in it; %d were there", name, level, before, n, sum)
				}

				sum += n
				outline := g.AppendOutline(nil, b, r)
				if len(outline) < 4 {
					t.Fatalf("%s, level %d: the outline has %d corners", name, level, len(outline))
				}

				const slack = 1e-9
				for _, p := range outline {
					if p.X < around.XMin-slack || p.X > around.XMax+slack || p.Y < around.YMin-slack || p.Y > around.YMax+slack {
						t.Errorf("%s, level %d: %v lies outside of %v", name, level, p, around)
					}
				}
			})

			if sum != r.Count() {
				t.Errorf("%s, level %d: %d cells of %d", name, level, sum, r.Count())
			}
		}
	}

	if out := (Grid{DX: 1, DY: 1}).AppendOutline(nil, Block{Col: 64, Row: 64, Level: 2}, r); len(out) != 0 {
		t.Errorf("a block elsewhere has an outline: %v", out)
	}
}

// The bounds of an estimate contain the exact count, whatever its limit, and its blocks and positions agree with
// its count.
func TestEstimate(t *testing.T) {
	area := []Polygon{{{{X: 10.3, Y: 7.1}, {X: 900.2, Y: 40}, {X: 700, Y: 640.9}, {X: 450.5, Y: 201}, {X: 33, Y: 800.7}, {X: 10.3, Y: 7.1}}}}
	for _, g := range []Grid{{DX: 1, DY: 1}, {DX: 0.7, DY: 2.1, Rotate: 33}, {DX: 1, DY: 1, Shape: HexagonFlat}} {
		for _, rule := range []Rule{Intersects, Within, Centroid, Overlaps} {
			m, err := NewMask(g, area, rule)
			if err != nil {
				t.Fatal(err)
			}
			r, err := g.AroundIn(g.World(), m.Bounds())
			if err != nil {
				t.Fatal(err)
			}
			exact, err := Select(t.Context(), r, m)
			if err != nil {
				t.Fatal(err)
			}

			spread := exact.Count() * 1000
			for _, blocks := range []int{0, 1, 5, 50, 500, 5000, 10_000_000} {
				s, err := Estimate(t.Context(), blocks, r, m)
				if err != nil {
					t.Fatal(err)
				}

				least, most := s.Bounds()
				if least > exact.Count() || most < exact.Count() || s.Count() < least || s.Count() > most || most-least > spread {
					t.Errorf("%+v, %s, %d blocks: %d between %d and %d, exactly %d", g, rule, blocks, s.Count(), least, most, exact.Count())
				}
				if blocks > 10 { // the first of them make a first picture
					spread = most - least
				}
				checkEstimate(t, s)
			}
			if spread != 0 {
				t.Errorf("%+v, %s: enough blocks are %d apart", g, rule, spread)
			}
		}
	}
}

func checkEstimate(t *testing.T, s *Selection) {
	t.Helper()
	for level := range uint8(12) {
		sum := int64(0)
		s.Blocks(level, func(b Block, before, n int64) {
			if before != sum || n < 1 || n > b.Cells() {
				t.Fatalf("level %d: %d cells come before, %d are in it; %d were there", level, before, n, sum)
			}
			sum += n
		})
		if sum != s.Count() && s.floor != curveOrder {
			t.Fatalf("level %d: %d cells of %d", level, sum, s.Count())
		}
	}

	last := int64(-1)
	for _, n := range []int64{0, 1, s.Count() / 3, s.Count() / 2, s.Count() - 1} {
		id := s.At(n)
		if c, ok := CellOf(id); !ok || !s.Range().Contains(c) || id < last {
			t.Fatalf("the cell at %d of %d is %d, which is none of %v or before %d", n, s.Count(), id, s.Range(), last)
		}
		last = id
	}
}

// The time for an estimate does not depend on the size of cells.
func TestEstimateIsBounded(t *testing.T) {
	const blocks = 3000
	area := []Polygon{{{{X: 1, Y: 2}, {X: 10, Y: 3}, {X: 7, Y: 9}, {X: 1, Y: 2}}}}
	for _, size := range []float64{1, 1e-2, 1e-4, 1e-6, 2e-8} {
		g := Grid{DX: size, DY: size, Rotate: 10}
		m, err := NewMask(g, area, Intersects)
		if err != nil {
			t.Fatal(err)
		}
		r, err := g.AroundIn(g.World(), m.Bounds())
		if err != nil {
			t.Fatal(err)
		}

		for floor := range uint8(curveOrder + 1) {
			if _, seen, err := (&Selection{cells: r, masks: []*Mask{m}}).counted(t.Context(), floor, blocks); err != nil || seen > blocks {
				t.Errorf("cells of %g, blocks of level %d: %d blocks are looked at, %v", size, floor, seen, err)
			}
		}

		s, err := Estimate(t.Context(), blocks, r, m)
		if err != nil {
			t.Fatal(err)
		}
		least, most := s.Bounds()
		if exact := 28.5 / size / size; size < 0.01 && (float64(least) > exact || float64(most) < exact || float64(most-least) > exact) {
			t.Errorf("cells of %g: %d to %d, and about %g", size, least, most, exact)
		}
	}
}

func TestEstimateEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	m, err := NewMask(Grid{DX: 1, DY: 1}, []Polygon{{{{X: 1, Y: 2}, {X: 10, Y: 3}, {X: 7, Y: 9}, {X: 1, Y: 2}}}}, Intersects)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Estimate(ctx, 1000, Range{MaxCol: 20, MaxRow: 20}, m); !errors.Is(err, why) {
		t.Errorf("the error is %v", err)
	}
}
