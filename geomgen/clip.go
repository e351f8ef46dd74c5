package geomgen

import (
	"fmt"
	"math"
	"slices"
)

// Clipper computes the part of a cell that lies in a mask's area. It keeps its
// memory from one cell to the next, so it is for one goroutine.
//
// The area's edge inside a cell is a number of chains, each from the cell's edge
// to the cell's edge, and of rings that do not reach it. With the area left of
// them, a chain that leaves the cell is followed, counter-clockwise along the
// cell's edge, by the next that enters it. Source: K. Weiler and P. Atherton,
// Hidden Surface Removal Using Polygon Area Sorting, SIGGRAPH 1977; here the order
// along the cell's edge is decided in exact arithmetic.
type Clipper struct {
	mask   *Mask
	cell   convex
	near   []int32
	pieces []piece
	ends   []end
	order  []int32 // the ends along the cell's edge
	place  []int   // of an end in that order
	rings  rings
	// How far a computed point may be off, in CRS units.
	rounding float64
}

// piece is what a segment has inside a cell.
type piece struct {
	segment      int32
	enter, leave int32 // numbers of its ends in Clipper.ends, -1 where it begins or ends inside
	used         bool
}

// end is where a piece meets the cell's edge.
type end struct {
	piece  int32
	leaves bool
	// The side of the cell, from 0, and how far along it, from 0 to below 1, give
	// or take off. A corner is the beginning of its side, exactly.
	side   int
	t, off float64
	at     Point
	// The point is an end of the segment or a corner, so that its coordinates are
	// exact.
	exact bool
}

// NewClipper returns a Clipper for the cells of the mask's grid.
func NewClipper(m *Mask) *Clipper {
	return &Clipper{mask: m}
}

// Part is a part of a cell.
type Part struct {
	// Share is the part's share of the cell's area, 0 to 1: exactly 1 where the
	// cell lies in the area, exactly 0 where they have no more than an edge or a
	// point in common.
	Share float64
	// Rings are the part's rings, closed: each shell, counter-clockwise, with its
	// holes, clockwise, behind it. Nothing where Share is 0 or 1. They are the
	// Clipper's, until its next use.
	Rings [][]Point
	// Shells has the place in Rings of each shell.
	Shells []int
}

// Clip returns the part of a cell that lies in the area. An error means a fault
// here: it names the cell.
func (c *Clipper) Clip(cell Cell) (Part, error) {
	m := c.mask
	c.cell = m.lattice.convex(m.grid, cell)
	c.near, _ = m.collect(c.near[:0], c.cell.box, len(m.outline.segments))
	slices.Sort(c.near)
	c.pieces, c.ends = c.pieces[:0], c.ends[:0]

	for _, i := range c.near {
		if s := m.outline.segments[i]; c.cell.crosses(s) {
			c.addPiece(i, s)
		}
	}

	if len(c.pieces) == 0 {
		if m.containsPoint(m.lattice.centre(m.grid.Shape, cell)) {
			return Part{Share: 1}, nil
		}
		return Part{}, nil
	}

	c.rings.reset()
	b := c.cell.box
	c.rounding = 4e-15 * max(math.Abs(b.XMin), math.Abs(b.XMax), math.Abs(b.YMin), math.Abs(b.YMax))
	if err := c.trace(); err != nil {
		return Part{}, fmt.Errorf("cutting cell %d,%d at the edge of the area: %w", cell.Col, cell.Row, err)
	}

	return c.rings.part(c.cell.area()), nil
}

// addPiece adds what a segment that enters the cell has inside it.
func (c *Clipper) addPiece(i int32, s segment) {
	p := piece{segment: i, enter: -1, leave: -1}
	var sides [maxCorners]int
	for k := range c.cell.n {
		sides[k] = side(s.a, s.b, c.cell.corners[k])
	}
	if !c.cell.containsPoint(s.a) {
		p.enter = c.addEnd(s, &sides, false)
	}
	if !c.cell.containsPoint(s.b) {
		p.leave = c.addEnd(s, &sides, true)
	}

	c.pieces = append(c.pieces, p)
}

// addEnd adds the point where a segment enters or leaves the cell. The line goes
// through the inside, so it has corners on both sides; counter-clockwise, they
// change from its left to its right where it enters, and back where it leaves.
func (c *Clipper) addEnd(s segment, sides *[maxCorners]int, leaves bool) int32 {
	from, to := 1, -1
	if leaves {
		from, to = -1, 1
	}

	e := end{piece: int32(len(c.pieces)), leaves: leaves}
	n := c.cell.n
	for k := range n {
		before, here, after := sides[(k+n-1)%n], sides[k], sides[(k+1)%n]
		switch {
		case here == 0 && before == from && after == to:
			e.side, e.at, e.exact = k, c.cell.corners[k], true
		case here == from && after == to:
			e.side = k
			c.cross(&e, s)
		default:
			continue
		}
		break
	}

	// An end of the segment that is not inside, but on the cell's edge, is the
	// point itself.
	p := s.a
	if leaves {
		p = s.b
	}
	if !e.exact && c.onEdge(p) {
		e.at, e.exact = p, true
	}

	c.ends = append(c.ends, e)
	return int32(len(c.ends) - 1)
}

// cross computes where a segment crosses the side of an end.
func (c *Clipper) cross(e *end, s segment) {
	p, q := c.cell.side(e.side)
	dp, offP := det(s.a, s.b, p)
	dq, offQ := det(s.a, s.b, q)
	whole := dp - dq
	e.t = dp / whole
	e.off = 2*(offP+offQ)/max(whole, -whole) + 4e-16
	if !(e.t > 0) {
		e.t = 0
	}
	if !(e.t < 1) {
		e.t = 1
	}

	e.at = Point{p.X + e.t*(q.X-p.X), p.Y + e.t*(q.Y-p.Y)}
	if c.cell.isBox { // along an axis: one coordinate is known
		if p.X == q.X {
			e.at = Point{p.X, clamp(e.at.Y, p.Y, q.Y)}
		} else {
			e.at = Point{clamp(e.at.X, p.X, q.X), p.Y}
		}
	}
}

func clamp(v, a, b float64) float64 {
	return max(min(a, b), min(max(a, b), v))
}

// onEdge tells whether a point that is not inside the cell is on its edge.
func (c *Clipper) onEdge(p Point) bool {
	if !c.cell.box.intersects(Box{p.X, p.Y, p.X, p.Y}) {
		return false
	}
	if c.cell.isBox {
		return true
	}

	for i := range c.cell.n {
		if a, b := c.cell.side(i); side(a, b, p) < 0 {
			return false
		}
	}

	return true
}
