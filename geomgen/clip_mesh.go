package geomgen

import (
	"context"
	"errors"
	"math"
)

// mesh is a set of lines between points, which divide a cell.
type mesh struct {
	cell  *convex
	lines []line
	index lineIndex
	queue []int // lines that are not where the area and the grid have them
	// The cell's edge after rounding, closed, and its points.
	rim  []Point
	onIt map[Point]bool
}

// line is a line of a mesh. winding is how much more often the area winds around the places on its left than
// around those on its right. It is 1 for an edge of the area, which is to its left, and 0 for a stretch of the
// cell's edge without area next to it.
type line struct {
	segment
	winding int
	fixed   bool // on the cell's edge
}

func (m *mesh) add(l line, moved bool) {
	if moved {
		m.queue = append(m.queue, len(m.lines))
	}
	m.lines = append(m.lines, l)
}

// within returns p if p is inside the rounded cell or one of its points. If p is outside or elsewhere on the
// edge, it returns a nearby point inside.
func (m *mesh) within(p Point, moved map[Point]Point) Point {
	if m.onIt[p] {
		return p
	}
	if q, ok := moved[p]; ok {
		return q
	}

	best, found := p, false
	if !m.deep(p) {
		if in, _ := insideRing(m.rim, p); in {
			moved[p] = p
			return p
		}
		for reach := 1; reach <= 4 && !found; reach++ {
			best, found = m.beside(p, reach)
		}
		if !found {
			best = m.nearest(p)
		}
	}
	moved[p] = best
	return best
}

// deep reports whether a point is so far inside the cell that it is also inside the rounded cell.
func (m *mesh) deep(p Point) bool {
	b := m.cell.box
	reach := 0x1p-50 * max(math.Abs(b.XMin), math.Abs(b.XMax), math.Abs(b.YMin), math.Abs(b.YMax))
	for i := range m.cell.n {
		from, to := m.cell.side(i)
		d, off := det(from, to, p)
		if !(d > off+reach*(math.Abs(to.X-from.X)+math.Abs(to.Y-from.Y))) {
			return false
		}
	}
	return true
}

// beside returns the nearest point inside that is a few steps of the number format away.
func (m *mesh) beside(p Point, reach int) (best Point, found bool) {
	least := math.Inf(1)
	for i := -reach; i <= reach; i++ {
		for k := -reach; k <= reach; k++ {
			q := Point{steps(p.X, i), steps(p.Y, k)}
			if d := math.Hypot(q.X-p.X, q.Y-p.Y); d < least {
				if in, _ := insideRing(m.rim, q); in {
					best, found, least = q, true, d
				}
			}
		}
	}
	return best, found
}

func (m *mesh) nearest(p Point) Point {
	best, least := m.rim[0], math.Inf(1)
	for _, q := range m.rim {
		if d := math.Hypot(q.X-p.X, q.Y-p.Y); d < least {
			best, least = q, d
		}
	}
	return best
}

// steps returns the number that is n steps of the number format away.
func steps(f float64, n int) float64 {
	for ; n > 0; n-- {
		f = math.Nextafter(f, math.Inf(1))
	}
	for ; n < 0; n++ {
		f = math.Nextafter(f, math.Inf(-1))
	}
	return f
}

// errMesh means that lines still cross after more steps than there can be.
var errMesh = errors.New("the edge of the area crosses itself when it is rounded")

// node divides lines until they meet only in common ends. It routes a line through the end of another one only if
// both halves become shorter than the line was. Of two lines that cross, that is always possible for one: the
// four ends form a convex quadrilateral, which has an angle of at least 90 degrees. There are only finitely many
// points, so node terminates. The cell's edge is never rerouted.
func (m *mesh) node(ctx context.Context) error {
	m.index = newLineIndex(ctx, m.lines)
	most := 1000 + 50*len(m.lines)
	var near []int
	for steps := 1; len(m.queue) > 0; steps++ {
		if steps%256 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}

		i := m.queue[len(m.queue)-1]
		m.queue = m.queue[:len(m.queue)-1]
		near = m.index.near(near[:0], m.lines, m.lines[i].box())
		for at := 0; at < len(near); at++ {
			n, via, found := m.conflict(i, near[at])
			if !found {
				continue
			}
			if most--; most < 0 {
				return errMesh
			}

			if m.divide(n, via); n == i { // the rest of it is another line
				near, at = m.index.near(near[:0], m.lines, m.lines[i].box()), -1
			} else {
				m.queue = append(m.queue, n)
			}
		}
	}
	return nil
}

