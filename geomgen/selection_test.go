package geomgen

import (
	"context"
	"testing"
)

// The blocks of each level hold all cells, in order, and their outlines reach no
// further than the cells do.
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
