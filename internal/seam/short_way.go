package seam

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// LongWay tells whether the straight path between two points is longer than the path across the
// seam. From edge to edge of the frame it is not: that is how a polygon ends at a pole.
func (f Frame) LongWay(p, q geomgen.Point) bool {
	d := math.Abs(q.X - p.X)
	return d > f.Period()/2 && d < f.Period()*(1-Tolerance)
}

// Snap returns polygons whose points near the frame's edge are moved onto it. Rings without such
// points are shared with the input.
func (f Frame) Snap(polygons []geomgen.Polygon) []geomgen.Polygon {
	moves := func(q geomgen.Point) bool { return f.snap(q) != q }
	snapped := polygons
	for i, p := range polygons {
		for k, ring := range p {
			first := slices.IndexFunc(ring, moves)
			if first < 0 {
				continue
			}

			if &snapped[0] == &polygons[0] {
				snapped = slices.Clone(polygons)
			}
			if &snapped[i][0] == &p[0] {
				snapped[i] = slices.Clone(p)
			}

			ring = slices.Clone(ring)
			for n := first; n < len(ring); n++ {
				ring[n] = f.snap(ring[n])
			}
			snapped[i][k] = ring
		}
	}

	return snapped
}

// ShortWay returns a polygon whose edges take the short way across the seam, cut there. A ring
// around the globe encloses the pole on its side of the equator. A polygon without edges longer
// than half the frame is returned as it is.
func (f Frame) ShortWay(ctx context.Context, p geomgen.Polygon) ([]geomgen.Polygon, error) {
	long := slices.ContainsFunc(p, func(ring []geomgen.Point) bool {
		for i := 1; i < len(ring); i++ {
			if f.LongWay(ring[i-1], ring[i]) {
				return true
			}
		}
		return false
	})
	if !long {
		return []geomgen.Polygon{p}, nil
	}

	rings := make([][]geomgen.Point, len(p))
	for k, ring := range p {
		left, err := f.leftward(ring, k > 0)
		if err != nil {
			return nil, err
		}

		rings[k] = left
	}

	return Cut(ctx, rings, f)
}

// leftward returns a ring in the direction that has the area on its left: the inside of a shell,
// the outside of a hole.
func (f Frame) leftward(ring []geomgen.Point, hole bool) ([]geomgen.Point, error) {
	unwrapped, turns := f.unwrap(ring)
	left := geomgen.RingArea(unwrapped) > 0

	if turns != 0 { // eastward, the north pole is on the left
		north, south := false, false
		for _, q := range ring {
			north, south = north || q.Y > 0, south || q.Y < 0
		}
		if north == south {
			return nil, errors.New("it goes around the Earth on both sides of the equator, so it may contain either pole")
		}

		left = (turns > 0) == north
	}

	if left != hole {
		return ring, nil
	}

	turned := slices.Clone(ring)
	slices.Reverse(turned)
	return turned, nil
}

// unwrap returns a ring in the plane, where x continues beyond the seam, and how often it goes
// around eastward.
func (f Frame) unwrap(ring []geomgen.Point) (unwrapped []geomgen.Point, turns int) {
	for i, q := range ring {
		if i > 0 && f.LongWay(ring[i-1], q) {
			if q.X > ring[i-1].X {
				turns--
			} else {
				turns++
			}
		}

		unwrapped = append(unwrapped, geomgen.Point{X: q.X + float64(turns)*f.Period(), Y: q.Y})
	}

	return unwrapped, turns
}
