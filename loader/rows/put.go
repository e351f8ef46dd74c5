package rows

import (
	"encoding/binary"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// put writes the rows of the block's cells from index i up to, and excluding, j. It returns their size in bytes.
func (r *Rows) put(p []byte, i, j int) int {
	switch {
	case r.owners != nil:
		return r.putPairs(p, i, j)
	case r.layout.coder != nil:
		return r.putCoded(p, i, j)
	case r.squares != nil:
		r.putSquares(p, i, j)
		r.putParents(p, i, j)
	default:
		for k := i; k < j; k++ {
			r.putCell(p[(k-i)*len(r.template):], k)
		}
	}

	return (j - i) * len(r.template)
}

// putParents writes the parents of the block's cells from index i up to, and excluding, j into their rows, which
// are all as long as the template.
func (r *Rows) putParents(p []byte, i, j int) {
	if r.layout.parentBits == 0 {
		return
	}

	for ; i < j; i++ {
		r.putParent(p[r.layout.geomEnd:], i)
		p = p[len(r.template):]
	}
}

// putParent writes the parent of the block's cell i into the part of its row after the geometry.
func (r *Rows) putParent(tail []byte, i int) {
	if bits := r.layout.parentBits; bits > 0 {
		binary.BigEndian.PutUint64(tail[parentAfter:], (uint64(r.block.ID)+uint64(i))>>bits)
	}
}

// putSquares is the hot loop for rows of squares, the most common ones: its cost is the cost of a row.
func (r *Rows) putSquares(p []byte, i, j int) {
	be := binary.BigEndian
	template, pointsAt := r.template, r.layout.pointsAt
	id, col, row := uint64(r.block.ID), uint32(r.block.Col), uint32(r.block.Row)

	for ; i < j; i++ {
		off := r.offsets[i]
		copy(p, template)
		head := (*[geomAt]byte)(p) // one bounds check for all three
		be.PutUint64(head[idAt:], id+uint64(i))
		be.PutUint32(head[colAt:], col+uint32(off&15))
		be.PutUint32(head[rowAt:], row+uint32(off>>4))
		r.squares.PutRing((*[geomgen.BoxRingLen]byte)(p[pointsAt:]), off)
		p = p[len(template):]
	}
}

// putCell writes the template of a row with the block's cell i.
func (r *Rows) putCell(p []byte, i int) {
	copy(p, r.template)
	r.putHead(p, i)
	r.writer.Put(p[r.layout.pointsAt:], r.offsets[i])
	r.putParent(p[r.layout.geomEnd:], i)
}

// putHead writes id, column and row of the block's cell i.
func (r *Rows) putHead(p []byte, i int) {
	c := r.cell(i)
	binary.BigEndian.PutUint64(p[idAt:], uint64(r.block.ID)+uint64(i))
	binary.BigEndian.PutUint32(p[colAt:], uint32(c.Col))
	binary.BigEndian.PutUint32(p[rowAt:], uint32(c.Row))
}

func (r *Rows) cell(i int) geomgen.Cell {
	off := r.offsets[i]
	return geomgen.Cell{Col: r.block.Col + int32(off&15), Row: r.block.Row + int32(off>>4)}
}

// putCoded writes rows with codes, whose lengths differ. There must be room for the longest.
func (r *Rows) putCoded(p []byte, i, j int) int {
	n := 0
	for ; i < j; i++ {
		r.putCell(p[n:], i)
		end := n + len(r.template)
		n = end + len(r.appendTail(p[end:end:len(p)], r.cell(i), 1))
	}

	return n
}

// appendTail appends what follows the template: code and coverage.
func (r *Rows) appendTail(dst []byte, c geomgen.Cell, coverage float32) []byte {
	l := &r.layout
	if l.coder != nil {
		at := len(dst)
		dst = l.coder.Append(append(dst, 0, 0, 0, 0), c)
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		if l.coverage {
			dst = appendCoverage(dst, coverage)
		}
	}

	return dst
}

func appendCoverage(dst []byte, coverage float32) []byte {
	dst = binary.BigEndian.AppendUint32(dst, 4)
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(coverage))
}

// coverageOf returns a share for the column. An overlap is more than 0, and a part is less than 1, even if the
// nearest number is 0 or 1.
func coverageOf(part geomgen.Part) float32 {
	f := float32(part.Share)

	switch {
	case f == 0 && part.Share > 0:
		return math.SmallestNonzeroFloat32
	case f == 1 && part.Share < 1:
		return math.Nextafter32(1, 0)
	}

	return f
}

// putEdge writes into spare the row of a cell at the edge of the area, or of a feature.
func (r *Rows) putEdge() error {
	if r.owners != nil {
		return r.putCutPair()
	}

	l := &r.layout
	c := r.cell(0)
	part, err := r.clipper.ClipContext(r.ctx, c)
	if err != nil {
		return err
	}

	row := r.spare[:0]
	if l.clip && part.Share < 1 {
		row = append(row, r.template[:geomAt]...)
		row = part.AppendEWKB(row, l.srid)
		binary.BigEndian.PutUint32(row[geomAt-4:], uint32(len(row)-geomAt))
		end := len(row)
		row = append(row, r.template[l.geomEnd:]...)
		r.putHead(row, 0)
		r.putParent(row[end:], 0)
	} else {
		row = append(row, r.template...)
		r.putHead(row, 0)
		r.writer.Put(row[l.pointsAt:], r.offsets[0])
		r.putParent(row[l.geomEnd:], 0)
	}

	if l.coder == nil && l.coverage {
		row = row[:len(row)-4]
		row = binary.BigEndian.AppendUint32(row, math.Float32bits(coverageOf(part)))
	}

	r.spare = r.appendTail(row, c, coverageOf(part))

	return nil
}
