package geomgen

import (
	"math"
	"slices"
)

// layerWalk is a layer at work in a walk: as a maskWalk, with segments of all features in one
// list, and with a list of the features that hold the block in work.
type layerWalk struct {
	layer *Layer
	pairs bool // blocks and cells without a feature are not part of the walk

	states [4 + 3*curveOrder]layerState // of the walk's blocks still to visit
	near   []nearSegment                // the lists of the blocks that the one in work is a part of
	// The features that hold the block in work, whole, with no edge near: of the blocks around
	// it first.
	cover []int32
	known [64]knownFeature

	// The block or cell that the walk has yielded.
	state layerState
	cell  cellOwners
}

// layerState is what is known of a block: the segments near it, and how many features of the
// list hold it.
type layerState struct {
	near  list
	cover int32
}

// knownFeature says of a feature whether it holds the block that ends before an id, as a
// maskWalk does.
type knownFeature struct {
	feature int32
	inside  bool
	nextID  int64
}

// look finds the segments near a block and the features that hold it, given those of the
// block around it. It returns false where there are edges near, or too many to tell.
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

// find finds the features that hold a block, by one point of it. Those with an edge near it
// do not.
func (w *layerWalk) find(p Point, near []nearSegment) {
	w.layer.walk(Box{p.X, p.Y, p.X, p.Y}, func(feature int32) bool {
		_, edge := slices.BinarySearchFunc(near, feature, func(n nearSegment, f int32) int { return int(n.feature - f) })
		if !edge && w.layer.containsPoint(feature, p) {
			w.cover = append(w.cover, feature)
		}
		return true
	})
}

// inherit adds the features to those that hold a block which have an edge near the block
// around it, but not here.
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

// skip returns what follows the segments of a feature in a list.
func skip(near []nearSegment, feature int32) []nearSegment {
	for len(near) > 0 && near[0].feature == feature {
		near = near[1:]
	}
	return near
}

// holds tells whether a feature without an edge near holds a block: as it does the one before,
// where that is known, or else by a point of it.
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

// block decides a block of a walk, whose state is the n-th. It returns false where the walk
// may drop it, and whether it is decided else.
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

// atEdge tells whether edges are near the block in work.
func (w *layerWalk) atEdge() bool { return w.state.near.from < w.state.near.to || !w.state.near.made }

// nearHere returns the segments near the block in work, of which there is a list.
func (w *layerWalk) nearHere() []nearSegment { return w.near[w.state.near.from:w.state.near.to] }

// count returns the number of features that the rule selects for each cell of the block in
// work, which is decided; of a cell at an edge after selectNear.
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

// estimate returns bounds and a guess of the number of pairs in a block that is not decided
// and has so many cells.
func (w *layerWalk) estimate(b Block, r Range, cells int64) (least, guess, most int64) {
	if !w.state.near.made {
		l := w.layer
		k := l.countNear(l.lattice.around(l.grid.Shape, r.Intersect(b.cells())))
		most = product(cells, k)

		// A square overlaps (1 + a)^2 cells of a grid, on average, if its side is a of theirs; of
		// k that share the block a^2 is cells / k.
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

// product returns a product of counts, or the largest number where it is larger than half of
// that.
func product(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64/2/b {
		return math.MaxInt64 / 2
	}
	return a * b
}
