package geomgen

import "math"

// Squares writes the rings of rectangles along the axes, one block at a time. It computes the lines of the grid
// that cross the block once for all of its cells.
type Squares struct {
	grid Grid
	// The left, right, lower and upper lines of the cells of the block, as the bits that go into the EWKB.
	xmin, xmax, ymin, ymax [1 << MaxBlockLevel]uint64
}

// NewSquares returns a Squares for the cells of g.
func NewSquares(g Grid) *Squares {
	return &Squares{grid: g}
}

// Put implements Writer.
func (s *Squares) Put(dst []byte, offset uint8) {
	s.PutRing((*[BoxRingLen]byte)(dst), offset)
}

// SetBlock prepares the cells of b, whose level must be at most MaxBlockLevel.
func (s *Squares) SetBlock(b Block) {
	x, y := math.Float64bits(s.grid.X(b.Col)), math.Float64bits(s.grid.Y(b.Row))
	for i := range int32(1) << b.Level {
		s.xmin[i], s.ymin[i] = x, y
		x, y = math.Float64bits(s.grid.X(b.Col+i+1)), math.Float64bits(s.grid.Y(b.Row+i+1))
		s.xmax[i], s.ymax[i] = x, y
	}
}

// PutRing writes the five points of the cell at an offset in the block. The offset is packed as in
// BlockOrder.Offsets.
func (s *Squares) PutRing(dst *[BoxRingLen]byte, offset uint8) {
	x, y := offset&15, offset>>4
	putBoxRing(dst, s.xmin[x], s.ymin[y], s.xmax[x], s.ymax[y])
}
