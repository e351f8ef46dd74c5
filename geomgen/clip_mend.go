package geomgen

import (
	"errors"
	"math"
)

// delicate tells whether rounding may have changed more than places: whether a
// piece or a stretch of the cell's edge that moved with a rounded end comes near a
// point that is not its own. On its way to the rounded place an end moves by less
// than one unit in the last place, so where nothing is within four of them nothing
// meets, and the part is as valid as before.
func (c *Clipper) delicate() bool {
	b := c.cell.box
	reach := 0x1p-50 * max(math.Abs(b.XMin), math.Abs(b.XMax), math.Abs(b.YMin), math.Abs(b.YMax))
	rounded := false
	c.spots = c.spots[:0]
	for i := range c.pieces {
		if p := &c.pieces[i]; p.enter < 0 {
			c.spots = append(c.spots, c.mask.outline.segments[p.segment].a)
		}
	}
	inside := len(c.spots)
	for i := range c.ends {
		rounded = rounded || !c.ends[i].exact
		c.spots = append(c.spots, c.ends[i].at)
	}
	if !rounded {
		return false
	}
	if !c.cell.isBox {
		c.spots = append(c.spots, c.cell.corners[:c.cell.n]...)
	}

	for i := range c.rim { // two crossings that are one point
		p, q := &c.rim[i], &c.rim[(i+1)%len(c.rim)]
		if p.at == q.at && !(c.exactPlace(p) && c.exactPlace(q)) {
			return true
		}
	}
	for i := range c.pieces {
		p := &c.pieces[i]
		if p.enter >= 0 && !c.ends[p.enter].exact || p.leave >= 0 && !c.ends[p.leave].exact {
			if from, to := c.points(p); from == to || c.crowded(from, to, reach) {
				return true
			}
		}
	}

	return !c.cell.isBox && c.rimCrowded(inside, reach)
}

func (c *Clipper) exactPlace(p *place) bool { return p.end < 0 || c.ends[p.end].exact }

// crowded tells whether a point is near a line that does not begin or end there.
func (c *Clipper) crowded(from, to Point, reach float64) bool {
	b := segment{from, to}.box()
	b = Box{b.XMin - reach, b.YMin - reach, b.XMax + reach, b.YMax + reach}
	far := reach * (math.Abs(to.X-from.X) + math.Abs(to.Y-from.Y))
	for _, p := range c.spots {
		if p.X < b.XMin || p.X > b.XMax || p.Y < b.YMin || p.Y > b.YMax || p == from || p == to {
			continue
		}
		if d, off := det(from, to, p); math.Abs(d) <= far+off {
			return true
		}
	}
	return false
}

// rimCrowded is crowded for the cell's edge, where a side that is not along an axis
// gets a bend at a rounded end. The first of the spots are those inside the cell.
func (c *Clipper) rimCrowded(inside int, reach float64) bool {
	for i := range c.rim {
		p, q := &c.rim[i], &c.rim[(i+1)%len(c.rim)]
		if c.exactPlace(p) && c.exactPlace(q) || p.at.X == q.at.X || p.at.Y == q.at.Y {
			continue
		}
		if c.crowded(p.at, q.at, reach) {
			return true
		}
	}
	for i := range c.ends {
		for _, p := range c.spots[:inside] {
			if p == c.ends[i].at {
				return true
			}
		}
	}
	return false
}

// mesh is lines between points, which divide a cell.
type mesh struct {
	lines []line
	queue []int // the lines that are not where the area and the grid have them
	// The cell's edge as rounded, closed, and its points.
	rim  []Point
	onIt map[Point]bool
}

// line is a line of a mesh. winding is how much more often the area goes round the
// places on its left than round those on its right: 1 for an edge of the area that
// has it on the left, 0 for a stretch of the cell's edge beside which there is
// none.
type line struct {
	segment
	winding int
	fixed   bool // on the cell's edge
}

