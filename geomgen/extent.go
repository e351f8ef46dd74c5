package geomgen

import (
	"fmt"
	"math"
	"strconv"
)

// Extent returns the cells whose inside meets the inside of the extent e. Cells are never cut. Hexagons and
// rotated grids have no such rectangle of columns and rows: the cells are then those of the Range that the Mask
// selects. Otherwise, the mask is nil.
//
// A bound is taken to be on a line through corners if it is within 1e-9 of a cell of that line, or so close that
// the number format hardly distinguishes them. Grids have no such lines if they are rotated by an angle that is
// not a multiple of 90 degrees.
//
// The error is a *ParamError for an extent that is reversed, empty or not finite, and for cells that CheckRange
// refuses.
func (g Grid) Extent(e Box) (Range, *Mask, error) {
	if err := g.checkExtent(e); err != nil {
		return Range{}, nil, err
	}
	if g.boxes() {
		r, err := g.within(e)
		return r, nil, err
	}

	if _, straight := g.quarters(); straight {
		given := e
		if e = g.snap(e); e.XMin >= e.XMax || e.YMin >= e.YMax {
			return Range{}, nil, &ParamError{"extent", given.String(), fmt.Sprintf(
				"is thinner than 1e-9 of a cell of size %s, so no cell lies in it", g.size())}
		}
	}

	r, err := g.Around(e)
	if err != nil {
		return Range{}, nil, err
	}

	m, err := NewMask(g, []Polygon{e.polygon()}, Overlaps)
	return r, m, err
}

func (g Grid) checkExtent(e Box) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if !finite(e.XMin) || !finite(e.YMin) || !finite(e.XMax) || !finite(e.YMax) {
		return &ParamError{"extent", e.String(), "all four numbers must be finite"}
	}
	if e.XMin > e.XMax || e.YMin > e.YMax {
		return &ParamError{"extent", e.String(), "is reversed: the order is XMIN,YMIN,XMAX,YMAX"}
	}
	if e.XMin == e.XMax || e.YMin == e.YMax {
		return &ParamError{"extent", e.String(), "is empty: it has no area"}
	}

	return nil
}

// within returns the cells of a grid of rectangles along the axes whose inside meets the inside of e.
func (g Grid) within(e Box) (Range, error) {
	quarters, _ := g.quarters()
	x, y := bounds{g.X0, e.XMin, e.XMax}, bounds{g.Y0, e.YMin, e.YMax}
	cols, rows := x, y
	switch quarters { // where columns and rows are, and in which direction they count
	case 1:
		cols, rows = y, x.mirrored()
	case 2:
		cols, rows = x.mirrored(), y.mirrored()
	case 3:
		cols, rows = y.mirrored(), x
	}
	if g.Shape == XYZ {
		rows = y.mirrored()
	}

	r := Range{
		MinCol: lineBelow(cols.origin, g.DX, cols.lo), MaxCol: lineAbove(cols.origin, g.DX, cols.hi),
		MinRow: lineBelow(rows.origin, g.DY, rows.lo), MaxRow: lineAbove(rows.origin, g.DY, rows.hi),
	}

	if g.Shape == XYZ {
		r = r.Intersect(g.World())
		if r.Count() == 0 {
			return Range{}, &ParamError{"extent", e.String(), "has no tile in it: the world ends at " + number(WorldBound) + " both ways"}
		}
		return r, nil
	}

	if !r.valid() {
		return Range{}, &ParamError{"extent", e.String(), fmt.Sprintf(
			"reaches beyond column or row 2^30 at cell size %s from origin %s", g.size(), pair(g.X0, g.Y0))}
	}
	if r.Count() == 0 {
		return Range{}, &ParamError{"extent", e.String(), fmt.Sprintf(
			"is thinner than 1e-9 of a cell of size %s, so no cell lies in it", g.size())}
	}

	return r, g.CheckRange(r)
}

// bounds are an extent's bounds in one direction, and the origin of the lines across it.
type bounds struct{ origin, lo, hi float64 }

// mirrored returns the bounds for lines that count in the other direction.
func (b bounds) mirrored() bounds { return bounds{-b.origin, -b.hi, -b.lo} }

// World returns all tiles of the grid's zoom. For other shapes, it returns all cells that have a cell_id.
func (g Grid) World() Range {
	if g.Shape == XYZ {
		n := int32(1) << g.Zoom
		return Range{MaxCol: n, MaxRow: n}
	}
	return Range{-MaxIndex, -MaxIndex, MaxIndex, MaxIndex}
}

