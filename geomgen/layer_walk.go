package geomgen

import (
	"math"
	"slices"
)

// layerWalk is the state of a layer in a walk. It is like a maskWalk, but with segments of all features in one
// list, and with a list of the features that contain the present block.
type layerWalk struct {
	layer *Layer
	pairs bool // blocks and cells without a feature are not part of the walk

	states [4 + 3*curveOrder]layerState // of the walk's blocks still to visit
	near   []nearSegment                // the lists of the blocks around the present one
	// The features that contain the whole present block, with no edge near. Those of the blocks around it come
	// first.
	cover []int32
	known [64]knownFeature

	// The block or cell that the walk has yielded.
	state layerState
	cell  cellOwners
}

// layerState is what is known of a block: the segments near it, and how many features of the list contain it.
type layerState struct {
	near  list
	cover int32
}

// knownFeature is whether a feature contains the block that ends before an id, as in a maskWalk.
type knownFeature struct {
	feature int32
	inside  bool
	nextID  int64
}

// look finds the segments near a block and the features that contain it, starting from those of the block around
// it. It returns false if edges are near, or there are too many to decide.
func (w *layerWalk) look(b Block, box Box, whole bool, most int, st *layerState) (decided bool) {
	p := Point{box.XMin, box.YMin}
	if !st.near.made {
		var all bool
		if w.near, all = w.layer.near(w.near[:0], box, most); !all {
			return false
		}
		st.near = list{0, int32(len(w.near)), true}
		w.cover = w.cover[:0]
		w.find(p, w.near)
		st.cover = int32(len(w.cover))
		return len(w.near) == 0
	}

	around := w.near[st.near.from:st.near.to]
	w.near, w.cover = w.near[:st.near.to], w.cover[:st.cover]
	for _, n := range around {
		if w.layer.segment(n).mayIntersect(box) {
			w.near = append(w.near, n)
		}
	}

	here := w.near[st.near.to:]
	if len(here) < len(around) {
		w.inherit(b, p, whole, around, here)
	}
	st.near = list{st.near.to, int32(len(w.near)), true}
	st.cover = int32(len(w.cover))
	return len(here) == 0
}

// find finds the features that contain a block by testing one point of it. Features with an edge near the block
// are not tested.
func (w *layerWalk) find(p Point, near []nearSegment) {
	w.layer.walk(Box{p.X, p.Y, p.X, p.Y}, func(feature int32) bool {
		_, edge := slices.BinarySearchFunc(near, feature, func(n nearSegment, f int32) int { return int(n.feature - f) })
		if !edge && w.layer.containsPoint(feature, p) {
			w.cover = append(w.cover, feature)
		}
		return true
	})
}

// inherit adds, to the features that contain a block, those that have an edge near the block around it but not
// near this one.
func (w *layerWalk) inherit(b Block, p Point, whole bool, around, here []nearSegment) {
	for len(around) > 0 {
		feature := around[0].feature
		around = skip(around, feature)
		if len(here) > 0 && here[0].feature == feature {
			here = skip(here, feature)
			continue
		}

		if w.holds(b, p, whole, feature) {
			w.cover = append(w.cover, feature)
		}
	}
}

// skip returns the list after the segments of a feature.
func skip(near []nearSegment, feature int32) []nearSegment {
	for len(near) > 0 && near[0].feature == feature {
		near = near[1:]
	}
	return near
}

// holds reports whether a feature without an edge near a block contains it. If it is known for the previous
// block, it is the same; otherwise, holds tests a point of the block.
func (w *layerWalk) holds(b Block, p Point, whole bool, feature int32) bool {
	const quadrantCells = 1 << (2 * curveOrder)
	k := &w.known[feature%int32(len(w.known))]
	inside := k.inside
	if !whole || k.feature != feature || k.nextID != b.ID || b.ID%quadrantCells == 0 {
		inside = w.layer.containsPoint(feature, p)
	}

	if whole {
		*k = knownFeature{feature, inside, b.ID + b.Cells()}
	}
	return inside
}

// block decides a block of a walk, whose state is number n. It returns false if the walk may drop it, and
// otherwise whether it is decided.
func (w *layerWalk) block(n int, b Block, r Range, whole bool) (some, decided bool) {
	w.state = w.states[n]
	l := w.layer
	if b.Level == 0 {
		c := Cell{b.Col, b.Row}
		w.cell.reset(l.lattice.convex(l.grid, c), c)
		w.look(b, w.cell.shape.box, true, math.MaxInt, &w.state)
		decided = true
		if w.atEdge() && w.pairs {
			w.selectNear()
		}
	} else {
		decided = w.look(b, l.lattice.around(l.grid.Shape, r.Intersect(b.cells())), whole, maxNear, &w.state)
	}

	return !w.pairs || !decided || w.count() > 0, decided
}

// atEdge reports whether edges are near the present block.
func (w *layerWalk) atEdge() bool { return w.state.near.from < w.state.near.to || !w.state.near.made }

// nearHere returns the segments near the present block, which must have a list.
func (w *layerWalk) nearHere() []nearSegment { return w.near[w.state.near.from:w.state.near.to] }

// count returns how many features the rule selects for each cell of the present block, which must be decided. For
// a cell at an edge, call selectNear first.
func (w *layerWalk) count() int64 {
	n := int64(w.state.cover)
	if w.atEdge() {
		for _, o := range w.cell.near {
			if o.selected {
				n++
			}
		}
	}
	return n
}

// estimate returns bounds and an estimate of the number of pairs in an undecided block with the given number of
// cells.
func (w *layerWalk) estimate(b Block, r Range, cells int64) (least, guess, most int64) {
	if !w.state.near.made {
		l := w.layer
		k := l.countNear(l.lattice.around(l.grid.Shape, r.Intersect(b.cells())))
		most = product(cells, k)

		// A square overlaps (1 + a)^2 cells of a grid on average, if its side is a times theirs. If k squares
		// share the block, a^2 is cells / k.
		a := 1 + math.Sqrt(float64(cells)/float64(max(k, 1)))
		return 0, min(most, int64(min(float64(k)*a*a, math.MaxInt64/2))), most
	}

	k := int64(0)
	for near := w.nearHere(); len(near) > 0; k++ {
		near = skip(near, near[0].feature)
	}
	cover := int64(w.state.cover)
	return product(cells, cover), product(cells, cover) + (product(cells, k)+1)/2, product(cells, cover+k)
}

// product returns a product of counts, or the largest number if it is larger than half of that.
func product(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64/2/b {
		return math.MaxInt64 / 2
	}
	return a * b
}
