package geomgen

// Order of the curve: a quadrant of the grid is a square of 2^30 x 2^30 cells.
const curveOrder = 30

// MaxID is the largest possible cell_id.
const MaxID int64 = 1<<62 - 1

// An orient is one of the eight orientations of a piece of the Hilbert curve in its square: an element of the
// symmetry group of the square. Applied to coordinates (u, v) along the textbook curve, it first exchanges and
// then mirrors them.
//
// The textbook curve needs four of the eight. Quadrants with negative columns or rows are mirror images and need
// the other four. With all eight, no other code has to handle signs.
type orient uint8

const (
	exchange orient = 1 << iota
	mirrorX
	mirrorY
)

// apply returns the position of (u, v) in a square of the given side.
func (o orient) apply(u, v, side int32) (x, y int32) {
	if o&exchange != 0 {
		u, v = v, u
	}
	if o&mirrorX != 0 {
		u = side - 1 - u
	}
	if o&mirrorY != 0 {
		v = side - 1 - v
	}

	return u, v
}

// unapply is the inverse of apply.
func (o orient) unapply(x, y, side int32) (u, v int32) {
	if o&mirrorX != 0 {
		x = side - 1 - x
	}
	if o&mirrorY != 0 {
		y = side - 1 - y
	}
	if o&exchange != 0 {
		x, y = y, x
	}

	return x, y
}

// then returns the orientation of a part with orientation p in a whole with orientation o.
func (o orient) then(p orient) orient {
	if o&exchange != 0 {
		p = p&exchange | p&mirrorX<<1 | p&mirrorY>>1
	}
	return o ^ p
}

// quarter returns the position of quarter d (0 to 3, in the order of the curve) of a square with orientation o, 0
// or 1 in each direction, and its orientation.
//
// In the textbook curve, the quarters are (0,0), (0,1), (1,1), (1,0). The first one is exchanged, and the last
// one is exchanged and mirrored both ways. Source: the function d2xy of
// https://en.wikipedia.org/wiki/Hilbert_curve, after D. Hilbert, Ueber die stetige Abbildung einer Linie auf ein
// Flaechenstueck, Math. Ann. 38 (1891).
func (o orient) quarter(d int32) (x, y int32, q orient) {
	u := d >> 1
	x, y = o.apply(u, u^d&1, 2)
	switch d {
	case 0:
		q = exchange
	case 3:
		q = exchange | mirrorX | mirrorY
	}
	return x, y, o.then(q)
}

// quadrant returns the block of a quadrant of the grid. Bit 0 means negative columns and bit 1 negative rows;
// each is a mirror image.
func quadrant(q int32) Block {
	b := Block{ID: int64(q) << 60, Level: curveOrder}
	if q&1 != 0 {
		b.Col = -MaxIndex
		b.orient |= mirrorX
	}

	if q&2 != 0 {
		b.Row = -MaxIndex
		b.orient |= mirrorY
	}

	return b
}

// CellID returns a cell's number on the Hilbert curve, from 0 to MaxID. It depends only on column and row, so a
// grid that grows keeps every id:
//
//	quadrant << 60 | xy2d(|col|, |row|)
//
// A negative column counts as -1-col and sets bit 0 of the quadrant. A negative row counts as -1-row and sets bit 1.
// xy2d is the textbook function of order 30. Column and row must be in [-MaxIndex, MaxIndex-1].
func CellID(c Cell) int64 {
	q := int32(0)
	if c.Col < 0 {
		q |= 1
	}
	if c.Row < 0 {
		q |= 2
	}

	b := quadrant(q)
	id, o := b.ID, b.orient
	x, y := c.Col-b.Col, c.Row-b.Row
	for s := curveOrder - 1; s >= 0; s-- {
		u, v := o.unapply(x>>s&1, y>>s&1, 2)
		d := 3*u ^ v
		id |= int64(d) << (2 * s)
		_, _, o = o.quarter(d)
	}

	return id
}

// CellOf returns the cell with the given cell_id. ok is false for an id outside [0, MaxID].
func CellOf(id int64) (c Cell, ok bool) {
	if id < 0 || id > MaxID {
		return Cell{}, false
	}

	b := quadrant(int32(id >> 60))
	c, o := Cell{b.Col, b.Row}, b.orient
	for s := curveOrder - 1; s >= 0; s-- {
		var x, y int32
		x, y, o = o.quarter(int32(id >> (2 * s) & 3))
		c.Col += x << s
		c.Row += y << s
	}

	return c, true
}

// BlockOrder holds the order of the cells in blocks up to MaxBlockLevel, for loops that cannot afford the curve's
// arithmetic for each cell. It is small (11 kB) and takes a few microseconds to make: make one per loop.
type BlockOrder struct {
	offsets [MaxBlockLevel + 1][8][1 << (2 * MaxBlockLevel)]uint8
}

// NewBlockOrder returns the order of all blocks up to MaxBlockLevel.
func NewBlockOrder() *BlockOrder {
	t := new(BlockOrder)
	for level := 1; level <= MaxBlockLevel; level++ {
		quarterCells := 1 << (2 * (level - 1))
		shift := level - 1
		for o := range orient(8) {
			for d := range int32(4) {
				x, y, q := o.quarter(d)
				base := uint8(x<<shift | y<<(shift+4))
				for k, off := range t.offsets[level-1][q][:quarterCells] {
					t.offsets[level][o][int(d)*quarterCells+k] = base + off
				}
			}
		}
	}

	return t
}

// Offsets returns, for each cell of b in the order of cell_id, its column and row relative to the block's lower
// left cell: the column in the low four bits, the row in the high four. The block's level must be at most
// MaxBlockLevel.
func (t *BlockOrder) Offsets(b Block) []uint8 {
	return t.offsets[b.Level][b.orient][:b.Cells()]
}
