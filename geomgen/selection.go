package geomgen

import (
	"context"
	"math"
	"sort"
)

// Selection is a set of cells of a grid: the cells of a rectangle that each mask selects. A selection of pairs
// contains such a cell once for each feature of a layer that the layer's rule selects.
type Selection struct {
	cells Range
	masks []*Mask
	layer *Layer
	pairs bool
	count int64
	marks []mark
	// least and most are bounds of the count, and equal if it is exact. If floor is not 0, blocks of level floor
	// that no mask has decided count half.
	least, most int64
	floor       uint8
}

// mark is how many cells of a selection come before an id.
type mark struct{ id, before int64 }

const (
	// maxMarks limits what a selection remembers of its count to a megabyte.
	maxMarks = 1 << 16
	// firstSpacing is the initial number of cells between two marks.
	firstSpacing = 1 << 10
)

// Select returns the cells of r that all of the masks select. There may be at most two masks. With a mask, Select
// counts the cells, which takes time in proportion to the length of the area's boundary in cells. It stops if ctx
// ends.
func Select(ctx context.Context, r Range, masks ...*Mask) (*Selection, error) {
	s, _, err := (&Selection{cells: r, masks: masks}).counted(ctx, 0, math.MaxInt)
	return s, err
}

// Estimate is Select with limited work: it visits at most one and a half times the given number of blocks,
// however small the cells are. If that is enough, the selection is the same as from Select. Otherwise, its count
// is an estimate with Bounds. The blocks are then as small as the limit allows, and each block that the boundary
// may run through counts half.
func Estimate(ctx context.Context, blocks int, r Range, masks ...*Mask) (*Selection, error) {
	return (&Selection{cells: r, masks: masks}).estimated(ctx, blocks)
}

// estimated returns an Estimate of a selection that is not counted yet.
func (s *Selection) estimated(ctx context.Context, blocks int) (*Selection, error) {
	c, _, err := s.counted(ctx, 0, blocks)
	if c != nil || err != nil {
		return c, err
	}

	// Each level takes about twice as long as the one above.
	left := blocks / 2
	best := *s
	best.count, best.most, best.floor = (s.cells.Count()+1)/2, s.cells.Count(), curveOrder
	if s.pairs {
		best.most = product(best.most, int64(s.layer.Features()))
	}

	for floor := uint8(curveOrder); floor > 0; floor-- {
		c, seen, err := s.counted(ctx, floor, left)
		if err != nil {
			return nil, err
		}
		if c == nil {
			break
		}
		best, left = *c, left-seen
	}
	return &best, nil
}

// counted returns an uncounted selection with its count, by blocks of level floor or larger. It returns how many
// blocks it visited. If that would exceed a limit, it returns no selection.
func (s *Selection) counted(ctx context.Context, floor uint8, blocks int) (*Selection, int, error) {
	r := s.cells
	s = &Selection{cells: r, masks: s.masks, layer: s.layer, pairs: s.pairs, floor: floor}
	if s.rectangle() {
		s.count, s.floor = r.Count(), 0
		s.least, s.most = s.count, s.count
		return s, 0, nil
	}

	w := s.walkBlocks(0)
	var tight Range
	spacing := int64(firstSpacing)
	next := int64(0)
	seen := 0

	for ; w.n > 0; seen++ {
		if seen%64 == 0 && ctx.Err() != nil {
			return nil, seen, context.Cause(ctx)
		}
		if seen == blocks {
			return nil, seen, nil
		}

		b, n, ok := w.step(curveOrder)
		if !ok {
			continue
		}

		if s.count >= next {
			if len(s.marks) == maxMarks {
				for i := range maxMarks / 2 {
					s.marks[i] = s.marks[2*i]
				}
				s.marks = s.marks[:maxMarks/2]
				spacing *= 2
			}
			s.marks = append(s.marks, mark{b.ID, s.count})
			next = s.count + spacing
		}

		least, n, most := w.weigh(b, n)
		s.least, s.count, s.most = plus64(s.least, least), plus64(s.count, n), plus64(s.most, most)
		tight = tight.around(b.cells().Intersect(r))
	}

	if s.least == s.most {
		s.floor = 0
	}
	s.cells = tight
	return s, seen, nil
}

// rectangle reports whether the selection is all cells of a rectangle, each once.
func (s *Selection) rectangle() bool { return len(s.masks) == 0 && !s.pairs }

