package geomgen

import (
	"context"
	"slices"
	"testing"
)

// fuzzedGrids returns grids of each shape, upright and rotated, with representable and other sizes.
func fuzzedGrids() []Grid {
	return []Grid{
		{DX: 1, DY: 1}, {X0: -180, Y0: 0.5, DX: 0.1, DY: 0.7}, {DX: 1, DY: 2, Rotate: 30}, {X0: 1e6, DX: 0.3, DY: 0.3, Rotate: -90},
		{DX: 1, DY: 1, Shape: HexagonFlat}, {X0: 7, DX: 0.1, DY: 0.1, Shape: HexagonFlat, Rotate: 200},
		{Y0: -3, DX: 10.5, DY: 10.5, Shape: HexagonPointy}, {DX: 0.7, DY: 0.7, Shape: HexagonPointy, Rotate: 11}, Tiles(5), Tiles(30),
	}
}

// fuzzedRing makes a ring from bytes: two for each point, in quarters of a cell around the origin.
func fuzzedRing(g Grid, b []byte) []Point {
	var ring []Point
	for i := 0; i+1 < len(b); i += 2 {
		ring = append(ring, Point{g.X0 + float64(int8(b[i]))/4*g.DX, g.Y0 + float64(int8(b[i+1]))/4*g.DY})
	}
	if len(ring) > 0 {
		ring = append(ring, ring[0])
	}
	return ring
}

// FuzzCover walks the cells of a rectangle. An extent, and an area with a hole, may select some of them. It
// compares the walk with a test of each cell: each must come once, in the order of cell_id, in blocks, by
// position, and between any two of them.
func FuzzCover(f *testing.F) {
	square, hole := []byte{0xd0, 0xd0, 48, 0xd0, 48, 48, 0xd0, 48}, []byte{0, 0, 9, 1, 3, 8}
	f.Add(uint8(0), uint8(0), int32(-5), int32(-7), uint8(30), uint8(4), []byte{}, []byte{}, uint16(3), uint16(9))
	f.Add(uint8(0), uint8(0), int32(0), int32(0), uint8(1), uint8(200), []byte{}, []byte{}, uint16(0), uint16(0))
	for i := range fuzzedGrids() {
		for rule := range uint8(6) {
			f.Add(uint8(i), rule, int32(-9), int32(-20), uint8(31), uint8(28), square, hole, uint16(99), uint16(7))
		}
	}

	f.Fuzz(func(t *testing.T, grid, rule uint8, col, row int32, cols, rows uint8, shell, hole []byte, i, j uint16) {
		g := fuzzedGrids()[int(grid)%len(fuzzedGrids())]
		r := Range{MinCol: col >> 1, MinRow: row >> 1}
		var masks []*Mask
		if len(shell) > 0 {
			if masks = fuzzedMasks(g, rule, shell, hole); masks == nil {
				return
			}
			r = Range{MinCol: col % 40, MinRow: row % 40}
			cols, rows = cols%64, rows%64
		}

		r.MaxCol = min(r.MinCol, MaxIndex-int32(cols)) + int32(cols)
		r.MaxRow = min(r.MinRow, MaxIndex-int32(rows)) + int32(rows)
		if g.Shape == XYZ && masks != nil {
			r = r.Intersect(g.World())
		}

		s, err := Select(context.Background(), r, masks...)
		if err != nil {
			t.Fatal(err)
		}
		checkSelection(t, s, selectedIDs(r, masks), int(i), int(j))
	})
}

