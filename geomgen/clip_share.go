package geomgen

import (
	"math"
	"math/big"
)

// shareDoubt is how close to 0 or 1 a share must be to be computed in fractions: the sum has about 15 digits of
// the cell.
const shareDoubt = 1e-13

// share returns the share of the cell's area that is in the area, for a cell whose inside the area's edge
// crosses: above 0 and below 1. It goes around the part by its points before rounding, relative to one of them.
// So it loses no digits far from the origin, nor for a small part. Source: the shoelace formula.
func (c *Clipper) share() float64 {
	var sum, whole float64
	near, _ := c.points(&c.pieces[0])
	for i := range c.pieces {
		from, to := c.local(&c.pieces[i], near)
		sum += cross(from, to)
	}

	last := &c.rim[len(c.rim)-1]
	p := c.seen(last, near)
	covered := last.covered
	for i := range c.rim {
		q := c.seen(&c.rim[i], near)
		if covered {
			sum += cross(p, q)
		}
		p, covered = q, c.rim[i].covered
	}

	o := c.cell.corners[0]
	for i := 1; i+1 < c.cell.n; i++ {
		p, q := c.cell.corners[i], c.cell.corners[i+1]
		whole += cross(Point{p.X - o.X, p.Y - o.Y}, Point{q.X - o.X, q.Y - o.Y})
	}

	share := sum / whole
	if !(share > shareDoubt && share < 1-shareDoubt) {
		share = c.shareExact()
	}
	return max(math.SmallestNonzeroFloat64, min(math.Nextafter(1, 0), share))
}

func cross(p, q Point) float64 {
	return float64(p.X*q.Y) - float64(p.Y*q.X)
}

// local returns the points of a piece relative to an origin.
func (c *Clipper) local(p *piece, o Point) (from, to Point) {
	from, to = c.points(p)
	from, to = Point{from.X - o.X, from.Y - o.Y}, Point{to.X - o.X, to.Y - o.Y}
	if p.enter >= 0 {
		r := c.ends[p.enter].rest
		from = Point{from.X + r.X, from.Y + r.Y}
	}
	if p.leave >= 0 {
		r := c.ends[p.leave].rest
		to = Point{to.X + r.X, to.Y + r.Y}
	}
	return from, to
}

// seen returns a point of the cell's edge relative to an origin.
func (c *Clipper) seen(p *place, o Point) Point {
	at := Point{p.at.X - o.X, p.at.Y - o.Y}
	if p.end >= 0 {
		r := c.ends[p.end].rest
		at = Point{at.X + r.X, at.Y + r.Y}
	}
	return at
}

// shareExact is share in fractions.
func (c *Clipper) shareExact() float64 {
	o, whole := rational(c.cell.corners[0]), new(big.Rat)
	for i := range c.cell.n {
		p, q := c.cell.side(i)
		whole.Add(whole, crossRational(rational(p), rational(q), o))
	}

	f, _ := whole.Quo(c.areaExact(), whole).Float64()
	return f
}

// areaExact returns twice the area of the part.
func (c *Clipper) areaExact() *big.Rat {
	ends := make([]ratPoint, len(c.ends))
	for i := range c.ends {
		if e := &c.ends[i]; e.exact {
			ends[i] = rational(e.at)
		} else {
			p, q := c.cell.side(e.side)
			ends[i] = crossingExact(c.mask.contour.segment(c.pieces[e.piece].segment), p, q)
		}
	}

	o, sum := rational(c.cell.corners[0]), new(big.Rat)
	add := func(p, q ratPoint) { sum.Add(sum, crossRational(p, q, o)) }
	for i := range c.pieces {
		p := &c.pieces[i]
		s := c.mask.contour.segment(p.segment)
		from, to := rational(s.a), rational(s.b)
		if p.enter >= 0 {
			from = ends[p.enter]
		}
		if p.leave >= 0 {
			to = ends[p.leave]
		}
		add(from, to)
	}

	spot := func(p place) ratPoint {
		if p.end >= 0 {
			return ends[p.end]
		}
		return rational(p.at)
	}
	for i, p := range c.rim {
		if p.covered {
			add(spot(p), spot(c.rim[(i+1)%len(c.rim)]))
		}
	}
	return sum
}
