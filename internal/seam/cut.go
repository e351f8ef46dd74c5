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

// Cut returns the areas that rings on the globe enclose, as polygons in a frame. A ring is closed,
// and has the area on its left. From each point to the next it takes the short way around, whatever
// their x. The x of points at a pole has no meaning. A ring may go around a pole: the polygon then
// reaches up to the pole along the edge of the frame.
//
// Cut divides rings into chains from edge to edge of the frame, and rings that do not reach the
// edge. At the end of a chain it follows the frame counter-clockwise to the beginning of the next
// chain, so the area is on the left there, too. Source of the method: K. Weiler and P. Atherton,
// Hidden Surface Removal Using Polygon Area Sorting, SIGGRAPH 1977.
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
	rings  [][]geomgen.Point // without a repeated closing point
}

// step is a straight piece of a ring inside the frame.
type step struct{ a, b geomgen.Point }

// addRing splits a ring where it meets the frame's edge.
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

// appendSteps appends the path from a to b, which lie in the frame. It cuts the path where it
// crosses the seam, and leaves out parts that run along the frame's edge.
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

	// One of the two points may lie on the seam, with the path on the other side.
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

// back moves a point from beyond the seam to its exact original place in the frame, to. If that is
// on the seam, the point stays on its side.
func (f Frame) back(p, to geomgen.Point) geomgen.Point {
	if p = f.across(p); !f.onEdge(p) {
		p.X = to.X
	}

	return p
}

// across returns a point on or beyond the seam with its x on the other side of the frame.
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
	place  float64 // distance counter-clockwise along the edge, from the lower left corner
	inward geomgen.Point
}

// join connects chains along the frame's edge to rings.
func (c *cutter) join() error {
	var ends []end
	for i, chain := range c.chains {
		n := len(chain)
		ends = append(ends,
			end{i, false, chain[0], c.frame.place(chain[0]), sub(chain[1], chain[0])},
			end{i, true, chain[n-1], c.frame.place(chain[n-1]), sub(chain[n-2], chain[n-1])})
	}

	slices.SortStableFunc(ends, func(e, f end) int {
		// At the same place, clockwise by their directions into the frame.
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

// place returns the place of a point on the frame's edge, counter-clockwise from the lower left
// corner.
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

// appendCorners appends the frame's corners between two places on its edge. If wraps is true, the
// second place comes after the lower left corner.
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