// mend makes the rings of a part of which rounded points may cross, touch or hold
// lines that they should not. It leaves the cell's edge as it is, which the cells
// beyond have as well. What lies in it is its own: points that rounding has put
// outside come back, lines that cross are led through the nearer of their ends, and
// what the area then goes round is the part. Such a division by lines that meet in
// common ends alone has valid polygons.
//
// The cell's edge itself does not cross itself: along a side both coordinates of
// the rounded points rise or fall, and beside a corner they stay in the quadrant of
// their side (see crossSide), of which each side there has its own.
func (c *Clipper) mend() error {
	m := &mesh{onIt: make(map[Point]bool)}
	for i, p := range c.rim {
		q := c.rim[(i+1)%len(c.rim)]
		m.onIt[p.at] = true
		m.rim = append(m.rim, p.at)
		if p.at != q.at {
			l := line{segment: segment{p.at, q.at}, fixed: true}
			if p.covered {
				l.winding = 1
			}
			m.add(l, !c.exactPlace(&p) || !c.exactPlace(&q))
		}
	}
	m.rim = append(m.rim, m.rim[0])

	moved := make(map[Point]Point)
	for i := range c.pieces {
		from, to := c.points(&c.pieces[i])
		from, to = m.within(from, moved), m.within(to, moved)
		l := line{segment: segment{from, to}, winding: 1}
		if from != to {
			m.add(l, l.segment != c.mask.outline.segments[c.pieces[i].segment])
		}
	}

	if err := m.node(); err != nil {
		return err
	}
	m.merge()
	m.trace(&c.rings)

	return nil
}

func (m *mesh) add(l line, moved bool) {
	if moved {
		m.queue = append(m.queue, len(m.lines))
	}
	m.lines = append(m.lines, l)
}

// within returns a point, or where it lies outside of the rounded cell or on its
// edge, but not at a point of it, one beside it that is inside.
func (m *mesh) within(p Point, moved map[Point]Point) Point {
	if m.onIt[p] {
		return p
	}
	if q, ok := moved[p]; ok {
		return q
	}

	best, found := p, false
	if in, _ := insideRing(m.rim, p); !in {
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

// beside returns the nearest point inside that is some steps of the number format
// away.
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

// node divides lines until they meet in common ends alone. A line is led through
// the end of another only where both of its halves become shorter than it was. Of
// two lines that cross, one always can be: the four ends make a convex
// quadrilateral, which has an angle of 90 degrees or more. As there are only so many
// points, that comes to an end, but for the cell's edge, which is not led anywhere.
func (m *mesh) node() error {
	most := 1000 + 50*len(m.lines)
	for len(m.queue) > 0 {
		i := m.queue[len(m.queue)-1]
		m.queue = m.queue[:len(m.queue)-1]
		for k := 0; k < len(m.lines); k++ {
			n, via, found := m.conflict(i, k)
			if !found {
				continue
			}
			if most--; most < 0 {
				return errMesh
			}

			second := m.lines[n]
			m.lines[n].b, second.a = via, via
			m.lines = append(m.lines, second)
			m.queue = append(m.queue, len(m.lines)-1)
			if n == i {
				k = -1 // what is left of it is another line
			} else {
				m.queue = append(m.queue, n)
			}
		}
	}
	return nil
}

// conflict looks at two lines, and returns the number of the one to divide, and
// where.
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

	// The nearest of the ends that make both halves shorter, else the nearest.
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

// holds tells whether a point on the line through a segment lies on the segment,
// and is not an end of it.
func (s segment) holds(p Point) bool {
	return p != s.a && p != s.b && s.box().intersects(Box{p.X, p.Y, p.X, p.Y})
}

// merge makes one line of those between the same two points, and keeps the edges
// of what the area goes round, with it on their left.
func (m *mesh) merge() {
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

	m.lines = m.lines[:0]
	for _, l := range merged {
		if l.winding == 0 {
			continue
		}
		right := windingRightOf(merged, l.segment)
		switch left := right + l.winding; {
		case left > 0 && right <= 0:
			m.lines = append(m.lines, l)
		case left <= 0 && right > 0:
			l.a, l.b = l.b, l.a
			m.lines = append(m.lines, l)
		}
	}
}

// windingRightOf returns how often lines go round the place right beside one of
// them, which goes up, or to the right where it is level: then all is seen in a
// mirror.
func windingRightOf(lines []line, of segment) int {
	level := of.a.Y == of.b.Y
	seen := func(p Point) Point {
		if level {
			return Point{p.Y, p.X}
		}
		return p
	}

	a, b := seen(of.a), seen(of.b)
	n, own := 0, 0
	for _, l := range lines {
		p, q := seen(l.a), seen(l.b)
		if l.segment == of {
			own = l.winding
		}
		up := q.Y > a.Y
		if up == (p.Y > a.Y) {
			continue
		}

		crossed, top := false, q
		if !up {
			top = p
		}
		if where := side(p, q, a); where == 0 {
			crossed = side(a, b, top) < 0
		} else {
			crossed = (where > 0) == up
		}
		switch {
		case crossed && up:
			n += l.winding
		case crossed:
			n -= l.winding
		}
	}

	if level { // right in the mirror is left
		return -n - own
	}
	return n
}

// trace follows the lines to rings: in each point to the line next to the one it
// came by, across the area.
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
