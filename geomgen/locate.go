package geomgen

import "math"

// CellAt returns the cell that contains p. ok is false if there is none, beyond column or row 2^30 and outside
// the world of tiles.
//
// Cells are half-open, so each place is in exactly one of them. A cell includes its left and lower edges, a tile
// its left and upper ones. A flat hexagon includes its lower edge and the two on the left, and a pointy one its
// left edge and the two below. That is exact to the last bit at lines along the axes. At the slanted edges of
// hexagons, and in rotated grids, where the edges before the rotation count, rounding decides about places within
// a few units in the last place of an edge.
//
// The function cell_at in the ledger's schema computes the same in the same steps. For many points, use a
// Locator.
func (g Grid) CellAt(p Point) (c Cell, ok bool) {
	return NewLocator(g).CellAt(p)
}

// Locator finds the cells that contain points. It is immutable.
type Locator struct {
	grid    Grid
	lattice lattice
}

// NewLocator returns a Locator for a grid. For a rotated grid, it computes sine and cosine, which takes far
// longer than finding a cell.
func NewLocator(g Grid) *Locator {
	return &Locator{g, g.lattice()}
}

// CellAt returns the same as Grid.CellAt.
func (f *Locator) CellAt(p Point) (c Cell, ok bool) {
	g, l := f.grid, f.lattice
	// No cell is that far away. This also catches infinity and NaN.
	far := 8 * MaxIndex * (g.DX + g.DY)
	if !(math.Abs(p.X-l.x0) <= far && math.Abs(p.Y-l.y0) <= far) {
		return Cell{}, false
	}

	if l.rotated {
		x, y := p.X-l.x0, p.Y-l.y0
		p = Point{float64(l.cos*x) + float64(l.sin*y), float64(l.cos*y) - float64(l.sin*x)}
		l.x0, l.y0 = 0, 0
	}

	var col, row float64
	switch g.Shape {
	case HexagonFlat:
		col, row = hexagonAt(axis{l.x0, l.sx}, axis{l.y0, l.sy}, p.X, p.Y)
	case HexagonPointy:
		row, col = hexagonAt(axis{l.y0, l.sy}, axis{l.x0, l.sx}, p.Y, p.X)

	case XYZ:
		// Rows count downwards from the upper edge, which belongs to the tile.
		col, row = axis{l.x0, g.DX}.below(p.X), axis{-l.y0, g.DY}.below(-p.Y)
		if side := float64(g.World().MaxCol); col < 0 || row < 0 || col >= side || row >= side {
			return Cell{}, false
		}
	default:
		col, row = axis{l.x0, l.sx}.below(p.X), axis{l.y0, l.sy}.below(p.Y)
	}

	if col < -MaxIndex || row < -MaxIndex || col >= MaxIndex || row >= MaxIndex {
		return Cell{}, false
	}
	return Cell{int32(col), int32(row)}, true
}

// axis is one direction of a lattice: the position of line 0, and the distance between lines.
type axis struct{ origin, step float64 }

// at returns the position of a line. The conversion prevents the compiler from fusing the product with the sum,
// which some CPUs would round differently.
func (a axis) at(line float64) float64 { return a.origin + float64(line*a.step) }

// below returns the last line that is not above v. Rounding of the quotient may have skipped one line, but not
// more.
func (a axis) below(v float64) float64 {
	line := math.Floor((v - a.origin) / a.step)
	switch {
	case a.at(line) > v:
		return line - 1
	case a.at(line+1) <= v:
		return line + 1
	}
	return line
}

// hexagonAt returns the hexagon that contains a place; x and y are the axes of a flat one. Along x, every third
// line of the lattice has the centres of a column. Along y, every second line has them: the even or the odd ones.
func hexagonAt(x, y axis, px, py float64) (col, row float64) {
	// The column whose centres are to the left of the place, and the hexagon in it next to the place.
	col = math.Floor((px - x.origin) / x.step / 3)
	odd := float64(int64(col) & 1)

	m := 2*math.Floor(((py-y.origin)/y.step-odd+1)/2) + odd
	switch {
	case y.at(m-1) > py:
		m -= 2
	case y.at(m+1) <= py:
		m += 2
	}

	// Its edges on the right are where both distances from its centre add up to 2.
	u, v := (px-x.at(3*col))/x.step, (py-y.at(m))/y.step
	if u+math.Abs(v) >= 2 {
		col++
		odd = 1 - odd
		if v >= 0 {
			m++
		} else {
			m--
		}
	}

	return col, (m - odd) / 2
}

// AppendNeighbours appends the cells around a cell: eight for a square or tile, six for a hexagon. It leaves out
// cells beyond column or row 2^30, and tiles west and north of the world. It does not leave out tiles beyond the
// last one of a zoom.
func (s Shape) AppendNeighbours(dst []Cell, c Cell) []Cell {
	lowest := int32(-MaxIndex)
	if s == XYZ {
		lowest = 0
	}

	add := func(col, row int32) {
		if col >= lowest && col < MaxIndex && row >= lowest && row < MaxIndex {
			dst = append(dst, Cell{col, row})
		}
	}

	switch s {
	case HexagonFlat:
		// In the columns next to an even column, the neighbour with the same row is half a cell higher, and the
		// one with the row below is half a cell lower.
		odd := c.Col & 1
		for _, col := range [...]int32{c.Col - 1, c.Col + 1} {
			add(col, c.Row+odd-1)
			add(col, c.Row+odd)
		}
		add(c.Col, c.Row-1)
		add(c.Col, c.Row+1)

	case HexagonPointy:
		odd := c.Row & 1
		for _, row := range [...]int32{c.Row - 1, c.Row + 1} {
			add(c.Col+odd-1, row)
			add(c.Col+odd, row)
		}
		add(c.Col-1, c.Row)
		add(c.Col+1, c.Row)

	default:
		for row := c.Row - 1; row <= c.Row+1; row++ {
			for col := c.Col - 1; col <= c.Col+1; col++ {
				if col != c.Col || row != c.Row {
					add(col, row)
				}
			}
		}
	}

	return dst
}

// Parent returns the cell that contains c in the grid with the same origin and k times the cell size. For tiles,
// k = 2 is the zoom above. k must be at least 1. Hexagons do not nest, so they have no parents.
func (c Cell) Parent(k int32) Cell {
	// Division rounds towards 0, but negative numbers must round down.
	down := func(n int32) int32 {
		if n < 0 {
			return -1 - (-1-n)/k
		}
		return n / k
	}
	return Cell{down(c.Col), down(c.Row)}
}
