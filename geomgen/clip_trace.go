package geomgen

import (
	"errors"
	"slices"
)

// errOrder means that the ends of chains do not alternate along a cell's edge, as they do for a valid area.
var errOrder = errors.New("the edge of the area leaves the cell twice without entering it between")

// place is a point of the cell's edge: a corner or an end.
type place struct {
	at      Point
	end     int32 // -1 for a corner
	covered bool  // the area is next to the cell's edge from here to the next place
}

// walkRim sorts the ends along the cell's edge, and walks along it.
func (c *Clipper) walkRim() {
	c.order, c.at, c.rim = c.order[:0], c.at[:0], c.rim[:0]
	for i := range c.ends {
		c.order, c.at = append(c.order, int32(i)), append(c.at, 0)
	}
	slices.SortFunc(c.order, func(i, j int32) int { return c.compareEnds(&c.ends[i], &c.ends[j]) })

	i := 0
	for k := range c.cell.n {
		corner := c.cell.corners[k]
		if i == len(c.order) || c.ends[c.order[i]].side != k || c.ends[c.order[i]].at != corner {
			c.rim = append(c.rim, place{at: corner, end: -1})
		}
		for ; i < len(c.order) && c.ends[c.order[i]].side == k; i++ {
			c.at[c.order[i]] = len(c.rim)
			c.rim = append(c.rim, place{at: c.ends[c.order[i]].at, end: c.order[i]})
		}
	}

	c.cover()
}

// cover finds where the area is next to the cell's edge: from where a chain leaves it to where one enters.
// Without a chain, it is all of the edge or none.
func (c *Clipper) cover() {
	covered, known := false, false
	for i := len(c.rim) - 1; i >= 0 && !known; i-- {
		if e := c.rim[i].end; e >= 0 && c.ends[e].piece >= 0 {
			covered, known = c.ends[e].leaves, true
		}
	}
	if !known {
		low := c.mask.contour.segment(c.pieces[0].segment).a
		for _, p := range c.pieces {
			if q := c.mask.contour.segment(p.segment).a; q.Y < low.Y || q.Y == low.Y && q.X < low.X {
				low = q
			}
		}
		covered = c.mask.contour.insideBelow(low)
	}

	for i := range c.rim {
		if e := c.rim[i].end; e >= 0 && c.ends[e].piece >= 0 {
			covered = c.ends[e].leaves
		}
		c.rim[i].covered = covered
	}
}

// trace follows chains and the cell's edge to rings.
func (c *Clipper) trace() error {
	chains := false
	for i := range c.pieces {
		p := &c.pieces[i]
		if chains = chains || p.enter >= 0; p.used || p.enter < 0 {
			continue
		}

		c.rings.begin()
		for at := int32(i); ; {
			if c.pieces[at].used {
				if at != int32(i) {
					return errOrder
				}
				break
			}

			leave, err := c.chain(at)
			if err != nil {
				return err
			}
			if at, err = c.followRim(leave); err != nil {
				return err
			}
		}

		c.rings.end()
	}

	if err := c.inner(); err != nil {
		return err
	}
	if !chains && c.rim[0].covered {
		c.rings.begin()
		for _, p := range c.rim {
			c.rings.add(p.at)
		}
		c.rings.end()
	}

	return nil
}

// followRim adds the points of the cell's edge from where a chain leaves it to where the next one enters it, and
// returns the entering piece.
func (c *Clipper) followRim(leave int32) (next int32, err error) {
	for i := c.at[leave] + 1; ; i++ {
		p := &c.rim[i%len(c.rim)]
		if p.end < 0 || c.ends[p.end].piece < 0 {
			c.rings.add(p.at)
			continue
		}
		if e := &c.ends[p.end]; !e.leaves {
			return e.piece, nil
		}
		return 0, errOrder
	}
}

// chain adds the points of a chain, starting with the piece that enters the cell, and returns the end where it
// leaves.
func (c *Clipper) chain(at int32) (leave int32, err error) {
	c.rings.add(c.ends[c.pieces[at].enter].at)
	for {
		p := &c.pieces[at]
		p.used = true
		if p.leave >= 0 {
			c.rings.add(c.ends[p.leave].at)
			return p.leave, nil
		}

		c.rings.add(c.mask.contour.segment(p.segment).b)
		if at, err = c.follow(at); err != nil {
			return 0, err
		}
		if c.pieces[at].used {
			return 0, errOrder
		}
	}
}

// follow returns the piece of the next segment.
func (c *Clipper) follow(at int32) (int32, error) {
	next := c.mask.contour.follows(c.pieces[at].segment)
	i, ok := slices.BinarySearchFunc(c.pieces, next, func(p piece, s int32) int { return int(p.segment - s) })
	if !ok {
		return 0, errors.New("the edge of the area ends inside the cell")
	}
	return int32(i), nil
}

// inner adds the rings that do not reach the cell's edge.
func (c *Clipper) inner() error {
	for i := range c.pieces {
		if c.pieces[i].used {
			continue
		}

		c.rings.begin()
		for at := int32(i); !c.pieces[at].used; {
			p := &c.pieces[at]
			p.used = true
			c.rings.add(c.mask.contour.segment(p.segment).a)
			var err error
			if at, err = c.follow(at); err != nil {
				return err
			}
		}

		c.rings.end()
	}

	return nil
}

// points returns where a piece begins and ends, in the cell or on its edge.
func (c *Clipper) points(p *piece) (from, to Point) {
	s := c.mask.contour.segment(p.segment)
	from, to = s.a, s.b
	if p.enter >= 0 {
		from = c.ends[p.enter].at
	}
	if p.leave >= 0 {
		to = c.ends[p.leave].at
	}
	return from, to
}
