package geomgen

import "context"

// ShellsAround returns, for each ring, the index of the innermost shell around it, or -1 if there is none. Rings
// must be closed, with shells counter-clockwise and holes clockwise. They may touch but must not cross; if they
// cross, the result is undefined. With n points it takes about n log n steps. If ctx ends, ShellsAround stops and
// returns the cause.
func ShellsAround(ctx context.Context, rings [][]Point) ([]int, error) {
	var o outline
	for n, points := range rings {
		r := ring{first: int32(len(o.segments)), polygon: n}
		for i := 1; i < len(points); i++ {
			if s := (segment{points[i-1], points[i]}); s.a != s.b {
				o.segments = append(o.segments, s)
			}
		}
		if r.end = int32(len(o.segments)); r.end > r.first {
			o.rings = append(o.rings, r)
		}
	}

	const unknown = -2
	around := make([]int, len(rings))
	for i := range around {
		around[i] = unknown
	}

	ringOf := make([]int32, len(o.segments))
	for _, r := range o.rings {
		for i := r.first; i < r.end; i++ {
			ringOf[i] = int32(r.polygon)
		}
	}

	ccw := make([]bool, len(rings))
	for _, r := range o.rings {
		ccw[r.polygon] = RingArea(rings[r.polygon]) > 0
	}

	s := outlineSweep(&o)
	s.visit = func(j *junction) error {
		left := j.left
		for _, i := range j.above {
			if r := ringOf[i]; around[r] == unknown { // the ring begins here
				around[r] = -1
				if left >= 0 {
					around[r] = rightOf(ccw, o.segments, around, ringOf[left], left)
				}
			}
			left = i
		}

		return nil
	}

	return around, s.run(ctx)
}

// rightOf returns the innermost shell around the place to the right of a segment of a ring.
func rightOf(ccw []bool, segments []segment, around []int, r, i int32) int {
	// A shell has its inside to the left of its segments: on the page, to the right of those that go down.
	if !segments[i].rises() && ccw[r] {
		return int(r)
	}
	return around[r]
}
