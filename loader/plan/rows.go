package plan

import (
	"context"
	"encoding/binary"
	"io"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Binary COPY: a header, then for each row the number of fields and each field
// with its length, in network byte order, then a trailer. Source: PostgreSQL's
// documentation, "COPY", section "Binary Format".
const (
	CopyHeader  = "PGCOPY\n\377\r\n\000" + "\000\000\000\000" + "\000\000\000\000"
	CopyTrailer = "\377\377"
)

// DriverBuffer is the room in bytes that pgconn.CopyFrom hands to a reader.
const DriverBuffer = 65536 - 5

// Rows is the bytes of binary COPY of a range of cells, as an io.Reader. It
// fills the buffer it is handed to the last byte, since the driver sends one
// packet a Read, and it holds nothing but the row that did not fit whole.
type Rows struct {
	ctx     context.Context
	layout  layout
	walk    *geomgen.Walker
	order   *geomgen.BlockOrder
	writer  geomgen.Writer
	squares *geomgen.Squares // the writer, where it is one
	clipper *geomgen.Clipper // nil where cells at the edge are like others
	// The block in work, the offsets of its cells, and how many are written.
	block   geomgen.Block
	offsets []uint8
	next    int
	edge    bool // it is a cell at the edge of the area
	// What must go out before the next row: the header, the rest of a row.
	rest      []byte
	spare     []byte // room for one row
	done      bool   // no rows are left, the trailer is in rest
	generated int64
}

// NewRows returns the rows of a chunk of p. A Read after ctx has ended returns
// its error: the driver's own look at the context does not interrupt a reader.
func (p *Plan) NewRows(ctx context.Context, c Chunk) *Rows {
	r := &Rows{
		ctx: ctx, layout: p.layout,
		walk:   p.selection.Walk(c.First, c.Last),
		order:  geomgen.NewBlockOrder(),
		writer: p.Job.Grid.NewWriter(p.Job.Geometry),
		rest:   []byte(CopyHeader),
		spare:  make([]byte, 0, p.layout.most),
	}

	r.squares, _ = r.writer.(*geomgen.Squares)
	if p.Job.Coverage || p.Job.Clip {
		r.clipper = geomgen.NewClipper(p.selection.area)
	}

	return r
}

// NewFirstRows returns the first n rows of p, n from 1 to p.Rows.
func (p *Plan) NewFirstRows(ctx context.Context, n int64) *Rows {
	return p.NewRows(ctx, Chunk{First: p.selection.At(0), Last: p.selection.At(n - 1), Rows: n})
}

// Generated returns the number of rows written so far.
func (r *Rows) Generated() int64 {
	return r.generated
}

// Read fills p. At the end, after the trailer, it returns io.EOF.
func (r *Rows) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}

	n := 0

	for {
		k := copy(p[n:], r.rest)
		n, r.rest = n+k, r.rest[k:]
		if n == len(p) {
			return n, nil
		}

		if r.done {
			if n == 0 {
				return 0, io.EOF
			}

			return n, nil
		}

		n += r.fill(p[n:])
		if n == len(p) {
			return n, nil
		}

		// Less room than a row, a cell at the edge, or no rows left.
		if err := r.nextRow(); err != nil {
			return n, err
		}
	}
}

// fill writes as many whole rows into p as it has room for, up to the next cell
// at the edge of the area, and returns their size in bytes.
func (r *Rows) fill(p []byte) int {
	size := r.layout.most
	n := 0

	for len(p)-n >= size {
		if r.next == len(r.offsets) && !r.nextBlock() || r.edge {
			break
		}

		k := min((len(p)-n)/size, len(r.offsets)-r.next)
		n += r.put(p[n:], r.next, r.next+k)
		r.next += k
		r.generated += int64(k)
	}

	return n
}

// nextRow makes the next row, or the trailer, and leaves it in rest.
func (r *Rows) nextRow() error {
	if r.next == len(r.offsets) && !r.nextBlock() {
		r.done, r.rest = true, []byte(CopyTrailer)
		return nil
	}

	if r.edge {
		if err := r.putEdge(); err != nil {
			return err
		}
	} else {
		r.spare = r.spare[:r.put(r.spare[:r.layout.most], r.next, r.next+1)]
	}

	r.rest = r.spare
	r.next++
	r.generated++

	return nil
}

