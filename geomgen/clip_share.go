package geomgen

import (
	"math"
	"math/big"
)

// shareDoubt is how near to 0 or 1 a share is computed in fractions.
const shareDoubt = 1e-9

// share returns the share of the cell's area that lies in the area, of a cell
// whose inside the area's edge runs through: above 0 and below 1. It goes round the
// part by its points before they were rounded, seen from a corner of the cell, so
// that nothing is lost far from the origin. Source: the shoelace formula.
func (c *Clipper) share() float64 {
	var sum, whole float64
	for i := range c.pieces {
		from, to := c.local(&c.pieces[i])
		sum += cross(from, to)
	}

	last := &c.rim[len(c.rim)-1]
	p := c.fromCorner(last)
	covered := last.covered
	for i := range c.rim {
		q := c.fromCorner(&c.rim[i])
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

// local returns the points of a piece as seen from a corner of the cell.
func (c *Clipper) local(p *piece) (from, to Point) {
	o := c.cell.corners[0]
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

// fromCorner returns a point of the cell's edge as seen from a corner of the cell.
func (c *Clipper) fromCorner(p *place) Point {
	o := c.cell.corners[0]
	at := Point{p.at.X - o.X, p.at.Y - o.Y}
	if p.end >= 0 {
		r := c.ends[p.end].rest
		at = Point{at.X + r.X, at.Y + r.Y}
	}
	return at
}

// shareExact is share in fractions.
func (c *Clipper) shareExact() float64 {
	ends := make([]ratPoint, len(c.ends))
	for i := range c.ends {
		if e := &c.ends[i]; e.exact {
			ends[i] = rational(e.at)
		} else {
			p, q := c.cell.side(e.side)
			ends[i] = crossingExact(c.mask.outline.segments[c.pieces[e.piece].segment], p, q)
		}
	}

	o := rational(c.cell.corners[0])
	sum, whole := new(big.Rat), new(big.Rat)
	add := func(sum *big.Rat, p, q ratPoint) { sum.Add(sum, crossRational(p, q, o)) }
	for i := range c.pieces {
		p := &c.pieces[i]
		s := c.mask.outline.segments[p.segment]
		from, to := rational(s.a), rational(s.b)
		if p.enter >= 0 {
			from = ends[p.enter]
		}
		if p.leave >= 0 {
			to = ends[p.leave]
		}
		add(sum, from, to)
	}

	spot := func(p place) ratPoint {
		if p.end >= 0 {
			return ends[p.end]
		}
		return rational(p.at)
	}
	for i, p := range c.rim {
		if p.covered {
			add(sum, spot(p), spot(c.rim[(i+1)%len(c.rim)]))
		}
	}
	for i := range c.cell.n {
		p, q := c.cell.side(i)
		add(whole, rational(p), rational(q))
	}

	f, _ := sum.Quo(sum, whole).Float64()
	return f
}
