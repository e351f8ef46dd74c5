package geomgen

import "math"

// ray goes from a point to the right, slightly above or below the height of the point.
type ray struct {
	from  Point
	below bool
}

// locate reports whether a point is inside the area, or on its edge.
func (c *contour) locate(p Point) (inside, edge bool) {
	box := Box{p.X, p.Y, p.X, p.Y}
	first := c.firstHit(ray{from: p}, func(s segment) (stop bool) {
		edge = s.box().intersects(box) && side(s.a, s.b, p) == 0
		return edge
	})

	return !edge && c.leftIsArea(first), edge
}

// insideBelow reports whether the place directly below a point of the area's edge is in the area.
func (c *contour) insideBelow(p Point) bool {
	return c.leftIsArea(c.firstHit(ray{p, true}, nil))
}

// leftIsArea reports whether the place to the left of a segment, as seen on the page, is in the area.
func (c *contour) leftIsArea(i int32) bool {
	return i >= 0 && c.points[i+1].Y > c.points[i].Y
}

// firstHit returns the first segment that a ray meets, or -1 for none. Segments must not cross. It takes about as
// many steps as the tree has levels. If stop is not nil, firstHit calls it for segments on the way, including all
// that contain the ray's beginning; if it returns true, the search ends.
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

// hits reports whether a ray meets a segment.
func (r ray) hits(s segment) bool {
	up := r.above(s.b.Y)
	if up == r.above(s.a.Y) {
		return false
	}

	// A ray meets an upward segment from its left, and a downward one from its right.
	if where := side(s.a, s.b, r.from); where != 0 {
		return (where > 0) == up
	}

	// If the ray begins in line with the segment, the ray below meets it if the segment leans to the right there.
	return r.below && (up && s.b.X < s.a.X || !up && s.a.X < s.b.X)
}

// meets reports whether a ray meets a box, or begins in it.
func (r ray) meets(b *Box) bool {
	p := r.from
	if b.XMax < p.X || b.YMin > p.Y || b.YMax < p.Y {
		return false
	}

	// The ray does not meet what is flat at its own height, such as the sides of many holes in a row.
	return b.XMin <= p.X || r.above(b.YMax) && !r.above(b.YMin)
}

// above reports whether a height is above the ray.
func (r ray) above(y float64) bool { return y > r.from.Y || r.below && y == r.from.Y }

// leftOf reports whether a segment is to the left of another one at the heights that both have. The two must not
// cross.
func (s segment) leftOf(t segment) bool {
	a, b := s.upward()
	c, d := t.upward()

	// If one begins on the other, the lower of the ends decides.
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

// rightmost returns a number that is not less than the x of a segment at a height that it has.
func (s segment) rightmost(y float64) float64 {
	a, b := s.a, s.b
	x := a.X + (y-a.Y)/(b.Y-a.Y)*(b.X-a.X)
	x += 1e-14*(math.Abs(a.X)+math.Abs(b.X)) + tiny
	if most := max(a.X, b.X); !(x < most) {
		return most
	}

	return x
}
