package geomgen

import (
	"cmp"
	"math/big"
)

// compareEnds orders ends counter-clockwise along the cell's edge, and in one point by the direction of their
// segments. The end of a chain is then followed by the beginning of the next chain to its left.
func (c *Clipper) compareEnds(e, f *end) int {
	if e.side != f.side {
		return cmp.Compare(e.side, f.side)
	}

	// Rounded points are in the order of the crossings.
	p, q := c.cell.side(e.side)
	if e.at.X != f.at.X {
		return sign(e.at.X-f.at.X) * sign(q.X-p.X)
	}
	if e.at.Y != f.at.Y {
		return sign(e.at.Y-f.at.Y) * sign(q.Y-p.Y)
	}

	if !e.exact || !f.exact {
		if d := c.along(e).Cmp(c.along(f)); d != 0 {
			return d
		}
	}
	if e.piece < 0 || f.piece < 0 {
		return cmp.Compare(e.piece, f.piece)
	}
	return c.compareDirections(e, f)
}

// along returns how far along its side an end is, as an exact fraction.
func (c *Clipper) along(e *end) *big.Rat {
	p, q := c.cell.side(e.side)
	if !e.exact {
		return crossingShare(c.mask.contour.segment(c.pieces[e.piece].segment), p, q)
	}

	a, b, at := rational(p), rational(q), rational(e.at)
	if p.X != q.X {
		return at.x.Quo(at.x.Sub(at.x, a.x), b.x.Sub(b.x, a.x))
	}
	return at.y.Quo(at.y.Sub(at.y, a.y), b.y.Sub(b.y, a.y))
}

// compareDirections orders ends in one point by the direction of their segments into the cell: clockwise, from
// back along the edge to onward along it.
func (c *Clipper) compareDirections(e, f *end) int {
	a, b := c.inward(e)
	p, q := c.inward(f)
	if a == p { // many may meet there
		return side(a, b, q)
	}

	ra, rb, rp, rq := rational(a), rational(b), rational(p), rational(q)

	// The turn from one direction to the other.
	sub := func(x, y *big.Rat) *big.Rat { return new(big.Rat).Sub(x, y) }
	left := sub(rb.x, ra.x)
	left.Mul(left, sub(rq.y, rp.y))
	right := sub(rb.y, ra.y)
	right.Mul(right, sub(rq.x, rp.x))

	return left.Cmp(right)
}

// inward returns two points in the direction of an end's segment into the cell.
func (c *Clipper) inward(e *end) (from, to Point) {
	s := c.mask.contour.segment(c.pieces[e.piece].segment)
	if e.leaves {
		return s.b, s.a
	}
	return s.a, s.b
}