// divide routes a line through a point. Its second half is a new line.
func (m *mesh) divide(n int, via Point) {
	second := m.lines[n]
	m.lines[n].b, second.a = via, via
	m.lines = append(m.lines, second)
	m.queue = append(m.queue, len(m.lines)-1)
	m.index.divided(n, len(m.lines)-1, m.lines[n].box().union(second.box()))
}

// conflict compares two lines, and returns the number of the line to divide, and where.
func (m *mesh) conflict(i, k int) (n int, via Point, found bool) {
	s, t := &m.lines[i], &m.lines[k]
	if i == k || s.fixed && t.fixed || !s.box().intersects(t.box()) {
		return 0, Point{}, false
	}

	sa, sb := side(t.a, t.b, s.a), side(t.a, t.b, s.b)
	ta, tb := side(s.a, s.b, t.a), side(s.a, s.b, t.b)
	switch {
	case !s.fixed && ta == 0 && s.holds(t.a):
		return i, t.a, true
	case !s.fixed && tb == 0 && s.holds(t.b):
		return i, t.b, true
	case !t.fixed && sa == 0 && t.holds(s.a):
		return k, s.a, true
	case !t.fixed && sb == 0 && t.holds(s.b):
		return k, s.b, true
	case sa*sb >= 0 || ta*tb >= 0:
		return 0, Point{}, false
	}

	// The nearest of the ends that make both halves shorter, or else the nearest one.
	best := math.Inf(1)
	for _, try := range [...]struct {
		n       int
		of      *line
		through Point
	}{{i, s, t.a}, {i, s, t.b}, {k, t, s.a}, {k, t, s.b}} {
		if try.of.fixed {
			continue
		}
		a, b, p := try.of.a, try.of.b, try.through
		d, _ := det(a, b, p)
		d = math.Abs(d) / math.Hypot(b.X-a.X, b.Y-a.Y)
		if !((a.X-p.X)*(b.X-p.X)+(a.Y-p.Y)*(b.Y-p.Y) <= 0) {
			d += math.MaxFloat64 / 4
		}
		if d < best || !found {
			best, n, via, found = d, try.n, p, true
		}
	}
	return n, via, true
}

// holds reports whether a point on the line through a segment is on the segment without being an end of it.
func (s segment) holds(p Point) bool {
	return p != s.a && p != s.b && s.box().intersects(Box{p.X, p.Y, p.X, p.Y})
}

// merge combines the lines between the same two points into one, and keeps those that are edges of the area, with
// the area to their left.
func (m *mesh) merge(ctx context.Context) error {
	place := make(map[segment]int)
	var merged []line
	for _, l := range m.lines {
		if l.a.Y > l.b.Y || l.a.Y == l.b.Y && l.a.X > l.b.X {
			l.a, l.b, l.winding = l.b, l.a, -l.winding
		}
		if i, ok := place[l.segment]; ok {
			merged[i].winding += l.winding
		} else {
			place[l.segment] = len(merged)
			merged = append(merged, l)
		}
	}

	winding, err := windingsRight(ctx, merged)
	m.lines = m.lines[:0]
	for i, l := range merged {
		if l.winding == 0 {
			continue
		}
		right := int(winding[i])
		switch left := right + l.winding; {
		case left > 0 && right <= 0:
			m.lines = append(m.lines, l)
		case left <= 0 && right > 0:
			l.a, l.b = l.b, l.a
			m.lines = append(m.lines, l)
		}
	}

	return err
}

// windingsRight returns how often lines wind around the place directly to the right of each line. The lines must
// meet only in common ends.
func windingsRight(ctx context.Context, lines []line) ([]int32, error) {
	s := sweep{segments: make([]segment, len(lines)), weight: make([]int32, len(lines)), winding: make([]int32, len(lines))}
	for i, l := range lines {
		s.segments[i], s.weight[i] = l.segment, int32(l.winding)
		s.vertices = append(s.vertices, vertex{l.a, [2]int32{int32(i), -1}}, vertex{l.b, [2]int32{int32(i), -1}})
	}

	return s.winding, s.run(ctx)
}

// trace follows the lines to rings. At each point it continues, across the area, with the line next to the one on
// which it arrived.
func (m *mesh) trace(r *rings) {
	from := make(map[Point][]int)
	for i, l := range m.lines {
		from[l.a] = append(from[l.a], i)
	}

	used := make([]bool, len(m.lines))
	for i := range m.lines {
		if used[i] {
			continue
		}

		r.begin()
		for at := i; !used[at]; {
			l := m.lines[at]
			used[at] = true
			r.add(l.a)
			next := -1
			for _, k := range from[l.b] {
				if next < 0 || between(l.b, m.lines[next].b, l.a, m.lines[k].b) {
					next = k
				}
			}
			at = next
		}
		r.end()
	}
}
