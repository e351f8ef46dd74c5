package geomgen

// MaxBlockLevel is the level of the largest blocks that Walk yields: 16 x 16 cells, enough to make the cost of a
// block negligible.
const MaxBlockLevel = 4

// Range is a half-open rectangle of cells: columns from MinCol up to, and excluding, MaxCol, and rows in the same
// way.
type Range struct {
	MinCol int32 `json:"min_col"`
	MinRow int32 `json:"min_row"`
	MaxCol int32 `json:"max_col"`
	MaxRow int32 `json:"max_row"`
}

// Block is an aligned square of 2^Level x 2^Level cells. Its cells have a contiguous range of cell_id that begins
// at ID.
type Block struct {
	ID       int64 // the smallest cell_id in it
	Col, Row int32 // lower left cell
	Level    uint8 // 0 to 30
	orient   orient
}

// Cells returns the number of cells in the block, 4^Level.
func (b Block) Cells() int64 {
	return 1 << (2 * b.Level)
}

// Last returns the largest cell_id in the block.
func (b Block) Last() int64 {
	return b.ID + b.Cells() - 1
}

// quarter returns quarter d of a block in the order of the curve. The block's level must be at least 1.
func (b Block) quarter(d int32) Block {
	x, y, o := b.orient.quarter(d)
	level := b.Level - 1
	return Block{
		ID:  b.ID + int64(d)<<(2*level),
		Col: b.Col + x<<level, Row: b.Row + y<<level,
		Level: level, orient: o,
	}
}

// Count returns the number of cells in r, at most 2^62.
func (r Range) Count() int64 {
	if r.MaxCol <= r.MinCol || r.MaxRow <= r.MinRow {
		return 0
	}
	return (int64(r.MaxCol) - int64(r.MinCol)) * (int64(r.MaxRow) - int64(r.MinRow))
}

// Contains reports whether c is in r.
func (r Range) Contains(c Cell) bool {
	return c.Col >= r.MinCol && c.Col < r.MaxCol && c.Row >= r.MinRow && c.Row < r.MaxRow
}

func (r Range) valid() bool {
	return r.MinCol >= -MaxIndex && r.MinRow >= -MaxIndex && r.MaxCol <= MaxIndex && r.MaxRow <= MaxIndex
}

// countIn returns the number of cells that are in both r and b.
func (r Range) countIn(b Block) int64 {
	return r.Intersect(b.cells()).Count()
}

// At returns the cell_id of the cell with n cells of r before it in the order of cell_id. n must be in [0,
// Count()-1]. It takes about 100 steps, whatever the size of r.
func (r Range) At(n int64) int64 {
	for q := range int32(4) {
		b := quadrant(q)
		k := r.countIn(b)
		if n < k {
			return r.atIn(b, n)
		}
		n -= k
	}
	return -1
}

// atIn is At for the cells of r in a block.
func (r Range) atIn(b Block, n int64) int64 {
	for b.Level > 0 {
		for d := range int32(4) {
			part := b.quarter(d)
			k := r.countIn(part)
			if n < k {
				b = part
				break
			}
			n -= k
		}
	}

	return b.ID
}
