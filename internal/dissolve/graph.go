package dissolve

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// graph holds segments between numbered points, each once, with the area on the left.
type graph struct {
	points []geomgen.Point
	edges  []edge
}

// edge is a segment from one point to another: their numbers, the first in the upper half.
type edge uint64

func newEdge(from, to uint32) edge { return edge(from)<<32 | edge(to) }
func (e edge) from() uint32        { return uint32(e >> 32) }
func (e edge) to() uint32          { return uint32(e) }

// newGraph takes over the segments that were not removed.
func newGraph(e *edges) *graph {
	n := 0
	for i := range uint32(len(e.points)) {
		if !e.gone.has(i) {
			n++
		}
	}

	g := &graph{edges: make([]edge, 0, n)}
	numbers := newNumbering(n)
	for i := range uint32(len(e.points)) {
		if !e.gone.has(i) {
			g.edges = append(g.edges, newEdge(numbers.of(e.points[i]), numbers.of(e.points[i+1])))
		}
	}

	g.points = numbers.points
	return g
}

// numbering numbers points from 0. As many segments begin in a point as end there, so there are at
// most as many points as segments.
type numbering struct {
	points []geomgen.Point
	table  []uint32 // numbers plus 1, by hash; 0 for none
	seed   uint64
}

func newNumbering(n int) *numbering {
	size := 8
	for size < n+n/2 {
		size *= 2
	}
	return &numbering{table: make([]uint32, size), seed: rand.Uint64() | 1}
}

func (n *numbering) of(p geomgen.Point) uint32 {
	mask := uint64(len(n.table) - 1)
	for at := hash(p, n.seed) & mask; ; at = (at + 1) & mask {
		switch i := n.table[at]; {
		case i == 0:
			n.points = append(n.points, p)
			n.table[at] = uint32(len(n.points))
			return uint32(len(n.points) - 1)
		case n.points[i-1] == p:
			return i - 1
		}
	}
}

// split divides segments at points that lie on them, and tells whether there were any.
func (g *graph) split(ctx context.Context) (cut bool, err error) {
	tree := newPointTree(ctx, g.points)
	var on []uint32
	for i, e := range g.edges {
		if i%4096 == 0 && ctx.Err() != nil {
			return false, context.Cause(ctx)
		}

		from, to := e.from(), e.to()
		a, b := g.points[from], g.points[to]
		if on = tree.on(on[:0], a, b); len(on) == 0 {
			continue
		}

		slices.SortFunc(on, func(i, k uint32) int { return compareAlong(a, b, g.points[i], g.points[k]) })
		for k, at := range on {
			if cut = true; k == 0 {
				g.edges[i] = newEdge(from, at)
			} else {
				g.edges = append(g.edges, newEdge(from, at))
			}
			from = at
		}
		g.edges = append(g.edges, newEdge(from, to))
	}

	return cut, nil
}

// compareAlong compares points on a segment by their order from a to b.
func compareAlong(a, b, p, q geomgen.Point) int {
	u, v, forward := p.X, q.X, a.X < b.X
	if a.X == b.X {
		u, v, forward = p.Y, q.Y, a.Y < b.Y
	}

	switch {
	case u == v:
		return 0
	case u < v == forward:
		return -1
	}
	return 1
}

// cancel does for a graph what edges.cancel does.
func (g *graph) cancel() bool {
	// Both points, the smaller first, and then the direction.
	for i, e := range g.edges {
		if from, to := e.from(), e.to(); from < to {
			g.edges[i] = edge(from)<<32 | edge(to)<<1
		} else {
			g.edges[i] = edge(to)<<32 | edge(from)<<1 | 1
		}
	}

	slices.Sort(g.edges)
	kept := g.edges[:0]
	for n := 0; n < len(g.edges); n++ {
		e := g.edges[n]
		if n+1 < len(g.edges) && g.edges[n+1]>>1 == e>>1 {
			if g.edges[n+1] == e || n+2 < len(g.edges) && g.edges[n+2]>>1 == e>>1 {
				return false
			}
			n++
			continue
		}

		low, high := uint32(e>>32), uint32(e)>>1
		if e&1 == 0 {
			kept = append(kept, newEdge(low, high))
		} else {
			kept = append(kept, newEdge(high, low))
		}
	}

	g.edges = kept
	return true
}
