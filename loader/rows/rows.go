// Package rows generates the rows of a load as bytes of binary COPY.
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

// DriverBuffer is the size in bytes of the buffer that pgconn.CopyFrom passes to a reader.
const DriverBuffer = 65536 - 5

// Rows is an io.Reader of the binary COPY of a range of cells. It fills each buffer completely, because the
// driver sends one packet per Read. It stores only the row that did not fit.
type Rows struct {
	ctx     context.Context
	layout  Layout
	walk    *geomgen.Walker
	order   *geomgen.BlockOrder
	writer  geomgen.Writer
	squares *geomgen.Squares // the writer, if cells are squares
	clipper *geomgen.Clipper // nil if cells at the edge are like others
	// featureClipper clips the cells of pairs. It is nil if they stay whole.
	featureClipper *geomgen.LayerClipper
	// What is the same in each row of the block: the layout's template, with attributes.
	template []byte
	owner    int32           // feature whose attributes it has; noOwner before the first block
	owners   []geomgen.Owner // for pairs: the features of the block; each has a row for each cell
	// The present block, the offsets of its cells, how many rows it has, and how many are written.
	block   geomgen.Block
	offsets []uint8
	count   int
	next    int
	edge    bool // it is a cell at the edge of the area
	// What must be written before the next row: the header, or the rest of a row.
	rest      []byte
	spare     []byte // room for one row
	done      bool   // no rows are left, and the trailer is in rest
	generated int64
}

// New returns the rows of the selected cells whose cell_id is in [first, last]. area is the mask for coverage and
// clipping, or nil if neither is needed. After ctx ends, Read returns its error: the driver checks the context
// itself, but does not interrupt a reader.
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

// Read fills p. After the trailer, it returns io.EOF.
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

		// The room is less than a row, the cell is at the edge, or no rows are left.
		if err := r.nextRow(); err != nil {
			return n, err
		}
	}
}

// fill writes as many whole rows into p as fit, up to the next cell at the edge of the area. It returns their
// size in bytes.
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

// nextRow generates the next row, or the trailer, in rest.
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
