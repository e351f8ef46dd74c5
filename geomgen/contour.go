package geomgen

import "context"

// contour is the edge of an area, prepared for point queries. The area is to the left of each of its segments.
// Segment i goes from point i to the next one.
type contour struct {
	points []Point // one ring after another, each closed by its first point
	next   []int32 // next segment in the ring, or -1 after the last one of a ring; nil for a single ring
	index  tree
}

// segment returns a segment.
func (c *contour) segment(i int32) segment { return segment{c.points[i], c.points[i+1]} }

// follows returns the next segment in the ring.
func (c *contour) follows(i int32) int32 {
	switch {
	case c.next != nil:
		return c.next[i]
	case int(i)+2 == len(c.points):
		return 0
	}
	return i + 1
}

// isSegment reports whether an index from 0 to the last point's is the index of a segment.
func (c *contour) isSegment(i int) bool {
	return i+1 < len(c.points) && (c.next == nil || c.next[i] >= 0)
}

// contour returns an outline without its index.
func (o *outline) contour() contour {
	c := contour{points: make([]Point, 0, len(o.segments)+len(o.rings))}
	if len(o.rings) > 1 {
		c.next = make([]int32, 0, cap(c.points))
	}

	for _, r := range o.rings {
		first := int32(len(c.points))
		for _, s := range o.segments[r.first:r.end] {
			c.points = append(c.points, s.a)
			if c.next != nil {
				c.next = append(c.next, int32(len(c.points)))
			}
		}

		c.points = append(c.points, o.segments[r.end-1].b)
		if c.next != nil {
			c.next[len(c.next)-1] = first
			c.next = append(c.next, -1)
		}
	}

	return c
}

// newContour returns an outline as a contour. If ctx ends, it returns soon, with an unusable result.
func newContour(ctx context.Context, o *outline) contour {
	index := newTree(ctx, o.segments)
	if len(o.rings) > 1 { // in a contour, the index after each ring is not a segment
		numbers := make([]int32, 0, len(o.segments))
		for n, r := range o.rings {
			for i := r.first; i < r.end; i++ {
				numbers = append(numbers, i+int32(n))
			}
		}
		for n, i := range index.items {
			index.items[n] = numbers[i]
		}
	}

	c := o.contour()
	c.index = index

	return c
}

// collect appends the segments near a box. all is false if there are more than most; the list is then incomplete.
func (c *contour) collect(dst []int32, box Box, most int) (near []int32, all bool) {
	all = true
	start := len(dst)
	c.index.walk(box, func(items []int32) bool {
		for _, i := range items {
			if c.segment(i).mayIntersect(box) {
				dst = append(dst, i)
			}
		}
		all = len(dst)-start <= most
		return all
	})

	return dst, all
}
