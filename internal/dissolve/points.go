package dissolve

import (
	"context"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// leafPoints is the maximum number of points in a leaf of a pointTree.
const leafPoints = 8

// pointTree finds points on segments: a k-d tree without pointers. The point in the middle of a
// part divides it into the points before it and those after it, by x and y in turn. Source: J. L.
// Bentley, Multidimensional Binary Search Trees Used for Associative Searching, CACM 18 (1975).
type pointTree struct {
	points []geomgen.Point
	order  []uint32 // the numbers of the points
}

// newPointTree makes a tree of points. If ctx ends, it returns soon, and the tree is useless.
func newPointTree(ctx context.Context, points []geomgen.Point) *pointTree {
	t := &pointTree{points: points, order: make([]uint32, len(points))}
	for i := range t.order {
		t.order[i] = uint32(i)
	}

	t.build(ctx, t.order, false)
	return t
}

func (t *pointTree) build(ctx context.Context, part []uint32, byY bool) {
	for len(part) > leafPoints {
		if len(part) > 4096 && ctx.Err() != nil {
			return
		}

		middle := len(part) / 2
		t.selectMiddle(part, middle, byY)
		byY = !byY
		t.build(ctx, part[:middle], byY)
		part = part[middle+1:]
	}
}

func (t *pointTree) value(i uint32, byY bool) float64 {
	if byY {
		return t.points[i].Y
	}
	return t.points[i].X
}

// selectMiddle moves the k-th point to its place, and puts points that are not greater before it.
// Source: C. A. R. Hoare, Algorithm 65: Find, CACM 4 (1961).
func (t *pointTree) selectMiddle(part []uint32, k int, byY bool) {
	for lo, hi := 0, len(part)-1; lo < hi; {
		pivot := t.value(part[lo+(hi-lo)/2], byY)
		if hi-lo > 64 { // the median of three, for input that is already sorted
			a, c := t.value(part[lo], byY), t.value(part[hi], byY)
			pivot = max(min(a, pivot), min(max(a, pivot), c))
		}

		i, j := lo, hi
		for i <= j {
			for t.value(part[i], byY) < pivot {
				i++
			}
			for t.value(part[j], byY) > pivot {
				j--
			}
			if i <= j {
				part[i], part[j] = part[j], part[i]
				i, j = i+1, j-1
			}
		}

		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return
		}
	}
}

// on appends the numbers of the points that lie on a segment, between its ends.
func (t *pointTree) on(dst []uint32, a, b geomgen.Point) []uint32 {
	s := stretch{a: a, b: b}
	s.slack = 1e-14 * (math.Abs(a.X) + math.Abs(b.X) + math.Abs(a.Y) + math.Abs(b.Y))
	s.xmin, s.xmax = min(a.X, b.X), max(a.X, b.X)
	s.ymin, s.ymax = min(a.Y, b.Y), max(a.Y, b.Y)
	return t.search(dst, t.order, &s, s.box(), false)
}

// stretch is a segment to search along.
type stretch struct {
	a, b                   geomgen.Point
	xmin, xmax, ymin, ymax float64
	slack                  float64 // the maximum error of a computed coordinate
}

func (s *stretch) box() geomgen.Box {
	return geomgen.Box{XMin: s.xmin, YMin: s.ymin, XMax: s.xmax, YMax: s.ymax}
}

// search searches a part of the tree for points on the piece of a segment that lies in a box.
func (t *pointTree) search(dst []uint32, part []uint32, s *stretch, box geomgen.Box, byY bool) []uint32 {
	for len(part) > leafPoints {
		middle := len(part) / 2
		at := t.value(part[middle], byY)
		dst = t.take(dst, part[middle], s)

		before, behind := s.cut(box, at, byY)
		byY = !byY
		if before.XMin <= before.XMax && before.YMin <= before.YMax {
			dst = t.search(dst, part[:middle], s, before, byY)
		}
		if box = behind; !(box.XMin <= box.XMax && box.YMin <= box.YMax) {
			return dst
		}
		part = part[middle+1:]
	}

	for _, i := range part {
		dst = t.take(dst, i, s)
	}
	return dst
}

func (t *pointTree) take(dst []uint32, i uint32, s *stretch) []uint32 {
	p := t.points[i]
	if p.X < s.xmin || p.X > s.xmax || p.Y < s.ymin || p.Y > s.ymax || p == s.a || p == s.b || geomgen.Side(s.a, s.b, p) != 0 {
		return dst
	}
	return append(dst, i)
}

// cut divides the box of a piece at a line across x or y into the parts that are not above and not
// below the line. Each encloses its part of the segment, and is empty if there is none.
func (s *stretch) cut(box geomgen.Box, at float64, byY bool) (before, behind geomgen.Box) {
	before, behind = box, box
	if byY {
		before.YMax, behind.YMin = min(box.YMax, at), max(box.YMin, at)
		s.narrow(&before.XMin, &before.XMax, &behind.XMin, &behind.XMax, at-s.a.Y, s.b.Y-s.a.Y, s.a.X, s.b.X)
	} else {
		before.XMax, behind.XMin = min(box.XMax, at), max(box.XMin, at)
		s.narrow(&before.YMin, &before.YMax, &behind.YMin, &behind.YMax, at-s.a.X, s.b.X-s.a.X, s.a.Y, s.b.Y)
	}

	return before, behind
}

// narrow narrows both parts in the other direction to the place where the segment, which goes from
// u to v there, meets the line. rise is the distance to the line, out of a whole run.
func (s *stretch) narrow(beforeMin, beforeMax, behindMin, behindMax *float64, rise, run, u, v float64) {
	share := rise / run
	if !(share > 0 && share < 1) || math.IsInf(v-u, 0) { // the line is beyond the segment or parallel to it
		return
	}

	w := u + share*(v-u)
	if (run > 0) == (v > u) { // both rise
		*beforeMax, *behindMin = min(*beforeMax, w+s.slack), max(*behindMin, w-s.slack)
	} else {
		*beforeMin, *behindMax = max(*beforeMin, w-s.slack), min(*behindMax, w+s.slack)
	}
}
