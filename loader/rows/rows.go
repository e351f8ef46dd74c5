// Package rows owns the rows of a load as bytes of binary COPY.
package rows

import (
	"context"
	"io"

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
	layout  Layout
	walk    *geomgen.Walker
	order   *geomgen.BlockOrder
	writer  geomgen.Writer
	squares *geomgen.Squares // the writer, where it is one
	clipper *geomgen.Clipper // nil where cells at the edge are like others
	// featureClipper cuts the cells of pairs, nil where they are whole.
	featureClipper *geomgen.LayerClipper
	// What is the same in each row of the block: the layout's template, with attributes.
	template []byte
	owner    int32           // the feature whose attributes it has, noOwner before the first block
	owners   []geomgen.Owner // of pairs: the features of the block, each of which has a row of each cell
	// The block in work, the offsets of its cells, how many rows it has, and how many are
	// written.
	block   geomgen.Block
	offsets []uint8
	count   int
	next    int
	edge    bool // it is a cell at the edge of the area
	// What must go out before the next row: the header, the rest of a row.
	rest      []byte
	spare     []byte // room for one row
	done      bool   // no rows are left, the trailer is in rest
	generated int64
}

// New returns the rows of those cells of a selection whose cell_id lies in [first, last]. area is the
// mask by which coverage is computed and cells are cut, nil where neither is asked for. A Read
// after ctx has ended returns its error: the driver's own look at the context does not interrupt a
// reader.
func New(ctx context.Context, l Layout, cells *geomgen.Selection, area *geomgen.Mask, first, last int64) *Rows {
	if l.features != nil {
		cells = cells.WithLayer(l.features.layer)
	}

	r := &Rows{
		ctx: ctx, layout: l,
		walk:   cells.Walk(first, last),
		order:  geomgen.NewBlockOrder(),
		writer: l.grid.NewWriter(l.geometry),
		rest:   []byte(CopyHeader),
		spare:  make([]byte, 0, l.most),

		template: l.template,
		owner:    noOwner,
	}

	r.squares, _ = r.writer.(*geomgen.Squares)

	switch {
	case l.features != nil && l.features.pairs:
		if l.clip {
			r.featureClipper = geomgen.NewLayerClipper(l.features.layer)
		}
	case l.coverage || l.clip:
		r.clipper = geomgen.NewClipper(area)
	}

	return r
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
		if r.next == r.count && !r.nextBlock() || r.edge {
			break
		}

		k := min((len(p)-n)/size, r.count-r.next)
		n += r.put(p[n:], r.next, r.next+k)
		r.next += k
		r.generated += int64(k)
	}

	return n
}

// nextRow makes the next row, or the trailer, and leaves it in rest.
func (r *Rows) nextRow() error {
	if r.next == r.count && !r.nextBlock() {
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
	r.count = len(r.offsets)
	r.edge = r.clipper != nil && r.walk.Edge()
	r.writer.SetBlock(b)

	if r.layout.features != nil {
		r.setFeatures()
	}

	return true
}
