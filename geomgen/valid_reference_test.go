package geomgen

import (
	"context"
	"math"
	"slices"
)

// The check of areas before the sweep was written: each pair of segments whose boxes intersect, and a ray for
// each ring. It is short and slow, and the reference for the sweep.

// referenceOutline is an outline with its index.
type referenceOutline struct {
	outline
	index tree
}

func referenceCheck(polygons []Polygon) error {
	for i, p := range polygons {
		for k, r := range p {
			at, reason := RingFault(r)
			if reason == "" {
				at, reason = ringCollapse(r)
			}
			if reason != "" {
				return &InvalidError{Polygon: i + 1, Ring: k, At: at, Reason: reason}
			}
		}
	}

	o := referenceOutline{outline: newOutline(polygons)}
	if len(o.segments) == 0 {
		return nil
	}

	o.index = newTree(context.Background(), o.segments)
	touches, err := o.touches()
	if err != nil {
		return err
	}

	if err := o.checkNesting(); err != nil {
		return err
	}
	return o.checkConnected(touches)
}

// referenceTouch is a point that two rings have in common: a corner of one of them, and a corner or a point
// inside a segment of the other.
type referenceTouch struct {
	at         Point
	ring       [2]int32 // indexes of the rings
	segment    [2]int32 // one that ends or begins there, or contains the point
	insideThat [2]bool  // inside the segment, not at an end of it
}

// touches checks each pair of segments that may intersect, and returns the points where rings touch. It returns
// an error for anything that a valid area must not have.
func (o *referenceOutline) touches() ([]referenceTouch, error) {
	ringOf := make([]int32, len(o.segments))
	for n, r := range o.rings {
		for i := r.first; i < r.end; i++ {
			ringOf[i] = int32(n)
		}
	}

	var found []referenceTouch
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

func (o *referenceOutline) fault(ring int32, at Point, reason string) error {
	r := o.rings[ring]
	return &InvalidError{Polygon: r.polygon, Ring: r.hole, At: at, Reason: reason}
}

// checkPair checks two segments whose boxes intersect.
func (o *referenceOutline) checkPair(found []referenceTouch, ringOf []int32, i, j int32) ([]referenceTouch, error) {
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

// checkCollinear checks two segments on one line.
func (o *referenceOutline) checkCollinear(found []referenceTouch, ringOf []int32, i, j int32) ([]referenceTouch, error) {
	s, t := o.segments[i], o.segments[j]
	// The common points are those between the second and the third of the four.
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

// addTouch adds a touch if two segments have one point in common, which is an end of one of them.
func (o *referenceOutline) addTouch(found []referenceTouch, ringOf []int32, i, j int32, at Point) ([]referenceTouch, error) {
	if ringOf[i] == ringOf[j] {
		if o.next[i] == j && at == o.segments[i].b || o.next[j] == i && at == o.segments[j].b {
			return found, nil
		}
		return found, o.fault(ringOf[i], at, "touches itself")
	}
	inside := func(s segment) bool { return at != s.a && at != s.b }
	return append(found, referenceTouch{at, [2]int32{ringOf[i], ringOf[j]}, [2]int32{i, j},
		[2]bool{inside(o.segments[i]), inside(o.segments[j])}}), o.crossesAt(ringOf, i, j, at)
}

// crossesAt returns an error for two rings that cross in a common point: one of them arrives on one side of the
// other and leaves on the other side.
func (o *referenceOutline) crossesAt(ringOf []int32, i, j int32, at Point) error {
	a1, a2 := o.around(ringOf[i], i, at)
	b1, b2 := o.around(ringOf[j], j, at)
	if between(at, a2, a1, b1) != between(at, a2, a1, b2) {
		return o.fault(ringOf[i], at, "crosses another ring")
	}
	return nil
}

// around returns where a ring comes from and where it goes at a point of one of its segments.
func (o *referenceOutline) around(ring, i int32, at Point) (from, to Point) {
	s := o.segments[i]
	switch at {
	case s.a:
		return o.segments[o.rings[ring].before(i)].a, s.b
	case s.b:
		return s.a, o.segments[o.next[i]].b
	}
	return s.a, s.b
}

// checkNesting returns an error for rings that do not cross but are in the wrong place: no segment may
// have area to its right.
func (o *referenceOutline) checkNesting() error {
	for n, r := range o.rings {
		up := r.first
		for o.segments[up].b.Y <= o.segments[up].a.Y {
			up++ // a ring that comes back to where it began goes up somewhere
		}

		s := o.segments[up]
		switch winding := o.windingRight(s); {
		case winding == 0:
		case r.hole == 0 && winding > 0:
			return o.fault(int32(n), s.a, "lies in another polygon")
		case r.hole == 0:
			return o.fault(int32(n), s.a, "lies in a hole that has no shell")
		case winding < 0:
			return o.fault(int32(n), s.a, "lies outside of its shell or in another hole")
		default:
			return o.fault(int32(n), s.a, "lies in more than one polygon")
		}
	}

	return nil
}

// checkConnected returns an error for a polygon whose rings touch so that they cut its inside in two. That is so
// if there is a closed path from ring to ring by different points where they touch.
func (o *referenceOutline) checkConnected(touches []referenceTouch) error {
	type place struct {
		polygon int
		at      Point
	}

	type link struct {
		ring  int32
		place int32
	}

	places := make(map[place]int32)
	seen := make(map[link]bool)

	// Sets of connected rings and places (union and find).
	parent := make([]int32, len(o.rings))
	for i := range parent {
		parent[i] = int32(i)
	}

	find := func(i int32) int32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}

	for _, t := range touches {
		if o.rings[t.ring[0]].polygon != o.rings[t.ring[1]].polygon {
			continue
		}

		key := place{o.rings[t.ring[0]].polygon, t.at}
		n, ok := places[key]
		if !ok {
			n = int32(len(parent))
			places[key] = n
			parent = append(parent, n)
		}

		for _, r := range t.ring {
			if seen[link{r, n}] {
				continue
			}

			seen[link{r, n}] = true
			a, b := find(r), find(n)
			if a == b {
				return o.fault(r, t.at, "touches another ring, and together they cut the inside of the polygon in two")
			}
			parent[a] = b
		}
	}

	return nil
}

// windingRight returns how often the area's rings wind around the place directly to the right of the beginning of
// an upward segment. It is 0 if the rings are valid.
func (o *referenceOutline) windingRight(of segment) int {
	above := func(y float64) bool { return y > of.a.Y }
	return o.winding(of.a, above, func(s segment, up bool) bool {
		top := s.b
		if !up {
			top = s.a
		}
		return side(of.a, of.b, top) < 0
	})
}

// winding adds up the segments that a ray to the right crosses: upward ones as 1, downward ones as -1. The ray
// begins very close to p. above reports which heights are above it, and through whether it crosses a segment in
// line with p.
func (o *referenceOutline) winding(p Point, above func(y float64) bool, through func(s segment, up bool) bool) int {
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