// snap moves bounds of an extent that are almost on a line through corners of hexagons onto it.
func (g Grid) snap(e Box) Box {
	l := g.lattice()
	if quarters, _ := g.quarters(); quarters&1 == 1 { // each axis has the lines of the other one
		l.sx, l.sy = l.sy, l.sx
	}
	on := func(x0, d, v float64) float64 {
		if n, near := nearestLine(x0, d, v); near {
			return x0 + float64(float64(n)*d)
		}
		return v
	}
	return Box{on(l.x0, l.sx, e.XMin), on(l.y0, l.sy, e.YMin), on(l.x0, l.sx, e.XMax), on(l.y0, l.sy, e.YMax)}
}

// Around returns a rectangle of columns and rows with all cells that meet or touch b, and few others. The error
// is a *ParamError for cells beyond column or row 2^30 and for cells that CheckRange refuses.
func (g Grid) Around(b Box) (Range, error) {
	r := g.around(b)
	if g.Shape != XYZ && !r.valid() {
		return Range{}, &ParamError{"cell-size", g.size(), fmt.Sprintf(
			"makes cells beyond column or row 2^30 between %s and %s from origin %s", pair(b.XMin, b.YMin), pair(b.XMax, b.YMax), pair(g.X0, g.Y0))}
	}

	r = r.Intersect(g.World())
	if r.Count() == 0 {
		return Range{}, nil
	}

	return r, g.checkStep(r)
}

// AroundIn returns the cells of Around that are in a rectangle of columns and rows. Cells beyond 2^30 are an
// error only if the rectangle has no bounds of its own.
func (g Grid) AroundIn(r Range, b Box) (Range, error) {
	if r == g.World() {
		return g.Around(b)
	}
	r = g.around(b).Intersect(r)
	if r.Count() == 0 {
		return Range{}, nil
	}
	return r, g.checkStep(r)
}

// around is Around without its checks.
func (g Grid) around(b Box) Range {
	l := g.lattice()
	lo, hi := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, p := range b.polygon()[0] {
		x, y := p.X-l.x0, p.Y-l.y0
		if l.rotated {
			x, y = float64(l.cos*x)+float64(l.sin*y), float64(l.cos*y)-float64(l.sin*x)
		}
		x, y = x/l.sx, y/l.sy
		lo = Point{math.Min(lo.X, x), math.Min(lo.Y, y)}
		hi = Point{math.Max(hi.X, x), math.Max(hi.Y, y)}
	}

	// Steps of the lattice from one column or row to the next.
	cols, rows := 1.0, 1.0
	switch g.Shape {
	case HexagonFlat:
		cols, rows = 3, 2
	case HexagonPointy:
		cols, rows = 2, 3
	}

	// If a sum overflowed in both directions, nothing is known: return everything.
	index := func(f, unknown float64) int32 {
		if math.IsNaN(f) {
			f = unknown
		}
		return int32(math.Max(-MaxIndex-2, math.Min(MaxIndex+2, f)))
	}

	low, high := math.Inf(-1), math.Inf(1)
	return Range{
		MinCol: index(math.Floor(lo.X/cols)-2, low), MaxCol: index(math.Ceil(hi.X/cols)+3, high),
		MinRow: index(math.Floor(lo.Y/rows)-2, low), MaxRow: index(math.Ceil(hi.Y/rows)+3, high),
	}
}

// Intersect returns the cells that are in both r and o.
func (r Range) Intersect(o Range) Range {
	return Range{max(r.MinCol, o.MinCol), max(r.MinRow, o.MinRow), min(r.MaxCol, o.MaxCol), min(r.MaxRow, o.MaxRow)}
}

// CheckRange returns a *ParamError for cells whose corners would coincide or overflow: far from the origin,
// neighbouring floating-point numbers are further apart than a small cell is wide. For tiles, it returns one for
// tiles beyond the world.
func (g Grid) CheckRange(r Range) error {
	switch {
	case g.Shape == XYZ:
		if w := g.World(); r.Intersect(w) != r {
			return &ParamError{"cols", strconv.Itoa(int(r.MaxCol)), fmt.Sprintf("zoom %d has %d tiles in each direction", g.Zoom, w.MaxCol)}
		}
		return nil
	case !g.plain():
		return g.checkStep(r)
	}

	if err := checkLines(g.X(r.MinCol), g.X(r.MaxCol), g.DX, "x", g.size()); err != nil {
		return err
	}
	return checkLines(g.Y(r.MinRow), g.Y(r.MaxRow), g.DY, "y", g.size())
}

// polygon returns the box as a polygon, counter-clockwise.
func (b Box) polygon() Polygon {
	return Polygon{{{b.XMin, b.YMin}, {b.XMax, b.YMin}, {b.XMax, b.YMax}, {b.XMin, b.YMax}, {b.XMin, b.YMin}}}
}
