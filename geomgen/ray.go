package geomgen

import "math"

// ray goes from a point to the right: a little above the height of the point, or below.
type ray struct {
	from  Point
	below bool
}

// locate tells where a point lies: inside the area, or on its edge.
func (c *contour) locate(p Point) (inside, edge bool) {
	box := Box{p.X, p.Y, p.X, p.Y}
	first := c.firstHit(ray{from: p}, func(s segment) (stop bool) {
		edge = s.box().intersects(box) && side(s.a, s.b, p) == 0
		return edge
	})

	return !edge && c.leftIsArea(first), edge
}

// insideBelow tells whether the place right below a point of the area's edge lies in the
// area.
func (c *contour) insideBelow(p Point) bool {
	return c.leftIsArea(c.firstHit(ray{p, true}, nil))
}

// leftIsArea tells whether the place left of a segment, as the page has it, lies in the area.
func (c *contour) leftIsArea(i int32) bool {
	return i >= 0 && c.points[i+1].Y > c.points[i].Y
}

// firstHit returns the segment that a ray meets first, -1 for none. No segments cross. It
// takes about as many steps as the tree has levels. Where there is a function stop, it is
// asked about each segment on the way, and ends the search: no segment with the ray's
// beginning on it is left out.
func (c *contour) firstHit(r ray, stop func(s segment) bool) (first int32) {
	first = -1
	reach := math.Inf(1)

	c.index.alongRay(r, &reach, func(items []int32) bool {
		for _, i := range items {
			s := c.segment(i)
			if stop != nil && stop(s) {
				return false
			}

			if r.hits(s) && (first < 0 || s.leftOf(c.segment(first))) {
				first, reach = i, s.rightmost(r.from.Y)
			}
		}

		return true
	})

	return first
}

// hits tells whether a ray meets a segment.
func (r ray) hits(s segment) bool {
	up := r.above(s.b.Y)
	if up == r.above(s.a.Y) {
		return false
	}

	// Left of an upward segment, right of a downward one, it is met.
	if where := side(s.a, s.b, r.from); where != 0 {
		return (where > 0) == up
	}

	// In line with the segment, it is met below where that leans to the right there.
	return r.below && (up && s.b.X < s.a.X || !up && s.a.X < s.b.X)
}

// meets tells whether a ray meets a box, or begins in it.
func (r ray) meets(b *Box) bool {
	p := r.from
	if b.XMax < p.X || b.YMin > p.Y || b.YMax < p.Y {
		return false
	}

	// What is flat beside the ray, such as the sides of many holes in a row, it does not meet.
	return b.XMin <= p.X || r.above(b.YMax) && !r.above(b.YMin)
}

// above tells whether a height is above the ray.
func (r ray) above(y float64) bool { return y > r.from.Y || r.below && y == r.from.Y }

// leftOf tells whether a segment lies left of another one where both have points of one
// height. The two do not cross.
func (s segment) leftOf(t segment) bool {
	a, b := s.upward()
	c, d := t.upward()

	// Where one begins on the other, the lower of the ends tells.
	if a.Y >= c.Y {
		if where := side(c, d, a); where != 0 {
			return where > 0
		}
	} else if where := side(a, b, c); where != 0 {
		return where < 0
	}

	if b.Y <= d.Y {
		return side(c, d, b) > 0
	}
	return side(a, b, d) < 0
}

// rightmost returns a number that is not less than the x of a segment at a height that it
// has.
func (s segment) rightmost(y float64) float64 {
	a, b := s.a, s.b
	x := a.X + (y-a.Y)/(b.Y-a.Y)*(b.X-a.X)
	x += 1e-14*(math.Abs(a.X)+math.Abs(b.X)) + tiny
	if most := max(a.X, b.X); !(x < most) {
		return most
	}

	return x
}
