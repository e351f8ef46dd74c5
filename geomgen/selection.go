package geomgen

import (
	"context"
	"math"
	"sort"
)

// Selection is cells of a grid: those of a rectangle that each mask selects. A selection of
// pairs has such a cell once for each feature of a layer that the layer's rule selects.
type Selection struct {
	cells Range
	masks []*Mask
	layer *Layer
	pairs bool
	count int64
	marks []mark
	// least and most are bounds of the count, which are equal where it is exact. Blocks of
	// level floor that no mask has decided then count half; 0 is for exact.
	least, most int64
	floor       uint8
}

// mark says how many cells of a selection come before an id.
type mark struct{ id, before int64 }

const (
	// maxMarks bounds what a selection remembers of its count: a megabyte.
	maxMarks = 1 << 16
	// firstSpacing is how many cells lie between two marks to begin with.
	firstSpacing = 1 << 10
)

// Select returns the cells of r that all of the masks select, two masks at most.
// With a mask it counts them, which takes as long as the boundary of its area is
// long, in cells, and ends early when ctx does.
func Select(ctx context.Context, r Range, masks ...*Mask) (*Selection, error) {
	s, _, err := (&Selection{cells: r, masks: masks}).counted(ctx, 0, math.MaxInt)
	return s, err
}

// Estimate is Select within a bound: it looks at no more than one and a half times so many
// blocks, however small the cells are. Where so many are enough, the selection is that of
// Select. Else its count is an estimate with Bounds: the blocks are as small as the bound
// allows, and each of those that the boundary may run through counts half.
func Estimate(ctx context.Context, blocks int, r Range, masks ...*Mask) (*Selection, error) {
	return (&Selection{cells: r, masks: masks}).estimated(ctx, blocks)
}

// estimated returns a selection of which nothing is counted yet with an Estimate.
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

// counted returns a selection of which nothing is counted yet with its count, by blocks of
// level floor or larger. It returns how many blocks it has looked at, and no selection where
// that would be more than a bound.
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

// rectangle tells whether the selection is all cells of a rectangle, each once.
func (s *Selection) rectangle() bool { return len(s.masks) == 0 && !s.pairs }

// plus64 returns a sum of counts, or the largest number where it is larger.
func plus64(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// around returns a rectangle that has the cells of both in it.
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

// Range returns the smallest rectangle that all cells of the selection lie in.
func (s *Selection) Range() Range { return s.cells }

// Count returns the number of cells, or of pairs: of an Estimate about how many, between its Bounds.
func (s *Selection) Count() int64 { return s.count }

// Bounds returns what this number lies between. They are equal where it is exact.
func (s *Selection) Bounds() (least, most int64) { return s.least, s.most }

// Contains tells whether a cell is one of the selection.
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

// Walk returns a Walker over those cells of the selection whose cell_id lies in
// [first, last]. For all of them: Walk(0, MaxID).
func (s *Selection) Walk(first, last int64) *Walker {
	w := newWalker(s.cells, s.masks, first, last)
	if s.layer != nil {
		w.layer = &layerWalk{layer: s.layer, pairs: s.pairs}
	}
	return w
}

// walkBlocks is Walk for counting, with blocks that are not decided where the count is an
// estimate.
func (s *Selection) walkBlocks(first int64) *Walker {
	w := newWalker(s.cells, s.masks, first, MaxID)
	if s.pairs {
		w.layer = &layerWalk{layer: s.layer, pairs: true}
	}
	w.floor = s.floor
	return w
}

// At returns the cell_id of the cell that has n cells of the selection before it
// in the order of cell_id; of pairs, that of the n-th pair. n lies in [0, Count()-1]. Of an
// Estimate it is the id of a cell of the rectangle that lies about there.
func (s *Selection) At(n int64) int64 {
	id, _ := s.CellAt(n)
	return id
}

// CellAt is At, with the number of pairs that come before those of the cell: so one knows where
// a chunk that begins with a cell begins. Of a selection of cells that is n.
func (s *Selection) CellAt(n int64) (id, before int64) {
	if s.rectangle() {
		return s.cells.At(n), n
	}

	all := n
	if len(s.marks) == 0 {
		return s.cells.At(min(2*n, s.cells.Count()-1)), all // nothing is known but the rectangle
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

			each := max(1, count/k) // pairs of a cell
			at := min(n/each, k-1)
			return s.cells.atIn(b, at), all - n + at*each
		}
		n -= count
	}

	return -1, all
}

// Blocks calls visit for each block of a level that has cells of the selection in
// it, in the order of cell_id, with the number of cells in it and of those before.
// It takes as long as counting does. Of an Estimate the blocks may be of a higher level.
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

// AppendOutline appends the corners of a box around those cells of a block that lie
// in r. The box turns with the grid; that of a single cell is the cell. Nothing is
// appended where no cell lies in both.
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
