package geomgen

import "math"

// CellAt returns the cell that p is in; ok is false where there is none, beyond
// column or row 2^30 and outside the world of tiles.
//
// Cells are half-open, so that each place is in one of them: a cell has its left
// and lower edges, a tile its left and upper ones, a flat hexagon its lower edge and
// the two on the left, a pointy one its left edge and the two below. That is exact to
// the last bit at lines along the axes. At the slanted edges of hexagons, and in
// turned grids, where it is the edges before the turn that count, rounding decides
// about places that are some units in the last place from an edge.
//
// The function cell_at in the ledger's schema computes the same in the same steps.
// For many points see Locator.
func (g Grid) CellAt(p Point) (c Cell, ok bool) {
	return NewLocator(g).CellAt(p)
}

// Locator finds the cells that points are in. It is not changed by its use.
type Locator struct {
	grid    Grid
	lattice lattice
}

// NewLocator returns a Locator for a grid. Of a turned one it computes sine and cosine,
// which takes far longer than to find a cell.
func NewLocator(g Grid) *Locator {
	return &Locator{g, g.lattice()}
}

// CellAt is that of the grid.
func (f *Locator) CellAt(p Point) (c Cell, ok bool) {
	g, l := f.grid, f.lattice
	// No cell is that far away; here infinite numbers and what is none end as well.
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
		// Rows count downwards from the upper edge, which is a tile's own.
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

// axis is one direction of a lattice: where line 0 is, and how far it is from one
// line to the next.
type axis struct{ origin, step float64 }

// at returns where a line is. The conversion keeps the compiler from fusing the
// product with the sum, which some CPUs would round differently.
func (a axis) at(line float64) float64 { return a.origin + float64(line*a.step) }

// below returns the last line that is not above v. The quotient may have been
// rounded over one line, not over more.
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

// hexagonAt returns the hexagon that a place is in, and takes x and y for those of a
// flat one. The lattice has the centres of a column on each third of its lines in x,
// and on each second in y, the even or the odd ones.
func hexagonAt(x, y axis, px, py float64) (col, row float64) {
	// The column whose centres are left of the place, and in it the hexagon beside it.
	col = math.Floor((px - x.origin) / x.step / 3)
	odd := float64(int64(col) & 1)

	m := 2*math.Floor(((py-y.origin)/y.step-odd+1)/2) + odd
	switch {
	case y.at(m-1) > py:
		m -= 2
	case y.at(m+1) <= py:
		m += 2
	}

	// The edges on its right lie where both distances from its centre add up to 2.
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

// AppendNeighbours appends the cells around a cell: the eight of a square or tile,
// the six of a hexagon. Those beyond column or row 2^30 are left out, and so are
// tiles west and north of the world; those beyond the last tile of a zoom are not.
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
		// Of an even column, the neighbours in the next ones are half a cell higher
		// with the same row, half a cell lower with the one below.
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

// Parent returns the cell that holds c in the grid with the same origin and k times
// the cell size; of tiles, k = 2 is the zoom above. k is at least 1. Hexagons do not
// nest: there is no such cell of them.
func (c Cell) Parent(k int32) Cell {
	// Division rounds to 0, and what is below 0 belongs further down.
	down := func(n int32) int32 {
		if n < 0 {
			return -1 - (-1-n)/k
		}
		return n / k
	}
	return Cell{down(c.Col), down(c.Row)}
}