func (r *Rows) nextBlock() bool {
	b, ok := r.walk.Next()
	if !ok {
		return false
	}

	r.block, r.offsets, r.next = b, r.order.Offsets(b), 0
	r.edge = r.clipper != nil && r.walk.Edge()
	r.writer.SetBlock(b)

	return true
}

// put writes the rows of the cells from the i-th to before the j-th of the
// block, and returns their size in bytes.
func (r *Rows) put(p []byte, i, j int) int {
	switch {
	case r.layout.coder != nil:
		return r.putCoded(p, i, j)
	case r.squares != nil:
		r.putSquares(p, i, j)
		r.putParents(p, i, j)
	default:
		for k := i; k < j; k++ {
			r.putCell(p[(k-i)*r.layout.most:], k)
		}
	}

	return (j - i) * r.layout.most
}

// putParents writes the parents of the cells from the i-th to before the j-th of the block
// into their rows, which are all as long as the template.
func (r *Rows) putParents(p []byte, i, j int) {
	if r.layout.parentBits == 0 {
		return
	}

	for ; i < j; i++ {
		r.putParent(p[r.layout.geomEnd:], i)
		p = p[len(r.layout.template):]
	}
}

// putParent writes the parent of the i-th cell of the block into what stands behind its
// geometry.
func (r *Rows) putParent(tail []byte, i int) {
	if bits := r.layout.parentBits; bits > 0 {
		binary.BigEndian.PutUint64(tail[parentAfter:], (uint64(r.block.ID)+uint64(i))>>bits)
	}
}

// putSquares is the loop whose cost is the cost of a row: of those of squares,
// which are most.
func (r *Rows) putSquares(p []byte, i, j int) {
	be := binary.BigEndian
	template, pointsAt := r.layout.template, r.layout.pointsAt
	id, col, row := uint64(r.block.ID), uint32(r.block.Col), uint32(r.block.Row)

	for ; i < j; i++ {
		off := r.offsets[i]
		copy(p, template)
		head := (*[geomAt]byte)(p) // one check of the bounds for the three
		be.PutUint64(head[idAt:], id+uint64(i))
		be.PutUint32(head[colAt:], col+uint32(off&15))
		be.PutUint32(head[rowAt:], row+uint32(off>>4))
		r.squares.PutRing((*[geomgen.BoxRingLen]byte)(p[pointsAt:]), off)
		p = p[len(template):]
	}
}

// putCell writes the template of a row with the i-th cell of the block.
func (r *Rows) putCell(p []byte, i int) {
	copy(p, r.layout.template)
	r.putHead(p, i)
	r.writer.Put(p[r.layout.pointsAt:], r.offsets[i])
	r.putParent(p[r.layout.geomEnd:], i)
}

// putHead writes id, column and row of the i-th cell of the block.
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

// putCoded writes rows with codes, whose lengths differ: each has room for the
// longest.
func (r *Rows) putCoded(p []byte, i, j int) int {
	n := 0
	for ; i < j; i++ {
		r.putCell(p[n:], i)
		end := n + len(r.layout.template)
		n = end + len(r.appendTail(p[end:end:len(p)], r.cell(i), 1))
	}

	return n
}

// appendTail appends what stands behind the template: code and coverage.
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

// coverageOf returns a share as the column has it: what overlaps has more than 0, and
// what is not whole less than 1, even where the nearest number is one of them.
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

// putEdge writes the row of a cell at the edge of the area into spare.
func (r *Rows) putEdge() error {
	l := &r.layout
	c := r.cell(0)
	part, err := r.clipper.ClipContext(r.ctx, c)
	if err != nil {
		return err
	}

	row := r.spare[:0]
	if l.clip && part.Share < 1 {
		row = append(row, l.template[:geomAt]...)
		row = part.AppendEWKB(row, l.srid)
		binary.BigEndian.PutUint32(row[geomAt-4:], uint32(len(row)-geomAt))
		end := len(row)
		row = append(row, l.template[l.geomEnd:]...)
		r.putHead(row, 0)
		r.putParent(row[end:], 0)
	} else {
		row = append(row, l.template...)
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
