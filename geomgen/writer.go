package geomgen

import (
	"encoding/binary"
	"math"
)

// Geometry is the geometry to write for a cell.
type Geometry string

// Values of Geometry.
const (
	AsPolygon      Geometry = ""             // the cell
	AsMultiPolygon Geometry = "multipolygon" // the cell, as the only member of a MultiPolygon
	AsPoint        Geometry = "point"        // its centre
	AsNone         Geometry = "none"         // nothing: the table has no geometry
)

// A Writer writes the points of cells' geometries, one block at a time.
type Writer interface {
	// SetBlock prepares the cells of b, whose level must be at most MaxBlockLevel.
	SetBlock(b Block)
	// Put writes the points of the cell at an offset in the block, which is packed as in BlockOrder.Offsets. dst
	// must have room for Grid.PointsLen bytes.
	Put(dst []byte, offset uint8)
}

// NewWriter returns a Writer for the cells of g.
func (g Grid) NewWriter(as Geometry) Writer {
	switch {
	case as == AsNone:
		return noWriter{}
	case as == AsPoint:
		return newCentres(g)
	case g.plain():
		return NewSquares(g)
	}
	return newRings(g)
}

// PointsLen returns the size in bytes of a cell's points in EWKB.
func (g Grid) PointsLen(as Geometry) int {
	switch as {
	case AsNone:
		return 0
	case AsPoint:
		return 16
	}

	return 16 * (g.Shape.Corners() + 1)
}

// AppendHeader appends the start of the EWKB of a cell, before its points. For AsNone, it appends nothing.
func (g Grid) AppendHeader(dst []byte, as Geometry) []byte {
	points := uint32(g.Shape.Corners() + 1)
	switch as {
	case AsNone:
		return dst
	case AsPoint:
		return appendType(dst, ewkbPoint, g.SRID)
	case AsMultiPolygon:
		dst = AppendMultiPolygonHeader(dst, g.SRID, 1)
		dst = appendType(dst, ewkbPolygon, 0)
	default:
		dst = appendType(dst, ewkbPolygon, g.SRID)
	}

	dst = binary.LittleEndian.AppendUint32(dst, 1)
	return binary.LittleEndian.AppendUint32(dst, points)
}

// noWriter writes nothing.
type noWriter struct{}

// SetBlock does nothing.
func (noWriter) SetBlock(Block) {}

// Put writes nothing.
func (noWriter) Put([]byte, uint8) {}

// maxLines is the most lines of a lattice, in one direction, with corners of one block.
const maxLines = 3<<MaxBlockLevel + moreLines

// moreLines is needed in addition to three per cell: the corners of hexagons extend further, and a block that
// begins in an odd column is counted from the even one.
const moreLines = 8

// lines are the lines of a lattice around a block. The product with the size is computed once per line instead of
// once per corner.
type lines struct {
	lattice lattice
	k, m    int64 // the numbers of the first lines
	// Without rotation, the coordinates; with rotation, what a line adds to each.
	x, y   [maxLines]float64
	xm, yk [maxLines]float64
}

// set computes the lines that a block needs, starting at k and m, as lattice.at does.
func (l *lines) set(k, m int64, b Block) {
	l.k, l.m = k, m
	t := &l.lattice
	for i := range 3<<b.Level + moreLines {
		u, v := float64(float64(k+int64(i))*t.sx), float64(float64(m+int64(i))*t.sy)
		if !t.rotated {
			l.x[i], l.y[i] = t.x0+u, t.y0+v
			continue
		}
		l.x[i], l.yk[i] = float64(t.cos*u), float64(t.sin*u)
		l.xm[i], l.y[i] = float64(t.sin*v), float64(t.cos*v)
	}
}

func (l *lines) at(k, m int64) Point {
	k, m = k-l.k, m-l.m
	if !l.lattice.rotated {
		return Point{l.x[k], l.y[m]}
	}
	return Point{l.lattice.x0 + (l.x[k] - l.xm[m]), l.lattice.y0 + (l.yk[k] + l.y[m])}
}

func putPoint(dst []byte, p Point) {
	binary.LittleEndian.PutUint64(dst, math.Float64bits(p.X))
	binary.LittleEndian.PutUint64(dst[8:], math.Float64bits(p.Y))
}

// ringWriter writes the rings of cells of any shape.
type ringWriter struct {
	shape Shape
	lines lines
	ring  []step // closed
	block Block
}

func newRings(g Grid) *ringWriter {
	ring := g.Shape.ring()
	return &ringWriter{shape: g.Shape, lines: lines{lattice: g.lattice()}, ring: append(ring[:g.Shape.Corners():g.Shape.Corners()], ring[0])}
}

// SetBlock implements Writer.
func (r *ringWriter) SetBlock(b Block) {
	r.block = b
	k, m := r.shape.base(Cell{b.Col &^ 1, b.Row &^ 1})
	if r.shape.Hexagon() {
		k, m = k-2, m-2
	}
	r.lines.set(k, m, b)
}

// Put implements Writer.
func (r *ringWriter) Put(dst []byte, offset uint8) {
	k, m := r.shape.base(r.block.cell(offset))
	for _, s := range r.ring {
		putPoint(dst, r.lines.at(k+int64(s.k), m+int64(s.m)))
		dst = dst[16:]
	}
}

// cell returns the cell at an offset in the block.
func (b Block) cell(offset uint8) Cell {
	return Cell{b.Col + int32(offset&15), b.Row + int32(offset>>4)}
}

// centreWriter writes the centres of cells.
type centreWriter struct {
	shape Shape
	lines lines
	block Block
}

func newCentres(g Grid) *centreWriter {
	return &centreWriter{shape: g.Shape, lines: lines{lattice: g.lattice()}}
}

// SetBlock implements Writer.
func (c *centreWriter) SetBlock(b Block) {
	c.block = b
	k, m := c.shape.base(Cell{b.Col &^ 1, b.Row &^ 1})
	c.lines.set(k, m, b)
}

// Put implements Writer.
func (c *centreWriter) Put(dst []byte, offset uint8) {
	k, m := c.shape.base(c.block.cell(offset))
	p := c.lines.at(k, m)
	if !c.shape.Hexagon() {
		p = middle(p, c.lines.at(k+1, m+1))
	}
	putPoint(dst, p)
}