// plus64 returns a sum of counts, or the largest number if it overflows.
func plus64(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// around returns a rectangle that contains the cells of both.
func (r Range) around(o Range) Range {
	if r.Count() == 0 {
		return o
	}
	return Range{min(r.MinCol, o.MinCol), min(r.MinRow, o.MinRow), max(r.MaxCol, o.MaxCol), max(r.MaxRow, o.MaxRow)}
}

// cells returns the cells of a block.
func (b Block) cells() Range {
	side := int32(1) << b.Level
	return Range{b.Col, b.Row, b.Col + side, b.Row + side}
}

// Range returns the smallest rectangle around all cells of the selection.
func (s *Selection) Range() Range { return s.cells }

// Count returns the number of cells, or of pairs. For an Estimate, it is an approximate number between its
// Bounds.
func (s *Selection) Count() int64 { return s.count }

// Bounds returns the least and the most that Count can be. They are equal if it is exact.
func (s *Selection) Bounds() (least, most int64) { return s.least, s.most }

// Contains reports whether the selection contains a cell.
func (s *Selection) Contains(c Cell) bool {
	if !s.cells.Contains(c) {
		return false
	}
	for _, m := range s.masks {
		if !m.Contains(c) {
			return false
		}
	}
	return !s.pairs || s.layer.selects(c)
}

// Walk returns a Walker over the cells of the selection whose cell_id is in [first, last]. Use Walk(0, MaxID) for
// all of them.
func (s *Selection) Walk(first, last int64) *Walker {
	w := newWalker(s.cells, s.masks, first, last)
	if s.layer != nil {
		w.layer = &layerWalk{layer: s.layer, pairs: s.pairs}
	}
	return w
}

// walkBlocks is Walk for counting. If the count is an estimate, it includes undecided blocks.
func (s *Selection) walkBlocks(first int64) *Walker {
	w := newWalker(s.cells, s.masks, first, MaxID)
	if s.pairs {
		w.layer = &layerWalk{layer: s.layer, pairs: true}
	}
	w.floor = s.floor
	return w
}

// At returns the cell_id of the cell with n cells of the selection before it in the order of cell_id; for pairs,
// of pair n. n must be in [0, Count()-1]. For an Estimate, it is the id of a cell of the rectangle at about that
// position.
func (s *Selection) At(n int64) int64 {
	id, _ := s.CellAt(n)
	return id
}

// CellAt is At, and also returns how many pairs come before the pairs of the cell. That is where a chunk begins
// that starts with this cell. For a selection of cells, it is n.
func (s *Selection) CellAt(n int64) (id, before int64) {
	if s.rectangle() {
		return s.cells.At(n), n
	}

	all := n
	if len(s.marks) == 0 {
		return s.cells.At(min(2*n, s.cells.Count()-1)), all // nothing is known except the rectangle
	}

	m := s.marks[sort.Search(len(s.marks), func(i int) bool { return s.marks[i].before > n })-1]
	n -= m.before
	w := s.walkBlocks(m.id)
	for w.n > 0 {
		b, k, ok := w.step(curveOrder)
		if !ok {
			continue
		}

		_, count, _ := w.weigh(b, k)
		if n < count {
			if !s.pairs {
				return s.cells.atIn(b, n), all
			}

			each := max(1, count/k) // pairs per cell
			at := min(n/each, k-1)
			return s.cells.atIn(b, at), all - n + at*each
		}
		n -= count
	}

	return -1, all
}

// Blocks calls visit for each block of a level that contains cells of the selection, in the order of cell_id,
// with the number of cells in the block and the number of cells before it. It takes as long as counting does. For
// an Estimate, the blocks may be of a higher level.
func (s *Selection) Blocks(level uint8, visit func(b Block, before, count int64)) {
	level = max(level, s.floor)
	w := s.walkBlocks(0)
	var at Block
	var before, n int64
	for w.n > 0 {
		b, k, ok := w.step(level)
		if !ok {
			continue
		}

		if id := b.ID >> (2 * level) << (2 * level); n == 0 || id != at.ID {
			if n > 0 {
				visit(at, before, n)
			}
			side := int32(1)<<level - 1
			at = Block{ID: id, Col: b.Col &^ side, Row: b.Row &^ side, Level: level}
			before, n = before+n, 0
		}
		_, count, _ := w.weigh(b, k)
		n += count
	}

	if n > 0 {
		visit(at, before, n)
	}
}

// AppendOutline appends the corners of a box around the cells of a block that are in r. The box rotates with the
// grid; for a single cell, it is the cell itself. If no cell is in both, nothing is appended.
func (g Grid) AppendOutline(dst []Point, b Block, r Range) []Point {
	r = r.Intersect(b.cells())
	switch r.Count() {
	case 0:
		return dst
	case 1:
		return g.AppendCorners(dst, Cell{r.MinCol, r.MinRow})
	}

	l := g.lattice()
	k0, m0, k1, m1 := g.Shape.span(r)
	return append(dst, l.at(k0, m0), l.at(k1, m0), l.at(k1, m1), l.at(k0, m1))
}
