package geomgen

import "math"

// maxMasks is the most masks of a walk: an extent's and an area's.
const maxMasks = 2

// Walker visits cells in the order of cell_id. Make it with Range.Walk or Selection.Walk.
type Walker struct {
	r           Range
	first, last int64
	// The blocks still to visit, the next one on top. Each level below the quadrants adds three to the four of
	// them.
	todo  [4 + 3*curveOrder]pending
	n     int
	edge  bool
	masks [maxMasks]maskWalk
	layer *layerWalk // nil without a layer
	// floor is the level below which blocks are not divided. open reports whether that left the last block
	// undecided, by a mask or only by the layer.
	floor        uint8
	open, masked bool
}

// pending is a block still to visit.
type pending struct {
	Block
	undecided uint8 // a bit for each mask that has not decided the whole block
	near      [maxMasks]list
}

// Walk returns a Walker over the cells of r whose cell_id is in [first, last]. Use Walk(0, MaxID) for all of
// them.
func (r Range) Walk(first, last int64) *Walker {
	return newWalker(r, nil, first, last)
}

func newWalker(r Range, masks []*Mask, first, last int64) *Walker {
	w := &Walker{r: r, first: first, last: last, n: 4}
	undecided := uint8(0)
	for i, m := range masks {
		w.masks[i].mask = m
		undecided |= 1 << i
	}

	for q := range int32(4) {
		w.todo[3-q] = pending{Block: quadrant(q), undecided: undecided}
	}
	return w
}

// Next returns the next block, all of whose cells belong to the walk. Blocks come in the order of cell_id, no
// cell comes twice, and no block is larger than MaxBlockLevel. Next drops whole blocks outside and, with a mask,
// does not divide blocks inside. So the cost of a walk depends on its cells and their boundary, not on what is
// around them. With a layer, all cells of a block are completely in the same features, or the block is a single
// cell.
func (w *Walker) Next() (b Block, ok bool) {
	for w.n > 0 {
		if b, _, ok = w.step(MaxBlockLevel); ok {
			return b, true
		}
	}
	return Block{}, false
}

// Edge reports whether the block that Next returned is a single cell that the edge of an area may cross. The
// cells of other blocks are completely in the area.
func (w *Walker) Edge() bool { return w.edge }

// step visits one block. It yields the block with the number of its cells that belong to the walk, drops it, or
// replaces it by its quarters. In yielded blocks up to MaxBlockLevel, all cells belong to the walk; in larger
// ones, for counting, some may not.
func (w *Walker) step(maxLevel uint8) (b Block, cells int64, ok bool) {
	w.n--
	e := w.todo[w.n]
	b = e.Block
	if b.ID > w.last || b.Last() < w.first {
		return b, 0, false
	}

	cells = w.r.countIn(b)
	if cells == 0 {
		return b, 0, false
	}

	w.edge, w.open = false, false
	if e.undecided != 0 && !w.test(&e, cells == b.Cells()) {
		return b, 0, false
	}

	undecided := e.undecided != 0
	if w.layer != nil {
		some, decided := w.layer.block(w.n, b, w.r, cells == b.Cells())
		if !some {
			return b, 0, false
		}
		undecided = undecided || !decided
	}

	whole := b.ID >= w.first && b.Last() <= w.last
	if maxLevel <= MaxBlockLevel {
		whole = whole && cells == b.Cells()
	}
	if whole && !undecided && b.Level <= maxLevel {
		return b, cells, true
	}
	if undecided && b.Level <= w.floor {
		w.open, w.masked = true, e.undecided != 0
		return b, cells, true
	}

	for d := int32(3); d >= 0; d-- {
		w.todo[w.n] = pending{Block: b.quarter(d), undecided: e.undecided, near: e.near}
		if w.layer != nil {
			w.layer.states[w.n] = w.layer.state
		}
		w.n++
	}

	return b, 0, false
}

// weigh returns how much the cells of a block from step count, with bounds: all of them, or half if the block is
// undecided. In a walk of pairs, each cell counts as often as there are features.
func (w *Walker) weigh(b Block, cells int64) (least, count, most int64) {
	n := cells
	if w.layer != nil && w.layer.pairs {
		if w.open && (w.layer.atEdge() || !w.masked) {
			if least, count, most = w.layer.estimate(b, w.r, cells); w.masked {
				least = 0
			}
			return least, count, most
		}
		n = product(cells, w.layer.count())
	}

	if w.open {
		return 0, (n + 1) / 2, n
	}
	return n, n, n
}

