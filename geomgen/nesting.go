package geomgen

import "slices"

// checkNesting reports rings that do not cross, but lie where they must not: on
// the right of each segment must be no area.
func (o *outline) checkNesting() error {
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

// checkConnected reports a polygon whose rings touch so that they cut its inside
// in two: then one can go round from ring to ring by the points where they touch
// and come back another way.
func (o *outline) checkConnected(touches []touch) error {
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

	// Sets of rings and places that hang together (union and find).
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

// withCorners returns the outline with a corner in each segment that another ring
// touches, so that rings touch in corners alone. The points lie on the segments,
// so nothing moves.
func (o *outline) withCorners(touches []touch) outline {
	cuts := make(map[int32][]Point)
	for _, t := range touches {
		for k := range t.ring {
			if t.insideThat[k] {
				cuts[t.segment[k]] = append(cuts[t.segment[k]], t.at)
			}
		}
	}

	if len(cuts) == 0 {
		return *o
	}

	var out outline
	for _, r := range o.rings {
		from := int32(len(out.segments))
		for i := r.first; i < r.end; i++ {
			s := o.segments[i]
			points := cuts[i]
			slices.SortFunc(points, func(p, q Point) int { // from s.a to s.b
				if s.a.X != s.b.X {
					return sign(p.X-q.X) * sign(s.b.X-s.a.X)
				}
				return sign(p.Y-q.Y) * sign(s.b.Y-s.a.Y)
			})

			for _, p := range append(slices.Compact(points), s.b) {
				out.segments = append(out.segments, segment{s.a, p})
				out.next = append(out.next, int32(len(out.segments)))
				s.a = p
			}
		}

		r.first, r.end = from, int32(len(out.segments))
		out.next[r.end-1] = from
		out.rings = append(out.rings, r)
	}

	out.index = newTree(out.segments)
	return out
}
