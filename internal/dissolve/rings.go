package dissolve

import (
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// rings combines the segments into rings that visit no point twice. ok is false if segments cross.
// If several rings meet in a point, each incoming segment continues with the next outgoing one on
// its left, with only the area in between. So the interior of each ring is connected, and a ring
// that touches itself from outside becomes a shell and holes.
func (g *graph) rings() (rings [][]geomgen.Point, ok bool) {
	slices.Sort(g.edges)
	first := make([]uint32, len(g.points)+1) // for each point, the first segment that begins there
	for _, e := range g.edges {
		first[e.from()+1]++
	}
	for i := range len(g.points) {
		first[i+1] += first[i]
	}

	next, ok := g.turns(first)
	if !ok {
		return nil, false
	}

	w := walk{graph: g, first: first, next: next, used: newBits(len(g.edges)), at: map[uint32]int{}, room: make([]geomgen.Point, 0, len(g.edges)+len(g.edges)/4+1)}
	for i := range uint32(len(g.edges)) {
		if !w.used.has(i) && !w.follow(i) {
			return nil, false
		}
	}

	return w.rings, true
}

// turns returns the next segment for each segment that ends in a point where several begin.
func (g *graph) turns(first []uint32) (next map[uint32]uint32, ok bool) {
	in := make(map[uint32][]uint32)
	for i, e := range g.edges {
		if at := e.to(); first[at+1]-first[at] > 1 {
			in[at] = append(in[at], uint32(i))
		}
	}

	next = make(map[uint32]uint32)
	for at, list := range in {
		if !g.turnsAt(at, list, first[at], first[at+1], next) {
			return nil, false
		}
	}

	return next, true
}

// way is a direction in which a segment enters or leaves a point.
type way struct {
	edge uint32
	out  bool
	to   geomgen.Point // the segment's other end
}

// turnsAt finds, among the outgoing segments of a point, the next one for each incoming segment.
func (g *graph) turnsAt(at uint32, in []uint32, first, end uint32, next map[uint32]uint32) bool {
	if len(in) != int(end-first) {
		return false
	}

	ways := make([]way, 0, 2*len(in))
	for _, i := range in {
		ways = append(ways, way{i, false, g.points[g.edges[i].from()]})
	}
	for i := first; i < end; i++ {
		ways = append(ways, way{i, true, g.points[g.edges[i].to()]})
	}

	p := g.points[at]
	slices.SortFunc(ways, func(v, w way) int { return compareWays(p, v.to, w.to) })
	for n, w := range ways {
		if w.out {
			continue
		}

		follow := ways[(n+len(ways)-1)%len(ways)] // clockwise, left of the incoming segment
		if !follow.out {
			return false
		}
		next[w.edge] = follow.edge
	}

	return true
}

// compareWays orders the directions from a point to others counter-clockwise, starting from the
// left.
func compareWays(p, q, r geomgen.Point) int {
	if a, b := below(p, q), below(p, r); a != b {
		if a {
			return -1
		}
		return 1
	}
	return -geomgen.Side(p, q, r)
}

// below tells whether q lies below p, or on its left at the same height.
func below(p, q geomgen.Point) bool { return q.Y < p.Y || q.Y == p.Y && q.X < p.X }

// walk follows segments, and collects rings.
type walk struct {
	graph *graph
	first []uint32
	next  map[uint32]uint32
	used  bits

	stack []uint32       // the points of the path so far
	at    map[uint32]int // the indexes in stack of points that the path may visit twice
	rings [][]geomgen.Point
	room  []geomgen.Point // memory for points of rings
}

// follow follows a segment until the path is back at its start, and makes a ring of each part of
// the path that returns to a point.
func (w *walk) follow(start uint32) bool {
	w.stack = w.stack[:0]
	clear(w.at)
	for i := start; ; {
		if w.used.has(i) {
			if i != start {
				return false
			}
			break
		}
		w.used.set(i)
		w.arrive(w.graph.edges[i].from())

		to := w.graph.edges[i].to()
		from, end := w.first[to], w.first[to+1]
		switch {
		case from == end:
			return false
		case end-from == 1:
			i = from
		default:
			i = w.next[i]
		}
	}

	w.close(w.stack)
	return true
}

// arrive adds a point to the path.
func (w *walk) arrive(p uint32) {
	if w.first[p+1]-w.first[p] > 1 {
		if at, ok := w.at[p]; ok {
			w.close(w.stack[at:])
			for _, q := range w.stack[at+1:] {
				delete(w.at, q)
			}
			w.stack = w.stack[:at+1]
			return
		}
		w.at[p] = len(w.stack)
	}

	w.stack = append(w.stack, p)
}

// close makes a ring.
func (w *walk) close(points []uint32) {
	from := len(w.room)
	for _, p := range points {
		w.room = append(w.room, w.graph.points[p])
	}
	w.room = append(w.room, w.graph.points[points[0]])
	w.rings = append(w.rings, w.room[from:len(w.room):len(w.room)])
}