// fuzzedMasks returns a mask of an area and, for every other rule, one of an extent whose corners are the area's
// first two points. It returns nil if that is not possible.
func fuzzedMasks(g Grid, rule uint8, shell, hole []byte) []*Mask {
	if len(shell) > 64 || len(hole) > 32 {
		return nil
	}

	area := []Polygon{{fuzzedRing(g, shell)}}
	if h := fuzzedRing(g, hole); h != nil {
		area[0] = append(area[0], h)
	}

	m, err := NewMask(g, area, []Rule{Intersects, Within, Centroid, Overlaps}[rule%4])
	if err != nil {
		return nil
	}

	masks := []*Mask{m}
	if p, q := area[0][0][0], area[0][0][2]; rule%6 > 2 {
		if _, extent, err := g.Extent(Box{min(p.X, q.X), min(p.Y, q.Y), max(p.X, q.X), max(p.Y, q.Y)}); err == nil && extent != nil {
			masks = append([]*Mask{extent}, m)
		}
	}

	return masks
}

// selectedIDs returns the cell_ids, in order, of the cells of a rectangle that all masks select, by testing each
// cell.
func selectedIDs(r Range, masks []*Mask) []int64 {
	var ids []int64
	for row := r.MinRow; row < r.MaxRow; row++ {
		for col := r.MinCol; col < r.MaxCol; col++ {
			c := Cell{col, row}
			if !slices.ContainsFunc(masks, func(m *Mask) bool { return !m.Contains(c) }) {
				ids = append(ids, textbookID(c))
			}
		}
	}

	slices.Sort(ids)
	return ids
}

func checkSelection(t *testing.T, s *Selection, ids []int64, i, j int) {
	t.Helper()
	if s.Count() != int64(len(ids)) {
		t.Fatalf("%d cells are counted, want %d", s.Count(), len(ids))
	}
	if got := walkSelection(t, s, 0, MaxID); !slices.Equal(got, ids) {
		t.Fatalf("a walk of %d cells, want each of %d once, in order", len(got), len(ids))
	}
	if len(ids) == 0 {
		return
	}

	i %= len(ids)
	j = i + j%(len(ids)-i)
	if got := walkSelection(t, s, ids[i], ids[j]); !slices.Equal(got, ids[i:j+1]) {
		t.Fatalf("a walk from cell %d to %d: %d cells, want %d", i, j, len(got), j+1-i)
	}

	for _, n := range []int{0, i, j, len(ids) - 1} {
		if got := s.At(int64(n)); got != ids[n] {
			t.Fatalf("At(%d) = %d, want %d", n, got, ids[n])
		}
	}

	for _, level := range []uint8{0, 1, 3, 5} {
		at := int64(0)
		s.Blocks(level, func(b Block, before, count int64) {
			n := int64(0)
			for at+n < int64(len(ids)) && ids[at+n] <= b.Last() {
				n++
			}
			if before != at || count != n || n == 0 || ids[at] < b.ID {
				t.Fatalf("level %d: block %+v has %d cells behind %d, want %d behind %d", level, b, count, before, n, at)
			}
			at += n
		})

		if at != int64(len(ids)) {
			t.Fatalf("the blocks of level %d have %d cells, want %d", level, at, len(ids))
		}
	}
}

// walkSelection returns the cell_ids of a walk. It fails if a block is not what it claims to be, or if a cell
// that is not on the edge of an area is not completely in it.
func walkSelection(t *testing.T, s *Selection, first, last int64) []int64 {
	t.Helper()
	var ids []int64
	order := NewBlockOrder()

	w := s.Walk(first, last)
	for b, ok := w.Next(); ok; b, ok = w.Next() {
		for k, off := range order.Offsets(b) {
			c := b.cell(off)
			if id := textbookID(c); id != b.ID+int64(k) || !s.Contains(c) {
				t.Fatalf("cell %v has id %d, the walk says %d; selected: %v", c, id, b.ID+int64(k), s.Contains(c))
			}

			ids = append(ids, b.ID+int64(k))
			for _, m := range s.masks {
				if w.Edge() {
					continue
				}
				if part, err := NewClipper(m).Clip(c); err != nil || part.Share != 1 {
					t.Fatalf("cell %v is not on the edge, and its share is %v, %v", c, part.Share, err)
				}
			}
		}
	}

	return ids
}
