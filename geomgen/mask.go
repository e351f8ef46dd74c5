package geomgen

import (
	"context"
	"math"
	"strconv"
)

// Mask selects cells of a grid by an area of interest and a rule. It decides in exact arithmetic, without a
// tolerance. If two areas share an edge, a cell there is in both or in neither only if the rule says so. A Mask
// is immutable.
type Mask struct {
	grid    Grid
	lattice lattice
	contour contour
	rule    Rule
}

// NewMask returns a mask of polygons in the grid's CRS, which must be valid together: see CheckPolygons. The
// error is an *InvalidError for invalid polygons, and a *ParamError for an unknown rule or an empty area.
// NewMaskContext can be cancelled.
func NewMask(g Grid, polygons []Polygon, rule Rule) (*Mask, error) {
	return NewMaskContext(context.Background(), g, polygons, rule)
}

// NewMaskContext is NewMask with a context. If ctx ends, it stops and returns the cause.
func NewMaskContext(ctx context.Context, g Grid, polygons []Polygon, rule Rule) (*Mask, error) {
	if err := rule.check(); err != nil {
		return nil, err
	}

	o, err := validOutline(ctx, polygons)
	if err != nil {
		return nil, err
	}

	if len(o.segments) == 0 {
		return nil, &ParamError{"aoi", "(none)", "is empty: it has no polygons"}
	}

	c := newContour(ctx, &o)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}

	return &Mask{g, g.lattice(), c, rule}, nil
}

// Bounds returns the box around the area, in CRS units.
func (m *Mask) Bounds() Box { return m.contour.index.bounds() }

// Contains reports whether the mask selects a cell.
func (m *Mask) Contains(c Cell) bool {
	v := m.lattice.convex(m.grid, c)
	near, _ := m.collect(nil, v.box, math.MaxInt)
	return m.selects(c, &v, near)
}

// selects decides a cell. near must have all segments whose boxes intersect the cell's.
func (m *Mask) selects(c Cell, v *convex, near []int32) bool {
	switch m.rule {
	case Intersects:
		for _, i := range near {
			if v.intersects(m.contour.segment(i)) {
				return true
			}
		}
		return m.containsPoint(v.corners[0])
	case Centroid:
		return m.containsPoint(m.lattice.centre(m.grid.Shape, c))
	}

	// If the edge runs through the inside of the cell, there is area on one side of it and none on the other.
	if m.edgeCrosses(v, near) {
		return m.rule == Overlaps
	}
	return m.containsPoint(m.lattice.centre(m.grid.Shape, c))
}

// edgeCrosses reports whether the area's edge runs through the inside of a cell.
func (m *Mask) edgeCrosses(v *convex, near []int32) bool {
	for _, i := range near {
		if v.crosses(m.contour.segment(i)) {
			return true
		}
	}
	return false
}

// containsPoint reports whether a point is in the area or on its edge.
func (m *Mask) containsPoint(p Point) bool {
	inside, edge := m.contour.locate(p)
	return inside || edge
}

// collect appends the segments near a box. all is false if there are more than most; the list is then incomplete.
func (m *Mask) collect(dst []int32, box Box, most int) (near []int32, all bool) {
	return m.contour.collect(dst, box, most)
}

// mayIntersect reports whether a segment may have a point in common with a box. If it returns false, that is
// certain.
func (s segment) mayIntersect(b Box) bool {
	if !b.intersects(s.box()) {
		return false
	}

	// The corners furthest left and furthest right of the line.
	dx, dy := s.b.X-s.a.X, s.b.Y-s.a.Y
	l, r := Point{b.XMin, b.YMax}, Point{b.XMax, b.YMin}
	if dx < 0 {
		l.Y, r.Y = b.YMin, b.YMax
	}
	if dy < 0 {
		l.X, r.X = b.XMax, b.XMin
	}

	dl, offL := det(s.a, s.b, l)
	dr, offR := det(s.a, s.b, r)
	return !(dl < -offL || dr > offR)
}

// blockBox returns a box around the cells of a block that are in a range.
func (m *Mask) blockBox(b Block, r Range) Box {
	return m.lattice.around(m.grid.Shape, r.Intersect(b.cells()))
}

// BoxAround returns a box around cells, in CRS units. For hexagons and rotated grids, it is a little larger than
// necessary.
func (g Grid) BoxAround(r Range) Box {
	l := g.lattice()
	return l.around(g.Shape, r)
}

// around returns a box around cells, as small as possible without visiting each of them.
func (l *lattice) around(s Shape, r Range) Box {
	k0, m0, k1, m1 := s.span(r)
	var b Box
	for i, p := range [...]Point{l.at(k0, m0), l.at(k1, m0), l.at(k0, m1), l.at(k1, m1)} {
		at := Box{p.X, p.Y, p.X, p.Y}
		if i == 0 {
			b = at
		}
		b = b.union(at)
	}

	if l.rotated {
		// Rotated points are rounded individually.
		off := 4e-15 * (math.Abs(b.XMin) + math.Abs(b.XMax) + math.Abs(b.YMin) + math.Abs(b.YMax) + math.Abs(l.x0) + math.Abs(l.y0))
		b = Box{b.XMin - off, b.YMin - off, b.XMax + off, b.YMax + off}
	}

	return b
}

// span returns the lines of the lattice that enclose all corners of some cells.
func (s Shape) span(r Range) (k0, m0, k1, m1 int64) {
	lo, hi := Cell{r.MinCol, r.MinRow}, Cell{r.MaxCol - 1, r.MaxRow - 1}
	k0, m0 = s.base(lo)
	k1, m1 = s.base(hi)
	switch s {
	case HexagonFlat:
		return k0 - 2, 2*int64(lo.Row) - 1, k1 + 2, 2*int64(hi.Row) + 2
	case HexagonPointy:
		return 2*int64(lo.Col) - 1, m0 - 2, 2*int64(hi.Col) + 2, m1 + 2
	}

	return k0, m0, k1 + 1, m1 + 1
}

// checkStep returns a *ParamError for cells so small, compared with their coordinates, that rounding would show:
// each cell of a mask or a rotated grid needs room for several steps of the number format.
func (g Grid) checkStep(r Range) error {
	l := g.lattice()
	b := l.around(g.Shape, r)
	far := max(math.Abs(b.XMin), math.Abs(b.XMax), math.Abs(b.YMin), math.Abs(b.YMax), math.Abs(l.x0), math.Abs(l.y0))
	if !finite(far) {
		return &ParamError{"cell-size", g.size(), "the cells reach beyond the largest number"}
	}
	if ulp := math.Nextafter(far, math.Inf(1)) - far; min(l.sx, math.Abs(l.sy)) < 64*ulp {
		return &ParamError{"cell-size", g.size(), "is too small at coordinate " + number(far) +
			", where numbers lie " + strconv.FormatFloat(ulp, 'g', 3, 64) + " apart"}
	}

	return nil
}
