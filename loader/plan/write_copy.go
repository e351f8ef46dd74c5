package plan

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/loadgrid/loadgrid/geomgen"
)

// writeBuffer is the size of the buffer for rows in bytes, large enough that a write costs little more than its
// bytes.
const writeBuffer = 1 << 18

// WriteCopy writes all rows of the plan as one file in PostgreSQL's binary COPY format, which COPY ... FROM with
// (format binary) reads. The columns are the same, and in the same order, as in the table of a load. The rows
// ascend by cell_id.
//
// WriteCopy wraps an error of w, and the error of ctx if ctx ends. After an error, w may contain a part of the
// file, which PostgreSQL may mistake for a complete one.
func (p *Plan) WriteCopy(ctx context.Context, w io.Writer) error {
	if !p.Exact() {
		return errors.New("writing the rows: the plan is an estimate: create it with New")
	}

	rows := p.NewRows(ctx, Chunk{Last: geomgen.MaxID, Rows: p.Rows})

	// Hide the type from io.Copy: a file's own ReadFrom would use a smaller buffer.
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, rows, make([]byte, writeBuffer)); err != nil {
		return fmt.Errorf("writing the rows: %w", err)
	}

	if rows.Generated() != p.Rows {
		return fmt.Errorf("%d rows planned, %d generated", p.Rows, rows.Generated())
	}

	return nil
}
