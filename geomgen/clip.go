package geomgen

import (
	"context"
	"fmt"
	"slices"
)

// Clipper computes the part of a cell that is in a mask's area. It reuses its memory from one cell to the next,
// so only one goroutine may use it.
//
// Inside a cell, the area's edge consists of chains, each from the cell's edge to the cell's edge, and of rings
// that do not reach it. The area is to the left of both. A chain that leaves the cell is followed,
// counter-clockwise along the cell's edge, by the next chain that enters it. Source: K. Weiler and P. Atherton,
// Hidden Surface Removal Using Polygon Area Sorting, SIGGRAPH 1977. Here, exact arithmetic decides the order
// along the cell's edge.
//
// The ends of chains are rounded independently of each other (see crossSide). Nothing else moves. If a rounded
// end comes so close to another point that this may matter, repair makes the part valid.
type Clipper struct {
	mask   *Mask
	cell   convex
	near   []int32
	pieces []piece
	ends   []end
	order  []int32 // the ends along the cell's edge
	rim    []place // the cell's edge
	at     []int   // position of an end in rim
	spots  []Point
	index  *tree // used if there are many spots
	rings  rings
}

// piece is the part of a segment inside a cell.
type piece struct {
	segment      int32
	enter, leave int32 // indexes of its ends in Clipper.ends, or -1 if it begins or ends inside
	used         bool
}

// end is a point where a piece meets the cell's edge, or where the area's edge touches it from outside.
type end struct {
	piece  int32 // -1 if the area's edge only touches
	leaves bool
	// Side of the cell, from 0. A corner belongs to the side that begins there.
	side int
	// The rounded point, and what rounding removed.
	at, rest Point
	// The point is an end of the segment or a corner, so its coordinates are exact.
	exact bool
}

// NewClipper returns a Clipper for the cells of the mask's grid.
func NewClipper(m *Mask) *Clipper {
	return &Clipper{mask: m}
}

// Part is a part of a cell.
type Part struct {
	// Share is the part's share of the cell's area, from 0 to 1. It is exactly 1 only if the whole cell is in the
	// area, and exactly 0 only if they have no more than an edge or a point in common. It is the share of the
	// part before its points are rounded.
	Share float64
	// Rings are the part's closed rings: each shell, counter-clockwise, followed by its holes, clockwise.
	// Together they are valid according to CheckPolygons. They are empty if Share is 0 or 1, and if the part is
	// so thin that its rounded points have no area. They belong to the Clipper and are valid until its next use.
	//
	// The parts of cells that share a side have the same points on it. Points are corners of the area and of the
	// cell, and the crossings of the area's edge with the cell's edge. Each coordinate of a crossing is within
	// one unit in the last place.
	Rings [][]Point
	// Shells has the index in Rings of each shell.
	Shells []int
}

// Clip returns the part of a cell that is in the area. An error is a bug in this package and names the cell.
// ClipContext can be cancelled.
func (c *Clipper) Clip(cell Cell) (Part, error) {
	return c.ClipContext(context.Background(), cell)
}

// ClipContext is Clip with a context. If ctx ends, it stops and returns the cause. With n points of the area in
// the cell it takes about n log n steps.
func (c *Clipper) ClipContext(ctx context.Context, cell Cell) (Part, error) {
	m := c.mask
	c.cell = m.lattice.convex(m.grid, cell)
	c.near, _ = m.collect(c.near[:0], c.cell.box, len(m.contour.points))
	slices.Sort(c.near)
	if err := c.addPieces(ctx); err != nil {
		return Part{}, err
	}

	if len(c.pieces) == 0 {
		if m.containsPoint(m.lattice.centre(m.grid.Shape, cell)) {
			return Part{Share: 1}, nil
		}
		return Part{}, nil
	}

	c.addTouches()
	c.walkRim()
	c.rings.reset()
	err := c.trace()
	if err == nil && c.delicate(ctx) {
		c.rings.reset()
		err = c.repair(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return Part{}, context.Cause(ctx)
	case err != nil:
		return Part{}, fmt.Errorf("cutting cell %d,%d at the edge of the area: %w", cell.Col, cell.Row, err)
	}

	part, err := c.rings.part(ctx)
	if err != nil {
		return Part{}, err
	}

	part.Share = c.share()
	return part, nil
}

// addPieces finds the parts of nearby segments inside the cell.
func (c *Clipper) addPieces(ctx context.Context) error {
	c.pieces, c.ends = c.pieces[:0], c.ends[:0]
	for n, i := range c.near {
		if n%4096 == 4095 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if s := c.mask.contour.segment(i); c.cell.crosses(s) {
			c.addPiece(i, s)
		}
	}

	return nil
}

// addPiece adds the part inside the cell of a segment that enters it.
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

// addEnd adds the point where a segment enters or leaves the cell. The line goes through the inside, so it has
// corners on both sides. Counter-clockwise, corners change from its left to its right where it enters, and back
// where it leaves.
func (c *Clipper) addEnd(s segment, sides *[maxCorners]int, leaves bool) int32 {
	from, to := 1, -1
	if leaves {
		from, to = -1, 1
	}

	e := end{piece: int32(len(c.pieces)), leaves: leaves}
	n := c.cell.n
	for k := range n {
		before, here, after := sides[(k+n-1)%n], sides[k], sides[(k+1)%n]
		if here == 0 && before == from && after == to {
			e.side, e.at, e.exact = k, c.cell.corners[k], true
			break
		}
		if here == from && after == to {
			e.side = k
			break
		}
	}

	// An end of the segment that is not inside but on the cell's edge is the point itself.
	p := s.a
	if leaves {
		p = s.b
	}
	switch {
	case e.exact:
	case c.onEdge(p):
		e.at, e.exact = p, true
	default:
		a, b := c.cell.side(e.side)
		e.at, e.rest = crossSide(s, a, b)
	}

	c.ends = append(c.ends, e)
	return int32(len(c.ends) - 1)
}

// addTouches adds the corners of the area that are on the cell's edge without being the end of a piece, because
// they are points of the neighbouring cell.
func (c *Clipper) addTouches() {
	known := c.exactEnds()
	for _, i := range c.near {
		p := c.mask.contour.segment(i).a
		b := &c.cell.box
		if !(p.X >= b.XMin && p.X <= b.XMax && p.Y >= b.YMin && p.Y <= b.YMax) ||
			c.cell.containsPoint(p) || !c.onEdge(p) {
			continue
		}

		if slices.Contains(c.cell.corners[:c.cell.n], p) || known(p) {
			continue
		}
		for k := range c.cell.n {
			if a, b := c.cell.side(k); side(a, b, p) == 0 {
				c.ends = append(c.ends, end{piece: -1, side: k, at: p, exact: true})
				break
			}
		}
	}
}

// exactEnds returns a function that reports whether a point is the exact end of a piece.
func (c *Clipper) exactEnds() (is func(p Point) bool) {
	ends := c.ends
	if len(ends) <= few {
		return func(p Point) bool {
			return slices.ContainsFunc(ends, func(e end) bool { return e.exact && e.at == p })
		}
	}

	at := make(map[Point]bool, len(ends))
	for _, e := range ends {
		if e.exact {
			at[e.at] = true
		}
	}
	return func(p Point) bool { return at[p] }
}

// few is the largest number of items that are compared one by one. More items get an index.
const few = 64

// onEdge reports whether a point that is not inside the cell is on its edge.
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