// Owners returns the features that the layer's rule selects for the cells of the block that Next returned, in
// order, with the share of each. The slice belongs to the walker and is valid until the next call of Next.
// Without a layer, it is empty.
func (w *Walker) Owners() []Owner {
	if w.layer == nil {
		return nil
	}
	return w.layer.list()
}

// Owner returns the feature that gives the cells of the block that Next returned their attributes, by a rule. It
// returns -1 for none, and without a layer.
func (w *Walker) Owner(rule AttributeRule) int32 {
	if w.layer == nil {
		return -1
	}
	return w.layer.owner(rule)
}

// test decides a block by its undecided masks. It returns false if one of them selects none of its cells. A mask
// that selects all of them becomes decided. For a single cell, all masks become decided.
func (w *Walker) test(e *pending, whole bool) bool {
	for i := range w.masks {
		if e.undecided&(1<<i) == 0 {
			continue
		}

		m := &w.masks[i]
		if e.Level == 0 {
			in, edge := m.cell(e, &e.near[i])
			if !in {
				return false
			}
			w.edge = w.edge || edge
			e.undecided &^= 1 << i
			continue
		}

		switch m.block(e, &e.near[i], w.r, whole) {
		case outside:
			return false
		case inside:
			e.undecided &^= 1 << i
		}
	}

	return true
}

// verdict is a mask's decision about a block.
type verdict uint8

const (
	onEdge verdict = iota // the mask may select some of its cells but not others
	outside
	inside
)

// list is the part of a maskWalk's segments near a block. A block near more segments than fit has none.
type list struct {
	from, to int32
	made     bool
}

// maxNear is the most segments of a list. Blocks near more segments are large and few, and use the index.
const maxNear = 64

// maskWalk is the state of a mask in a walk, which goes from a block to its quarters, and from the segments near
// it to fewer and fewer.
type maskWalk struct {
	mask *Mask
	near []int32 // the lists of the blocks around the present one
	// nextID is the cell_id after the last decided block, and last is the verdict for that block. The block that
	// begins there is adjacent, so with no edge near it has the same verdict.
	nextID int64
	last   verdict
}

// block decides a block, or finds the segments near it.
func (m *maskWalk) block(e *pending, near *list, r Range, whole bool) verdict {
	box := m.mask.blockBox(e.Block, r)
	if m.gather(near, box); near.from < near.to || !near.made {
		return onEdge
	}
	return m.decide(e, whole, Point{box.XMin, box.YMin})
}

// decide decides a block without a nearby edge, by testing one point of it.
func (m *maskWalk) decide(e *pending, whole bool, p Point) verdict {
	const quadrantCells = 1 << (2 * curveOrder)
	v := m.last
	if !whole || m.nextID != e.ID || e.ID%quadrantCells == 0 || v == onEdge {
		v = outside
		if m.mask.containsPoint(p) {
			v = inside
		}
	}

	m.nextID, m.last = 0, onEdge
	if whole {
		m.nextID, m.last = e.ID+e.Cells(), v
	}

	return v
}

// gather makes the list of the segments near a box from the list of the block around it, or from the index.
func (m *maskWalk) gather(near *list, box Box) {
	if near.made {
		from := near.to
		m.near = m.near[:from]
		for _, i := range m.near[near.from:near.to] {
			if m.mask.contour.segment(i).mayIntersect(box) {
				m.near = append(m.near, i)
			}
		}
		*near = list{from, int32(len(m.near)), true}
		return
	}

	m.near = m.near[:0]
	var all bool
	if m.near, all = m.mask.collect(m.near, box, maxNear); all {
		*near = list{0, int32(len(m.near)), true}
	}
}

// cell decides a single cell, and reports whether an edge is near.
func (m *maskWalk) cell(e *pending, near *list) (in, edge bool) {
	c := Cell{e.Col, e.Row}
	v := m.mask.lattice.convex(m.mask.grid, c)
	if near.made {
		m.gather(near, v.box)
	} else {
		m.near, _ = m.mask.collect(m.near[:0], v.box, math.MaxInt)
		*near = list{0, int32(len(m.near)), true}
	}

	if near.from == near.to {
		return m.decide(e, true, v.corners[0]) == inside, false
	}
	return m.mask.selects(c, &v, m.near[near.from:near.to]), true
}
