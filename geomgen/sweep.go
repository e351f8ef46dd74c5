package geomgen

import (
	"context"
	"slices"
)

// sweep moves a line over segments, from the lowest point to the highest. At each of their ends, it knows which
// segments the line crosses, from left to right. For points of the same height, the left one comes first, as if
// the line were tilted slightly. With n segments it takes about n log n steps.
//
// The order along the line is exact as long as segments do not cross. They may have common ends, and ends inside
// other segments. Sources: M. I. Shamos and D. Hoey, Geometric Intersection Problems, FOCS 1976; J. L. Bentley
// and T. A. Ottmann, Algorithms for Reporting and Counting Geometric Intersections, IEEE Transactions on
// Computers 28 (1979).
type sweep struct {
	segments []segment
	vertices []vertex
	// weight is, for each segment, how much more often the area winds around the place to its left than around
	// the place to its right. nil means 1 for all.
	weight []int32
	// winding is, for each segment that the line has reached, how often the area winds around the place to its
	// right, as the line sees it.
	winding []int32
	// visit is called for each point. An error ends the sweep. The junction belongs to the sweep.
	visit func(j *junction) error

	status       status
	begun, ended []int32
	junction     junction
}

// vertex is a point with ends of segments: their indexes, or -1.
type vertex struct {
	at Point
	of [2]int32
}

// junction is a point where segments begin and end, or that is inside a segment.
type junction struct {
	at       Point
	vertices int // number of vertices
	// The segments through it from left to right, directly below it and directly above it.
	below, above []int32
	left, right  int32 // the segments next to it, or -1
}

// rises reports whether a segment goes up, so that the sweep meets its beginning first.
func (s segment) rises() bool {
	return s.a.Y < s.b.Y || s.a.Y == s.b.Y && s.a.X < s.b.X
}

// upward returns the ends of a segment in the order in which a sweep meets them.
func (s segment) upward() (low, high Point) {
	if s.rises() {
		return s.a, s.b
	}
	return s.b, s.a
}

// outlineSweep returns a sweep over the segments of an outline.
func outlineSweep(o *outline) *sweep {
	s := &sweep{segments: o.segments, vertices: make([]vertex, len(o.segments)), winding: make([]int32, len(o.segments))}
	for _, r := range o.rings {
		for i := r.first; i < r.end; i++ {
			s.vertices[i] = vertex{o.segments[i].a, [2]int32{r.before(i), i}}
		}
	}

	return s
}

// run sweeps. If ctx ends, it stops and returns the cause.
func (s *sweep) run(ctx context.Context) error {
	sortUntil(ctx, s.vertices, func(v, w vertex) int {
		if v.at.Y != w.at.Y {
			return sign(v.at.Y - w.at.Y)
		}
		return sign(v.at.X - w.at.X)
	})

	for first, n := 0, 0; first < len(s.vertices); n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}

		p := s.vertices[first].at
		s.begun, s.ended = s.begun[:0], s.ended[:0]
		last := first
		for ; last < len(s.vertices) && s.vertices[last].at == p; last++ {
			for _, i := range s.vertices[last].of {
				s.sort(p, i)
			}
		}

		s.junction.at, s.junction.vertices = p, last-first
		first = last
		if err := s.pass(); err != nil {
			return err
		}
	}

	return nil
}

// sortUntil sorts. If ctx ends, it returns soon and leaves any order.
func sortUntil[T any](ctx context.Context, list []T, compare func(a, b T) int) {
	n, ended := 0, false
	slices.SortFunc(list, func(a, b T) int {
		if n++; n&0xffff == 0 && !ended {
			ended = ctx.Err() != nil
		}
		if ended {
			return 0 // as if all were equal, which takes few steps
		}
		return compare(a, b)
	})
}

// sort records whether a segment begins or ends in a point.
func (s *sweep) sort(p Point, i int32) {
	if i < 0 {
		return
	}

	if low, _ := s.segments[i].upward(); low == p {
		s.begun = append(s.begun, i)
	} else {
		s.ended = append(s.ended, i)
	}
}

// pass moves the line over a junction.
func (s *sweep) pass() error {
	j := &s.junction
	at := s.find(j)
	j.left = s.status.before(at)
	s.rise(j)
	s.wind(j)
	s.status.replace(at, len(j.below), j.above)

	if len(j.below) < len(s.ended) { // segments cross, so they are not in order
		for _, i := range s.ended {
			if !slices.Contains(j.below, i) {
				s.status.remove(i)
			}
		}
	}

	if s.visit == nil {
		return nil
	}
	return s.visit(j)
}

// find finds the segments that come to a junction from below, their position, and the segment to the right of
// them.
func (s *sweep) find(j *junction) spot {
	p := j.at
	at := s.status.search(func(i int32) bool {
		low, high := s.segments[i].upward()
		return side(low, high, p) < 0
	})

	j.below = j.below[:0]
	next := at
	for {
		i := s.status.at(next)
		if j.right = i; i < 0 {
			return at
		}
		if low, high := s.segments[i].upward(); side(low, high, p) != 0 {
			return at
		}

		j.below = append(j.below, i)
		next = s.status.next(next)
	}
}

// rise finds the segments that leave a junction upwards: those that begin there, and those that contain it.
func (s *sweep) rise(j *junction) {
	j.above = append(j.above[:0], s.begun...)
	for _, i := range j.below {
		if _, high := s.segments[i].upward(); high != j.at {
			j.above = append(j.above, i)
		}
	}

	if len(j.above) > 1 {
		slices.SortFunc(j.above, func(i, k int32) int { return s.turn(j.at, i, k) })
	}
}

// turn returns on which side of one upward segment from a point another one is.
func (s *sweep) turn(p Point, i, k int32) int {
	_, a := s.segments[i].upward()
	_, b := s.segments[k].upward()
	return side(p, a, b)
}

// wind counts how often the area winds around the places between the segments above a junction. Next to a segment
// that contains the junction, it is as often as below.
func (s *sweep) wind(j *junction) {
	n := int32(0)
	if j.left >= 0 {
		n = s.winding[j.left]
	}

	for _, i := range j.above {
		if low, _ := s.segments[i].upward(); low == j.at {
			w := int32(1)
			if s.weight != nil {
				w = s.weight[i]
			}
			if s.segments[i].rises() {
				w = -w
			}
			s.winding[i] = n + w
		}
		n = s.winding[i]
	}
}
