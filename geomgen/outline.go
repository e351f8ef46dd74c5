package geomgen

import "math"

// outline is the edge of an area as segments, with the area left of each of them:
// shells run counter-clockwise, holes clockwise.
type outline struct {
	segments []segment
	next     []int32 // the segment that follows in the ring
	rings    []ring
	index    tree
}

// ring says which segments a ring has, and what it was in the polygons.
type ring struct {
	first, end    int32 // segments from first to before end
	polygon, hole int   // as InvalidError counts them
}

// newOutline takes over the polygons' rings in the right direction, without points
// that repeat the one before. The polygons have rings of three places at least,
// as CheckPolygons sees to.
func newOutline(polygons []Polygon) outline {
	var o outline
	for i, p := range polygons {
		for k, points := range p {
			o.addRing(points, ring{polygon: i + 1, hole: k})
		}
	}

	if len(o.segments) > 0 {
		o.index = newTree(o.segments)
	}
	return o
}

func (o *outline) addRing(points []Point, r ring) {
	r.first = int32(len(o.segments))
	forward := clockwise(points) == (r.hole > 0)
	n := len(points)
	for i := 1; i < n; i++ {
		s := segment{points[i-1], points[i]}
		if !forward {
			s = segment{points[n-i], points[n-i-1]}
		}
		if s.a != s.b {
			o.segments = append(o.segments, s)
			o.next = append(o.next, int32(len(o.segments)))
		}
	}

	r.end = int32(len(o.segments))
	if r.end > r.first {
		o.next[r.end-1] = r.first
		o.rings = append(o.rings, r)
	}
}

// clockwise tells the direction of a closed ring that does not cross itself: by
// the turn at its lowest point, of the leftmost of them. A ring without an area
// has neither direction.
func clockwise(points []Point) bool {
	points = points[:len(points)-1]
	low := 0
	for i, p := range points {
		if q := points[low]; p.Y < q.Y || p.Y == q.Y && p.X < q.X {
			low = i
		}
	}

	n := len(points)
	before, after := low, low
	for range n {
		if before = (before + n - 1) % n; points[before] != points[low] {
			break
		}
	}

	for range n {
		if after = (after + 1) % n; points[after] != points[low] {
			break
		}
	}

	return side(points[before], points[low], points[after]) < 0
}

// locate tells where a point lies: inside the area, or on its edge. It counts the
// segments that a ray from the point to the right crosses.
func (o *outline) locate(p Point) (inside, edge bool) {
	ray := Box{p.X, p.Y, math.Inf(1), p.Y}
	o.index.walk(ray, func(items []int32) bool {
		for _, i := range items {
			s := o.segments[i]
			if s.a.X < p.X && s.b.X < p.X || s.a.Y < p.Y && s.b.Y < p.Y || s.a.Y > p.Y && s.b.Y > p.Y {
				continue
			}

			where := side(s.a, s.b, p)
			if where == 0 && s.box().intersects(Box{p.X, p.Y, p.X, p.Y}) {
				edge = true
				return false
			}

			// Left of an upward segment, right of a downward one, it is crossed.
			if up := s.b.Y > p.Y; up != (s.a.Y > p.Y) && (where > 0) == up {
				inside = !inside
			}
		}
		return true
	})
	return inside && !edge, edge
}

// windingBelow returns how often the area's rings go round the place right below
// a point of them: 0 outside of the area, 1 inside, where the rings are valid.
func (o *outline) windingBelow(p Point) int {
	above := func(y float64) bool { return y >= p.Y }
	return o.winding(p, above, func(s segment, up bool) bool {
		// It leans so that below the point it is right of it.
		return up && s.b.X < s.a.X || !up && s.a.X < s.b.X
	})
}

// windingRight returns how often the area's rings go round the place right beside
// the beginning of an upward segment, on its right: 0 where the rings are valid.
func (o *outline) windingRight(of segment) int {
	above := func(y float64) bool { return y > of.a.Y }
	return o.winding(of.a, above, func(s segment, up bool) bool {
		top := s.b
		if !up {
			top = s.a
		}
		return side(of.a, of.b, top) < 0
	})
}

// winding adds up the segments that a ray to the right crosses, upward ones as 1,
// downward ones as -1. The ray begins so near to p that above tells which heights
// are above it, and through of a segment in line with p whether it is crossed.
func (o *outline) winding(p Point, above func(y float64) bool, through func(s segment, up bool) bool) int {
	n := 0
	o.index.walk(Box{p.X, p.Y, math.Inf(1), p.Y}, func(items []int32) bool {
		for _, i := range items {
			s := o.segments[i]
			up := above(s.b.Y)
			if up == above(s.a.Y) {
				continue
			}

			crossed := false
			if where := side(s.a, s.b, p); where == 0 {
				crossed = through(s, up)
			} else {
				crossed = (where > 0) == up
			}

			switch {
			case crossed && up:
				n++
			case crossed:
				n--
			}
		}

		return true
	})
	return n
}
