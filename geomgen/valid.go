package geomgen

import (
	"context"
	"slices"
)

// CheckPolygons returns an *InvalidError for polygons that together are not a valid MultiPolygon:
//   - a ring with a RingFault, or with fewer than three places
//   - a ring that crosses, touches or overlaps itself
//   - rings that cross or overlap each other
//   - a hole outside its shell or in another hole, or a shell in another polygon
//   - holes that cut the inside of a polygon in two
//
// It is exact. Source of the rules: OGC 06-103r4, 6.1.11. With n points it takes about n log n steps: about a
// second and 80 MB for a million points. CheckPolygonsContext can be cancelled.
func CheckPolygons(polygons []Polygon) error {
	return CheckPolygonsContext(context.Background(), polygons)
}

// CheckPolygonsContext is CheckPolygons with a context. If ctx ends, it stops and returns the cause.
func CheckPolygonsContext(ctx context.Context, polygons []Polygon) error {
	_, err := validOutline(ctx, polygons)
	return err
}

// validOutline returns the outline of valid polygons, with a corner wherever rings touch. It has no index yet.
func validOutline(ctx context.Context, polygons []Polygon) (outline, error) {
	if err := checkRings(ctx, polygons); err != nil {
		return outline{}, err
	}

	o := newOutline(polygons)
	if len(o.segments) == 0 {
		return o, nil
	}

	touches, err := o.check(ctx)
	if err != nil {
		return outline{}, err
	}
	if err := o.checkConnected(touches); err != nil {
		return outline{}, err
	}

	return o.withCorners(touches), nil
}

// checkRings checks each ring by itself.
func checkRings(ctx context.Context, polygons []Polygon) error {
	n := 0
	for i, p := range polygons {
		for k, r := range p {
			if n++; n%4096 == 1 && ctx.Err() != nil {
				return context.Cause(ctx)
			}

			at, reason := RingFault(r)
			if reason == "" {
				at, reason = ringCollapse(r)
			}
			if reason != "" {
				return &InvalidError{Polygon: i + 1, Ring: k, At: at, Reason: reason}
			}
		}
	}

	return nil
}

// check sweeps over the outline, and returns the places where rings touch. It returns an error for anything that
// a valid area must not have.
func (o *outline) check(ctx context.Context) ([]touch, error) {
	c := checker{outline: o, ringOf: make([]int32, len(o.segments)), met: make([]uint8, len(o.rings))}
	for n, r := range o.rings {
		for i := r.first; i < r.end; i++ {
			c.ringOf[i] = int32(n)
		}
	}

	s := outlineSweep(o)
	s.visit = c.visit
	if err := s.run(ctx); err != nil {
		return nil, err
	}

	return c.touches, o.checkNesting(s.winding)
}

// touch is a point that a ring has in common with other rings. Their touches are next to it in the list.
type touch struct {
	at Point
	ring,
	segment int32 // the segment that contains the point, or -1 if it is a corner of the ring
}

// checker checks what a sweep over an outline meets.
type checker struct {
	outline *outline
	ringOf  []int32 // for each segment
	touches []touch

	// The rings at a junction, each twice, counter-clockwise, and for each ring how often it was met there. open
	// are the rings that were met once.
	around, open []int32
	met          []uint8
}

func (c *checker) fault(ring int32, at Point, reason string) error {
	r := c.outline.rings[ring]
	return &InvalidError{Polygon: r.polygon, Ring: r.hole, At: at, Reason: reason}
}

// visit checks a junction, and the segments that become neighbours there.
func (c *checker) visit(j *junction) error {
	for n := 1; n < len(j.above); n++ {
		if i, k := j.above[n-1], j.above[n]; c.along(j.at, i, k) {
			return c.overlap(i, k)
		}
	}

	if j.vertices > 1 || len(j.below)+len(j.above) > 2 {
		if err := c.checkAround(j); err != nil {
			return err
		}
	}

	if len(j.above) == 0 {
		return c.checkCross(j.left, j.right)
	}
	if err := c.checkCross(j.left, j.above[0]); err != nil {
		return err
	}
	return c.checkCross(j.above[len(j.above)-1], j.right)
}

// along reports whether two upward segments from a point have the same direction.
func (c *checker) along(p Point, i, k int32) bool {
	_, a := c.outline.segments[i].upward()
	_, b := c.outline.segments[k].upward()
	return side(p, a, b) == 0
}

