package geomgen

import (
	"cmp"
	"math/big"
)

// compareEnds orders ends counter-clockwise along the cell's edge, and in one
// point by the direction of their segments: so that behind the end of a chain
// comes the beginning of the one that is next on its left.
func (c *Clipper) compareEnds(e, f *end) int {
	if e.side != f.side {
		return cmp.Compare(e.side, f.side)
	}
	if e.exact && f.exact && e.at == f.at {
		return c.compareDirections(e, f)
	}

	if d := e.t - f.t; d > e.off+f.off {
		return 1
	} else if d < -(e.off + f.off) {
		return -1
	}

	if d := c.along(e).Cmp(c.along(f)); d != 0 {
		return d
	}
	return c.compareDirections(e, f)
}

// along returns how far along its side an end is, as an exact fraction.
func (c *Clipper) along(e *end) *big.Rat {
	if e.exact && e.at == c.cell.corners[e.side] {
		return new(big.Rat)
	}
	s := c.mask.outline.segments[c.pieces[e.piece].segment]
	p, q := c.cell.side(e.side)
	a, b := rational(s.a), rational(s.b)
	dp := crossRational(a, b, rational(p))
	dq := crossRational(a, b, rational(q))
	return dp.Quo(dp, dq.Sub(dp, dq))
}

// compareDirections orders ends in one point by the direction of their segments
// into the cell: clockwise, from that along the edge back to that along it on.
func (c *Clipper) compareDirections(e, f *end) int {
	a, b := c.inward(e)
	p, q := c.inward(f)
	ra, rb, rp, rq := rational(a), rational(b), rational(p), rational(q)

	// The turn from the one direction to the other.
	sub := func(x, y *big.Rat) *big.Rat { return new(big.Rat).Sub(x, y) }
	left := sub(rb.x, ra.x)
	left.Mul(left, sub(rq.y, rp.y))
	right := sub(rb.y, ra.y)
	right.Mul(right, sub(rq.x, rp.x))

	return left.Cmp(right)
}

// inward returns two points whose direction is that of an end's segment into the
// cell.
func (c *Clipper) inward(e *end) (from, to Point) {
	s := c.mask.outline.segments[c.pieces[e.piece].segment]
	if e.leaves {
		return s.b, s.a
	}
	return s.a, s.b
}
