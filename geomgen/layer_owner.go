package geomgen

import (
	"math/big"
	"slices"
)

// cellOwners decides which features with an edge near a cell own the cell. It reuses its memory from one cell to
// the next.
type cellOwners struct {
	at    Cell
	shape convex
	near  []nearFeature // in order, since the last reset

	mask    Mask // of the present feature
	clipper Clipper
	local   []int32 // nearby segments, by the feature's own indexes
	owners  []Owner
}

// nearFeature is a feature that has an edge near a cell.
type nearFeature struct {
	Owner
	from, to         int32 // its segments in the list of nearby ones
	known            bool  // whether selected is valid
	selected, shared bool  // the rule selects it; Share is computed
}

func (c *cellOwners) reset(shape convex, at Cell) {
	c.shape, c.at, c.near = shape, at, c.near[:0]
}

// group finds the features that have an edge near the present cell.
func (w *layerWalk) group() []nearFeature {
	c := &w.cell
	if len(c.near) > 0 {
		return c.near
	}

	near := w.nearHere()
	for i := 0; i < len(near); {
		from := i
		feature := near[i].feature
		for i++; i < len(near) && near[i].feature == feature; i++ {
		}
		c.near = append(c.near, nearFeature{Owner: Owner{Feature: feature}, from: int32(from), to: int32(i)})
	}
	return c.near
}

// turnTo sets the mask to a feature near the present cell.
func (w *layerWalk) turnTo(f *nearFeature) {
	c, l := &w.cell, w.layer
	c.mask.grid, c.mask.lattice, c.mask.rule = l.grid, l.lattice, l.rule
	c.mask.contour = l.contour(&l.features[f.Feature])
	c.clipper.mask = &c.mask

	c.local = c.local[:0]
	for _, n := range w.nearHere()[f.from:f.to] {
		c.local = append(c.local, n.segment)
	}
}

// selects reports whether the rule selects a feature for the present cell.
func (w *layerWalk) selects(f *nearFeature) bool {
	if !f.known {
		w.turnTo(f)
		f.selected, f.known = w.cell.mask.selects(w.cell.at, &w.cell.shape, w.cell.local), true
	}
	return f.selected
}

// selectNear finds the features that the rule selects for the present cell.
func (w *layerWalk) selectNear() {
	near := w.group()
	for i := range near {
		w.selects(&near[i])
	}
}

// share returns a feature's share of the present cell.
func (w *layerWalk) share(f *nearFeature) float64 {
	if !f.shared {
		w.turnTo(f)
		f.Share, f.shared = w.cell.clipper.shareOf(w.cell.at, &w.cell.shape, w.cell.local), true
	}
	return f.Share
}

// list returns the features that the rule selects for the present block or cell, in order, with their shares.
func (w *layerWalk) list() []Owner {
	owners := w.cell.owners[:0]
	for _, f := range w.cover[:w.state.cover] {
		owners = append(owners, Owner{f, 1})
	}

	if w.atEdge() {
		near := w.group()
		for i := range near {
			if f := &near[i]; w.selects(f) {
				owners = append(owners, Owner{f.Feature, w.share(f)})
			}
		}
	}

	if len(owners) > 1 {
		slices.SortFunc(owners, compareOwners)
	}
	w.cell.owners = owners
	return owners
}

// owner returns the feature that gives the cells of the present block their attributes, or -1 for none.
func (w *layerWalk) owner(rule AttributeRule) int32 {
	first := int32(-1) // of those that contain it
	for _, f := range w.cover[:w.state.cover] {
		if first < 0 || f < first {
			first = f
		}
	}
	if !w.atEdge() {
		return first
	}

	if rule == Largest {
		return w.largest(first)
	}

	centre := w.layer.lattice.centre(w.layer.grid.Shape, w.cell.at)
	near := w.group()
	for i := range near {
		f := &near[i]
		if first >= 0 && f.Feature > first {
			break
		}
		if rule == First && w.selects(f) || rule == AtCentroid && w.layer.containsPoint(f.Feature, centre) {
			return f.Feature
		}
	}
	return first
}

// nearTie is how close two shares must be for fractions to decide which one is larger.
const nearTie = 1e-12

// largest returns the feature with the largest share of the present cell. whole is the first feature that
// contains all of it, or -1.
func (w *layerWalk) largest(whole int32) int32 {
	near := w.group()
	best := (*nearFeature)(nil)
	for i := range near {
		f := &near[i]
		if whole >= 0 && f.Feature > whole {
			break
		}

		switch share := w.share(f); {
		case whole >= 0:
			if share == 1 {
				return f.Feature
			}
		case share == 0:
		case best == nil, share > best.Share+nearTie:
			best = f
		case share >= best.Share-nearTie && w.larger(f, best):
			best = f
		}
	}

	switch {
	case whole >= 0:
		return whole
	case best != nil:
		return best.Feature
	}

	for i := range near {
		if f := &near[i]; w.selects(f) {
			return f.Feature
		}
	}
	return -1
}

// larger reports exactly whether one feature has a larger share of the present cell than another one.
func (w *layerWalk) larger(f, g *nearFeature) bool {
	c := &w.cell.clipper
	if f.Share == 1 || g.Share == 1 {
		return f.Share > g.Share
	}

	sum := func(f *nearFeature) (exactSum, bool) {
		w.turnTo(f)
		c.shareOf(w.cell.at, &w.cell.shape, w.cell.local)
		return c.areaSum()
	}
	if a, ok := sum(f); ok {
		if b, ok := sum(g); ok {
			a.subtract(&b)
			return a.sign() > 0
		}
	}

	fraction := func(f *nearFeature) *big.Rat {
		w.turnTo(f)
		c.shareOf(w.cell.at, &w.cell.shape, w.cell.local)
		return c.areaExact()
	}
	return fraction(f).Cmp(fraction(g)) > 0
}

// shareOf returns the share of a cell that is in the area, as Clip does, but without the part. near has the
// segments near the cell in order.
func (c *Clipper) shareOf(cell Cell, shape *convex, near []int32) float64 {
	c.cell = *shape
	c.near = append(c.near[:0], near...)
	c.pieces, c.ends = c.pieces[:0], c.ends[:0]
	for _, i := range c.near {
		if s := c.mask.contour.segment(i); c.cell.crosses(s) {
			c.addPiece(i, s)
		}
	}

	if len(c.pieces) == 0 {
		if c.mask.containsPoint(c.mask.lattice.centre(c.mask.grid.Shape, cell)) {
			return 1
		}
		return 0
	}

	c.addTouches()
	c.walkRim()
	return c.share()
}

// areaSum returns twice the exact area of the part that shareOf has visited. ok is false if an end of a piece is
// not representable.
func (c *Clipper) areaSum() (sum exactSum, ok bool) {
	for i := range c.ends {
		e := &c.ends[i]
		if e.exact {
			continue
		}

		// It is for two lines along the axes, except near a corner, from which it was moved.
		s := c.mask.contour.segment(c.pieces[e.piece].segment)
		if e.rest != (Point{}) || !c.cell.isBox || s.a.X != s.b.X && s.a.Y != s.b.Y {
			return sum, false
		}
	}

	for i := range c.pieces {
		sum.addCross(c.points(&c.pieces[i]))
	}
	for i, p := range c.rim {
		if p.covered {
			sum.addCross(p.at, c.rim[(i+1)%len(c.rim)].at)
		}
	}
	return sum, true
}
