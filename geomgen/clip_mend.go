package geomgen

import (
	"context"
	"math"
	"slices"
)

// delicate reports whether rounding may have changed more than positions: whether a piece, or a stretch of the
// cell's edge, that moved with a rounded end comes near a point that is not its own. An end moves by less than
// one unit in the last place. If there is nothing within four of them, nothing meets, and the part is as valid as
// before.
func (c *Clipper) delicate(ctx context.Context) bool {
	b := c.cell.box
	reach := 0x1p-50 * max(math.Abs(b.XMin), math.Abs(b.XMax), math.Abs(b.YMin), math.Abs(b.YMax))
	rounded := false
	c.spots = c.spots[:0]
	for i := range c.pieces {
		if p := &c.pieces[i]; p.enter < 0 {
			c.spots = append(c.spots, c.mask.contour.segment(p.segment).a)
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

	c.index = nil
	if len(c.spots) > few {
		points := make([]segment, len(c.spots))
		for i, p := range c.spots {
			points[i] = segment{p, p}
		}
		index := newTree(ctx, points)
		c.index = &index
	}

	for i := range c.rim { // two crossings that coincide
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

// crowded reports whether a point is near a line that does not begin or end there.
func (c *Clipper) crowded(from, to Point, reach float64) bool {
	b := segment{from, to}.box()
	b = Box{b.XMin - reach, b.YMin - reach, b.XMax + reach, b.YMax + reach}
	far := reach * (math.Abs(to.X-from.X) + math.Abs(to.Y-from.Y))
	near := func(p Point) bool {
		if p.X < b.XMin || p.X > b.XMax || p.Y < b.YMin || p.Y > b.YMax || p == from || p == to {
			return false
		}
		d, off := det(from, to, p)
		return math.Abs(d) <= far+off
	}

	if c.index == nil {
		return slices.ContainsFunc(c.spots, near)
	}

	found := false
	c.index.walk(b, func(items []int32) bool {
		found = slices.ContainsFunc(items, func(i int32) bool { return near(c.spots[i]) })
		return !found
	})
	return found
}

// rimCrowded is crowded for the cell's edge, where a side that is not along an axis gets a bend at a rounded end.
// The first of the spots are the ones inside the cell.
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
	if len(c.ends) == 0 {
		return false
	}

	at := make(map[Point]bool, len(c.ends))
	for i := range c.ends {
		at[c.ends[i].at] = true
	}
	return slices.ContainsFunc(c.spots[:inside], func(p Point) bool { return at[p] })
}

// repair builds the rings of a part whose rounded points may cross, touch or contain lines that they must not. It
// does not change the cell's edge, which the neighbouring cells also have. Inside the cell, repair is free: it
// brings back points that rounding has put outside, routes crossing lines through the nearer of their ends, and
// takes as the part what the area then surrounds. A subdivision by lines that meet only in common ends has valid
// polygons.
//
// The cell's edge does not cross itself: along a side, both coordinates of the rounded points are monotone, and
// near a corner they stay in the quadrant of their side (see crossSide), which no other side there shares.
func (c *Clipper) repair(ctx context.Context) error {
	m := &mesh{cell: &c.cell, onIt: make(map[Point]bool)}
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
			m.add(l, l.segment != c.mask.contour.segment(c.pieces[i].segment))
		}
	}

	if err := m.node(ctx); err != nil {
		return err
	}
	if err := m.merge(ctx); err != nil {
		return err
	}
	m.trace(&c.rings)

	return nil
}
