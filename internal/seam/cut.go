package seam

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// errOrder means that rings cross each other, or do not have the area on their left.
var errOrder = errors.New("rings cross each other at the seam")

// Cut returns what rings on the globe enclose, as polygons in a frame. A ring is closed, and
// has the area on its left. From one of its points to the next it takes the short way round,
// whatever their x say; the x of points at a pole is not looked at. A ring may go round a
// pole: the polygon then reaches up to it along the edge of the frame.
//
// Rings become chains from edge to edge of the frame, and rings that do not reach it. Where a
// chain ends, the frame is followed counter-clockwise to the beginning of the next: the area
// is on the left there as well. Source of the method: K. Weiler and P. Atherton, Hidden
// Surface Removal Using Polygon Area Sorting, SIGGRAPH 1977.
func Cut(ctx context.Context, rings [][]geomgen.Point, f Frame) ([]geomgen.Polygon, error) {
	c := cutter{frame: f}
	for _, ring := range rings {
		c.addRing(ring)
	}

	if err := c.join(); err != nil {
		return nil, err
	}

	return c.polygons(ctx)
}

// cutter collects chains and rings in a frame.
type cutter struct {
	frame  Frame
	chains [][]geomgen.Point
	rings  [][]geomgen.Point // not closed by a repeated point
}

// step is a straight piece of a ring inside the frame.
type step struct{ a, b geomgen.Point }

// addRing takes a ring apart where it meets the frame's edge.
func (c *cutter) addRing(ring []geomgen.Point) {
	var steps []step
	for i := 1; i < len(ring); i++ {
		steps = c.appendSteps(steps, c.frame.into(ring[i-1]), c.frame.into(ring[i]))
	}

	first := slices.IndexFunc(steps, func(s step) bool { return c.frame.onEdge(s.a) })

	switch {
	case len(steps) == 0:
		return
	case first < 0:
		whole := make([]geomgen.Point, len(steps))
		for i, s := range steps {
			whole[i] = s.a
		}

		c.rings = append(c.rings, whole)
		return
	}

	var chain []geomgen.Point
	for i := range steps {
		s := steps[(first+i)%len(steps)]
		if len(chain) == 0 {
			chain = append(chain, s.a)
		}

		chain = append(chain, s.b)
		if c.frame.onEdge(s.b) {
			c.chains = append(c.chains, chain)
			chain = nil
		}
	}
}

// appendSteps appends the way from a to b, which lie in the frame: cut where it crosses the
// seam, and without what runs along the frame's edge.
func (c *cutter) appendSteps(steps []step, a, b geomgen.Point) []step {
	f, to := c.frame, b

	switch {
	case f.atPole(a) && f.atPole(b):
		return steps
	case f.atPole(a):
		a.X = b.X
	case f.atPole(b):
		b.X = a.X
	}

	switch half, period := f.Period()/2, f.Period(); {
	case b.X-a.X > half:
		b.X -= period
	case a.X-b.X > half:
		b.X += period
	}

	// One of the two may lie on the seam, and the way on its other side.
	if a.X >= f.XMax && b.X > f.XMax || a.X <= f.XMin && b.X < f.XMin {
		a, b = f.across(a), f.back(b, to)
	}

	if b.X >= f.XMin && b.X <= f.XMax {
		return f.appendInside(steps, a, b)
	}

	edge := f.XMax
	if b.X < f.XMin {
		edge = f.XMin
	}

	at := geomgen.Point{X: edge, Y: a.Y + (edge-a.X)/(b.X-a.X)*(b.Y-a.Y)}
	steps = f.appendInside(steps, a, at)
	return f.appendInside(steps, f.across(at), f.back(b, to))
}

// back returns a point beyond the seam in the place where it was in the frame, to, to the last
// bit; where that is on the seam, on the side that the point is on.
func (f Frame) back(p, to geomgen.Point) geomgen.Point {
	if p = f.across(p); !f.onEdge(p) {
		p.X = to.X
	}

	return p
}

// across returns a point on the seam or beyond it by its x on the other side of the frame.
func (f Frame) across(p geomgen.Point) geomgen.Point {
	if p.X >= f.XMax {
		p.X -= f.Period()
	} else {
		p.X += f.Period()
	}

	return f.snap(p)
}

// appendInside appends a step, unless it has no length or runs along the seam.
func (f Frame) appendInside(steps []step, a, b geomgen.Point) []step {
	if a == b || a.X == b.X && (a.X == f.XMin || a.X == f.XMax) {
		return steps
	}

	return append(steps, step{a, b})
}

// end is an end of a chain on the frame's edge.
type end struct {
	chain  int
	leaves bool
	at     geomgen.Point
	place  float64 // counter-clockwise along the edge, from the lower left corner
	inward geomgen.Point
}

// join follows chains and the frame's edge to rings.
func (c *cutter) join() error {
	var ends []end
	for i, chain := range c.chains {
		n := len(chain)
		ends = append(ends,
			end{i, false, chain[0], c.frame.place(chain[0]), sub(chain[1], chain[0])},
			end{i, true, chain[n-1], c.frame.place(chain[n-1]), sub(chain[n-2], chain[n-1])})
	}

	slices.SortStableFunc(ends, func(e, f end) int {
		// In one place clockwise by their directions into the frame.
		return cmp.Or(cmp.Compare(e.place, f.place), cmp.Compare(0, cross(f.inward, e.inward)))
	})

	leave := make([]int, len(c.chains))
	for i, e := range ends {
		if e.leaves {
			leave[e.chain] = i
		}
	}

	used := make([]bool, len(c.chains))
	for i := range c.chains {
		if used[i] {
			continue
		}

		var ring []geomgen.Point
		for at := i; !used[at]; {
			used[at] = true
			ring = append(ring, c.chains[at]...)

			n := leave[at]
			next := ends[(n+1)%len(ends)]
			if next.leaves {
				return errOrder
			}

			ring = c.frame.appendCorners(ring, ends[n].place, next.place, n+1 == len(ends))
			at = next.chain
		}

		c.rings = append(c.rings, ring)
	}

	return nil
}

// place returns where a point of the frame's edge lies, counter-clockwise from the lower left
// corner on.
func (f Frame) place(p geomgen.Point) float64 {
	width, height := f.Period(), f.YMax-f.YMin

	switch {
	case p.Y == f.YMin:
		return p.X - f.XMin
	case p.X == f.XMax:
		return width + p.Y - f.YMin
	case p.Y == f.YMax:
		return width + height + f.XMax - p.X
	}

	return 2*width + height + f.YMax - p.Y
}

// appendCorners appends the frame's corners between two places on its edge, the second of
// which comes after the lower left corner where wraps is true.
func (f Frame) appendCorners(ring []geomgen.Point, from, to float64, wraps bool) []geomgen.Point {
	width, height := f.Period(), f.YMax-f.YMin
	round := 2 * (width + height)
	if wraps {
		to += round
	}

	corners := [...]geomgen.Point{{X: f.XMax, Y: f.YMin}, {X: f.XMax, Y: f.YMax}, {X: f.XMin, Y: f.YMax}, {X: f.XMin, Y: f.YMin}}
	places := [...]float64{width, width + height, 2*width + height, round}

	for lap := 0.0; lap <= round; lap += round {
		for i, p := range corners {
			if at := places[i] + lap; at > from && at < to {
				ring = append(ring, p)
			}
		}
	}

	return ring
}

func sub(p, q geomgen.Point) geomgen.Point { return geomgen.Point{X: p.X - q.X, Y: p.Y - q.Y} }

func cross(u, v geomgen.Point) float64 { return u.X*v.Y - u.Y*v.X }
