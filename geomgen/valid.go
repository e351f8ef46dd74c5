package geomgen

import "slices"

// CheckPolygons reports, as an *InvalidError, polygons that are together no valid
// MultiPolygon: a ring with a RingFault, with fewer than three places, or that
// crosses, touches or overlaps itself; rings that cross or overlap each other; a
// hole outside of its shell or in another hole, a shell in another polygon; holes
// that cut the inside of a polygon in two. It is exact. Source of the rules: OGC
// 06-103r4, 6.1.11.
func CheckPolygons(polygons []Polygon) error {
	_, err := validOutline(polygons)
	return err
}

// validOutline returns the outline of valid polygons, with a corner wherever rings
// touch.
func validOutline(polygons []Polygon) (outline, error) {
	for i, p := range polygons {
		for k, r := range p {
			at, reason := RingFault(r)
			if reason == "" {
				at, reason = ringCollapse(r)
			}
			if reason != "" {
				return outline{}, &InvalidError{i + 1, k, at, reason}
			}
		}
	}

	o := newOutline(polygons)
	if len(o.segments) == 0 {
		return o, nil
	}

	touches, err := o.touches()
	if err != nil {
		return outline{}, err
	}

	if err := o.checkNesting(); err != nil {
		return outline{}, err
	}
	if err := o.checkConnected(touches); err != nil {
		return outline{}, err
	}

	return o.withCorners(touches), nil
}

// touch is a point that two rings have in common: a corner of one of them, and a
// corner or a point inside a segment of the other.
type touch struct {
	at         Point
	ring       [2]int32 // numbers of the rings
	segment    [2]int32 // one that ends or begins there, or has the point inside
	insideThat [2]bool  // inside the segment, not at an end of it
}

// touches looks at each pair of segments that may intersect, and returns the points
// where rings touch; what a valid area may not have is an error.
func (o *outline) touches() ([]touch, error) {
	ringOf := make([]int32, len(o.segments))
	for n, r := range o.rings {
		for i := r.first; i < r.end; i++ {
			ringOf[i] = int32(n)
		}
	}

	var found []touch
	var err error
	for i := range int32(len(o.segments)) {
		box := o.segments[i].box()
		o.index.walk(box, func(items []int32) bool {
			for _, j := range items {
				if j <= i || !o.segments[j].box().intersects(box) {
					continue
				}
				if found, err = o.checkPair(found, ringOf, i, j); err != nil {
					return false
				}
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}

	return found, nil
}

func (o *outline) fault(ring int32, at Point, reason string) error {
	r := o.rings[ring]
	return &InvalidError{r.polygon, r.hole, at, reason}
}

// checkPair looks at two segments whose boxes intersect.
func (o *outline) checkPair(found []touch, ringOf []int32, i, j int32) ([]touch, error) {
	s, t := o.segments[i], o.segments[j]
	same := ringOf[i] == ringOf[j]
	ta, tb := side(s.a, s.b, t.a), side(s.a, s.b, t.b)
	if ta == 0 && tb == 0 {
		return o.checkCollinear(found, ringOf, i, j)
	}

	sa, sb := side(t.a, t.b, s.a), side(t.a, t.b, s.b)
	if ta*tb > 0 || sa*sb > 0 {
		return found, nil
	}

	if ta*tb < 0 && sa*sb < 0 {
		reason := "crosses another ring"
		if same {
			reason = "crosses itself"
		}
		return found, o.fault(ringOf[i], crossing(s, t), reason)
	}

	var at Point
	switch {
	case ta == 0:
		at = t.a
	case tb == 0:
		at = t.b
	case sa == 0:
		at = s.a
	default:
		at = s.b
	}

	return o.addTouch(found, ringOf, i, j, at)
}

// checkCollinear looks at two segments on one line.
func (o *outline) checkCollinear(found []touch, ringOf []int32, i, j int32) ([]touch, error) {
	s, t := o.segments[i], o.segments[j]
	// The points in common are those between the second and the third of the four.
	points := []Point{s.a, s.b, t.a, t.b}
	slices.SortFunc(points, func(p, q Point) int {
		if p.X != q.X {
			return sign(p.X - q.X)
		}
		return sign(p.Y - q.Y)
	})

	common := points[1]
	if points[1] == points[2] && s.box().intersects(t.box()) {
		return o.addTouch(found, ringOf, i, j, common)
	}
	if !s.box().intersects(t.box()) {
		return found, nil
	}

	reason := "runs along another ring"
	if ringOf[i] == ringOf[j] {
		reason = "runs back along itself"
	}

	return found, o.fault(ringOf[i], common, reason)
}

// addTouch adds a touch where two segments have one point in common, which is an end of one
// of them.
func (o *outline) addTouch(found []touch, ringOf []int32, i, j int32, at Point) ([]touch, error) {
	if ringOf[i] == ringOf[j] {
		if o.next[i] == j && at == o.segments[i].b || o.next[j] == i && at == o.segments[j].b {
			return found, nil
		}
		return found, o.fault(ringOf[i], at, "touches itself")
	}
	inside := func(s segment) bool { return at != s.a && at != s.b }
	return append(found, touch{at, [2]int32{ringOf[i], ringOf[j]}, [2]int32{i, j},
		[2]bool{inside(o.segments[i]), inside(o.segments[j])}}), o.crossesAt(ringOf, i, j, at)
}

// crossesAt reports two rings that cross in a point they have in common: the way
// of one of them comes from one side of the other and leaves to the other side.
func (o *outline) crossesAt(ringOf []int32, i, j int32, at Point) error {
	a1, a2 := o.around(ringOf[i], i, at)
	b1, b2 := o.around(ringOf[j], j, at)
	if between(at, a2, a1, b1) != between(at, a2, a1, b2) {
		return o.fault(ringOf[i], at, "crosses another ring")
	}
	return nil
}

// around returns where a ring comes from and where it goes to in a point of one of
// its segments.
func (o *outline) around(ring, i int32, at Point) (from, to Point) {
	s := o.segments[i]
	switch at {
	case s.a:
		return o.segments[o.rings[ring].before(i)].a, s.b
	case s.b:
		return s.a, o.segments[o.next[i]].b
	}
	return s.a, s.b
}

// before returns the segment before one of the ring's.
func (r ring) before(i int32) int32 {
	if i == r.first {
		return r.end - 1
	}
	return i - 1
}

// between tells whether the direction from at to p lies in the sector that one
// sweeps from the direction of u counter-clockwise to that of v.
func between(at, u, v, p Point) bool {
	left, right := side(at, u, p) > 0, side(at, v, p) < 0
	if turn := side(at, u, v); turn > 0 || turn == 0 && opposite(at, u, v) {
		return left && right
	}
	return left || right
}

// opposite tells whether two points on a line through at lie on different sides
// of it.
func opposite(at, u, v Point) bool {
	return (u.X > at.X) != (v.X > at.X) && u.X != at.X || (u.Y > at.Y) != (v.Y > at.Y) && u.Y != at.Y
}

// crossing returns about where two segments cross.
func crossing(s, t segment) Point {
	d1, _ := det(t.a, t.b, s.a)
	d2, _ := det(t.a, t.b, s.b)
	f := d1 / (d1 - d2)
	return Point{s.a.X + f*(s.b.X-s.a.X), s.a.Y + f*(s.b.Y-s.a.Y)}
}
