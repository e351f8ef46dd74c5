package loader

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Binary COPY: a header, then for each row the number of fields and each field
// with its length, in network byte order, then a trailer. Source: PostgreSQL's
// documentation, "COPY", section "Binary Format".
const (
	copyHeader  = "PGCOPY\n\377\r\n\000" + "\000\000\000\000" + "\000\000\000\000"
	copyTrailer = "\377\377"
)

// Where the fields stand in a row: two bytes with the number of fields, then
// cell_id, col, row and geom, each behind its length of four bytes.
const (
	idAt   = 2 + 4
	colAt  = idAt + 8 + 4
	rowAt  = colAt + 4 + 4
	geomAt = rowAt + 4 + 4
)

// layout is a row of binary COPY with everything in it that is the same in each.
type layout struct {
	template      []byte
	ringAt        int     // where the points of the geometry stand
	constantBytes []int64 // the size of each constant, without its length
}

func newLayout(job Job) (layout, error) {
	var l layout
	be := binary.BigEndian
	row := be.AppendUint16(nil, uint16(4+len(job.Set)))
	row = append(be.AppendUint32(row, 8), make([]byte, 8)...)
	row = append(be.AppendUint32(row, 4), make([]byte, 4)...)
	row = append(be.AppendUint32(row, 4), make([]byte, 4)...)
	header := geomgen.AppendBoxHeader(nil, job.Grid.SRID)
	row = be.AppendUint32(row, uint32(len(header)+geomgen.BoxRingLen))
	row = append(row, header...)
	l.ringAt = len(row)
	row = append(row, make([]byte, geomgen.BoxRingLen)...)
	for _, c := range job.Set {
		before := len(row)
		var err error
		if row, err = c.encode(row); err != nil {
			return layout{}, err
		}
		l.constantBytes = append(l.constantBytes, int64(len(row)-before-4))
	}
	l.template = row
	return l, nil
}

// Rows is the bytes of binary COPY of a range of cells, as an io.Reader. It
// fills the buffer it is handed to the last byte, since the driver sends one
// packet a Read, and it holds nothing but the row that did not fit whole.
type Rows struct {
	ctx     context.Context
	layout  layout
	walk    *geomgen.Walker
	order   *geomgen.BlockOrder
	squares *geomgen.Squares
	// The block in work, the offsets of its cells, and how many are written.
	block   geomgen.Block
	offsets []uint8
	next    int
	// What must go out before the next row: the header, the rest of a row.
	rest      []byte
	spare     []byte // room for one row
	done      bool   // no rows are left, the trailer is in rest
	generated int64
}

// NewRows returns the rows of a chunk of p. A Read after ctx has ended returns
// its error: the driver's own look at the context does not interrupt a reader.
func (p *Plan) NewRows(ctx context.Context, c Chunk) *Rows {
	return &Rows{
		ctx: ctx, layout: p.layout,
		walk:    p.Cells.Walk(c.First, c.Last),
		order:   geomgen.NewBlockOrder(),
		squares: geomgen.NewSquares(p.Job.Grid),
		rest:    []byte(copyHeader),
		spare:   make([]byte, len(p.layout.template)),
	}
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
		// Less room than a row, or no rows left.
		if r.fill(r.spare) == 0 {
			r.done, r.rest = true, []byte(copyTrailer)
			continue
		}
		r.rest = r.spare
	}
}

// fill writes as many whole rows into p as it has room for and returns their
// size in bytes: 0 when there is no room, or when no rows are left.
func (r *Rows) fill(p []byte) int {
	size := len(r.layout.template)
	room := len(p) / size
	n := 0
	for n < room {
		if r.next == len(r.offsets) && !r.nextBlock() {
			break
		}
		k := min(room-n, len(r.offsets)-r.next)
		r.put(p[n*size:], r.next, r.next+k)
		r.next += k
		n += k
	}
	r.generated += int64(n)
	return n * size
}

func (r *Rows) nextBlock() bool {
	b, ok := r.walk.Next()
	if !ok {
		return false
	}
	r.block, r.offsets, r.next = b, r.order.Offsets(b), 0
	r.squares.SetBlock(b)
	return true
}

// put writes the rows of the cells from the i-th to before the j-th of the
// block. This is the loop whose cost is the cost of a row.
func (r *Rows) put(p []byte, i, j int) {
	be := binary.BigEndian
	template, ringAt := r.layout.template, r.layout.ringAt
	id, col, row := uint64(r.block.ID), uint32(r.block.Col), uint32(r.block.Row)
	for ; i < j; i++ {
		off := r.offsets[i]
		copy(p, template)
		head := (*[geomAt]byte)(p) // one check of the bounds for the three
		be.PutUint64(head[idAt:], id+uint64(i))
		be.PutUint32(head[colAt:], col+uint32(off&15))
		be.PutUint32(head[rowAt:], row+uint32(off>>4))
		r.squares.PutRing((*[geomgen.BoxRingLen]byte)(p[ringAt:]), off)
		p = p[len(template):]
	}
}