// overlap returns an error for two segments that have more than a point in common.
func (c *checker) overlap(i, k int32) error {
	s, t := c.outline.segments[i], c.outline.segments[k]
	points := []Point{s.a, s.b, t.a, t.b}
	slices.SortFunc(points, func(p, q Point) int {
		if p.X != q.X {
			return sign(p.X - q.X)
		}
		return sign(p.Y - q.Y)
	})

	reason := "runs along another ring"
	if c.ringOf[i] == c.ringOf[k] {
		reason = "runs back along itself"
	}

	return c.fault(min(c.ringOf[i], c.ringOf[k]), points[1], reason)
}

// checkCross returns an error for two segments that cross in a point inside both.
func (c *checker) checkCross(i, k int32) error {
	if i < 0 || k < 0 {
		return nil
	}

	i, k = min(i, k), max(i, k)
	s, t := c.outline.segments[i], c.outline.segments[k]
	if !s.box().intersects(t.box()) || side(s.a, s.b, t.a)*side(s.a, s.b, t.b) >= 0 || side(t.a, t.b, s.a)*side(t.a, t.b, s.b) >= 0 {
		return nil
	}

	return c.crossed(i, k, crossing(s, t))
}

func (c *checker) crossed(i, k int32, at Point) error {
	if c.ringOf[i] == c.ringOf[k] {
		return c.fault(c.ringOf[i], at, "crosses itself")
	}
	return c.fault(min(c.ringOf[i], c.ringOf[k]), at, "crosses another ring")
}

// checkAround checks a junction of several rings. Each ring may visit it once. Around the junction, two rings
// that touch are next to each other, or one is between the two branches of the other. Rings that cross alternate.
func (c *checker) checkAround(j *junction) error {
	c.around = c.around[:0]
	through := int32(-1)
	for _, i := range j.below {
		if _, high := c.outline.segments[i].upward(); high != j.at {
			if through >= 0 {
				return c.crossed(through, i, j.at)
			}
			through = i
		}
		c.around = append(c.around, c.ringOf[i])
	}

	for n := len(j.above) - 1; n >= 0; n-- {
		c.around = append(c.around, c.ringOf[j.above[n]])
	}

	err := c.match(j.at)
	for _, ring := range c.around {
		if err == nil && c.met[ring] > 0 && len(c.around) > 2 {
			t := touch{j.at, ring, -1}
			if through >= 0 && c.ringOf[through] == ring {
				t.segment = through
			}
			c.touches = append(c.touches, t)
		}
		c.met[ring] = 0
	}

	return err
}

// match matches the two branches of each ring around a junction like the brackets of a text.
func (c *checker) match(at Point) error {
	c.open = c.open[:0]
	for _, ring := range c.around {
		c.met[ring]++
		switch n := len(c.open); {
		case c.met[ring] > 2:
			return c.fault(ring, at, "touches itself")
		case c.met[ring] == 1:
			c.open = append(c.open, ring)
		case c.open[n-1] != ring:
			return c.fault(min(ring, c.open[n-1]), at, "crosses another ring")
		default:
			c.open = c.open[:n-1]
		}
	}

	return nil
}

// before returns the previous segment of the ring.
func (r ring) before(i int32) int32 {
	if i == r.first {
		return r.end - 1
	}
	return i - 1
}

// between reports whether the direction from at to p is in the sector counter-clockwise from the direction of u
// to that of v.
func between(at, u, v, p Point) bool {
	left, right := side(at, u, p) > 0, side(at, v, p) < 0
	if turn := side(at, u, v); turn > 0 || turn == 0 && opposite(at, u, v) {
		return left && right
	}
	return left || right
}

// opposite reports whether two points on a line through at are on different sides of it.
func opposite(at, u, v Point) bool {
	return (u.X > at.X) != (v.X > at.X) && u.X != at.X || (u.Y > at.Y) != (v.Y > at.Y) && u.Y != at.Y
}

// crossing returns approximately where two segments cross.
func crossing(s, t segment) Point {
	d1, _ := det(t.a, t.b, s.a)
	d2, _ := det(t.a, t.b, s.b)
	f := d1 / (d1 - d2)
	return Point{s.a.X + f*(s.b.X-s.a.X), s.a.Y + f*(s.b.Y-s.a.Y)}
}
