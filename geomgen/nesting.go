package geomgen

import (
	"cmp"
	"slices"
)

// checkNesting returns an error for rings that do not cross but are in the wrong place: no segment may have area
// to its right. winding comes from a sweep: how often the area winds around the place to the right of a segment,
// as seen on the page.
func (o *outline) checkNesting(winding []int32) error {
	for n, r := range o.rings {
		up := r.first
		for o.segments[up].b.Y <= o.segments[up].a.Y {
			up++ // a ring that comes back to where it began goes up somewhere
		}

		reason := ""
		switch w := winding[up]; {
		case w == 0:
			continue
		case r.hole == 0 && w > 0:
			reason = "lies in another polygon"
		case r.hole == 0:
			reason = "lies in a hole that has no shell"
		case w < 0:
			reason = "lies outside of its shell or in another hole"
		default:
			reason = "lies in more than one polygon"
		}

		return &InvalidError{Polygon: o.rings[n].polygon, Ring: r.hole, At: o.segments[up].a, Reason: reason}
	}

	return nil
}

// checkConnected returns an error for a polygon whose rings touch so that they cut its inside in two. That is so
// if there is a closed path from ring to ring by different points where they touch. Touches in one point follow
// each other in the list.
func (o *outline) checkConnected(touches []touch) error {
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

	polygon := func(t touch) int { return o.rings[t.ring].polygon }
	for len(touches) > 0 {
		n := slices.IndexFunc(touches, func(t touch) bool { return t.at != touches[0].at })
		if n < 0 {
			n = len(touches)
		}

		here := touches[:n]
		touches = touches[n:]
		slices.SortFunc(here, func(t, u touch) int { return cmp.Or(cmp.Compare(polygon(t), polygon(u)), cmp.Compare(t.ring, u.ring)) })

		place := int32(-1)
		for i, t := range here {
			if i == 0 || polygon(t) != polygon(here[i-1]) {
				place = int32(len(parent)) // a place of this polygon
				parent = append(parent, place)
			}

			a, b := find(t.ring), find(place)
			if a == b {
				r := o.rings[t.ring]
				return &InvalidError{Polygon: r.polygon, Ring: r.hole, At: t.at,
					Reason: "touches another ring, and together they cut the inside of the polygon in two"}
			}
			parent[a] = b
		}
	}

	return nil
}

// withCorners returns the outline with a corner in each segment that another ring touches, so that rings touch
// only in corners. The points are on the segments, so nothing moves.
func (o *outline) withCorners(touches []touch) outline {
	cuts := slices.DeleteFunc(slices.Clone(touches), func(t touch) bool { return t.segment < 0 })
	if len(cuts) == 0 {
		return *o
	}

	slices.SortFunc(cuts, func(t, u touch) int {
		if t.segment != u.segment {
			return cmp.Compare(t.segment, u.segment)
		}
		return compareAlong(o.segments[t.segment], t.at, u.at)
	})

	var out outline
	n := len(o.segments) + len(cuts)
	out.segments, out.next, out.rings = make([]segment, 0, n), make([]int32, 0, n), make([]ring, 0, len(o.rings))

	for _, r := range o.rings {
		from := int32(len(out.segments))
		for i := r.first; i < r.end; i++ {
			s := o.segments[i]
			for ; len(cuts) > 0 && cuts[0].segment == i; cuts = cuts[1:] {
				out.segments = append(out.segments, segment{s.a, cuts[0].at})
				s.a = cuts[0].at
			}
			out.segments = append(out.segments, s)
		}

		r.first, r.end = from, int32(len(out.segments))
		for i := r.first; i < r.end; i++ {
			out.next = append(out.next, i+1)
		}
		out.next[r.end-1] = from
		out.rings = append(out.rings, r)
	}

	return out
}

// compareAlong compares points on a segment by their distance from its beginning.
func compareAlong(s segment, p, q Point) int {
	if s.a.X != s.b.X {
		return sign(p.X-q.X) * sign(s.b.X-s.a.X)
	}
	return sign(p.Y-q.Y) * sign(s.b.Y-s.a.Y)
}
