package geomgen

import (
	"errors"
	"math"
	"slices"
)

// errOrder means that the ends of chains do not alternate along a cell's edge,
// which those of a valid area do.
var errOrder = errors.New("the edge of the area leaves the cell twice without entering it between")

// trace follows chains and the cell's edge to rings.
func (c *Clipper) trace() error {
	order, place := c.order[:0], c.place[:0]
	for i := range c.ends {
		order, place = append(order, int32(i)), append(place, 0)
	}

	c.order, c.place = order, place
	slices.SortFunc(order, func(i, j int32) int { return c.compareEnds(&c.ends[i], &c.ends[j]) })
	for n, i := range order {
		place[i] = n
		if n > 0 {
			c.merge(&c.ends[order[n-1]], &c.ends[i])
		}
	}

	for i := range c.pieces {
		if p := &c.pieces[i]; p.used || p.enter < 0 {
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

			next := &c.ends[order[(place[leave]+1)%len(order)]]
			if next.leaves {
				return errOrder
			}
			c.corners(&c.ends[leave], next, place[leave]+1 == len(order))
			at = next.piece
		}

		c.rings.end()
	}

	return c.inner()
}

// merge gives two ends that follow each other along a side the same place where
// rounding might have exchanged them.
func (c *Clipper) merge(e, f *end) {
	if e.side != f.side || !c.close(e.at, f.at) {
		return
	}
	if f.exact && !e.exact {
		e.at = f.at
	} else {
		f.at = e.at
	}
}

// close tells whether two points differ by what rounding may have done.
func (c *Clipper) close(p, q Point) bool {
	return math.Abs(p.X-q.X) <= c.rounding && math.Abs(p.Y-q.Y) <= c.rounding
}

// chain adds the points of a chain from the piece that enters the cell on, and
// returns the end where it leaves.
func (c *Clipper) chain(at int32) (leave int32, err error) {
	last := c.ends[c.pieces[at].enter].at
	c.rings.add(last)
	for {
		p := &c.pieces[at]
		p.used = true
		if p.leave >= 0 {
			c.rings.add(c.ends[p.leave].at)
			return p.leave, nil
		}

		// A corner right beside the cell's edge is where the chain meets it.
		corner := c.mask.outline.segments[p.segment].b
		next, err := c.follow(at)
		if err != nil {
			return 0, err
		}

		leave := c.pieces[next].leave
		if !c.close(corner, last) && (leave < 0 || !c.close(corner, c.ends[leave].at)) {
			c.rings.add(corner)
			last = corner
		}

		if at = next; c.pieces[at].used {
			return 0, errOrder
		}
	}
}

// follow returns the piece of the segment that follows that of a piece.
func (c *Clipper) follow(at int32) (int32, error) {
	next := c.mask.outline.next[c.pieces[at].segment]
	i, ok := slices.BinarySearchFunc(c.pieces, next, func(p piece, s int32) int { return int(p.segment - s) })
	if !ok {
		return 0, errors.New("the edge of the area ends inside the cell")
	}
	return int32(i), nil
}

// corners adds the corners of the cell that lie between the end of a chain and the
// beginning of the next, which comes first in the order where wraps is true.
func (c *Clipper) corners(from, to *end, wraps bool) {
	last := to.side
	if wraps {
		last += c.cell.n
	}
	for k := from.side + 1; k <= last; k++ {
		c.rings.add(c.cell.corners[k%c.cell.n])
	}
}

// inner adds the rings that do not reach the cell's edge, and, where there are no
// others and the area is around them, the cell's own.
func (c *Clipper) inner() error {
	alone := len(c.ends) == 0
	low, lowPiece := Point{}, int32(-1)
	for i := range c.pieces {
		if c.pieces[i].used {
			continue
		}

		c.rings.begin()
		for at := int32(i); !c.pieces[at].used; {
			p := &c.pieces[at]
			p.used = true
			s := c.mask.outline.segments[p.segment]
			c.rings.add(s.a)
			if lowPiece < 0 || s.a.Y < low.Y || s.a.Y == low.Y && s.a.X < low.X {
				low, lowPiece = s.a, at
			}

			var err error
			if at, err = c.follow(at); err != nil {
				return err
			}
		}

		c.rings.end()
	}

	if alone && c.mask.outline.windingBelow(low) > 0 {
		c.rings.begin()
		for _, p := range c.cell.corners[:c.cell.n] {
			c.rings.add(p)
		}
		c.rings.end()
	}

	return nil
}
