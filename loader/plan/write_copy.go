package plan

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/loadgrid/loadgrid/geomgen"
)

// writeBuffer is the room in bytes for rows: so much that a write costs little beside
// its bytes.
const writeBuffer = 1 << 18

// WriteCopy writes all rows of the plan as one file of PostgreSQL's binary COPY, which
// COPY ... FROM with (format binary) reads. The columns are those of the table that a
// load makes, in the same order. The rows ascend by cell_id.
//
// The error of w is wrapped, and so is that of ctx when it ends meanwhile. After an
// error w may hold a part of the file, and PostgreSQL may take that for a whole one.
func (p *Plan) WriteCopy(ctx context.Context, w io.Writer) error {
	if !p.Exact() {
		return errors.New("writing the rows: the plan is an estimate, make it with New")
	}

	rows := p.NewRows(ctx, Chunk{Last: geomgen.MaxID, Rows: p.Rows})

	// Hidden from io.Copy, a file's own ReadFrom cannot put a smaller buffer in
	// place of this one.
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, rows, make([]byte, writeBuffer)); err != nil {
		return fmt.Errorf("writing the rows: %w", err)
	}

	if rows.Generated() != p.Rows {
		return fmt.Errorf("%d rows planned, %d generated", p.Rows, rows.Generated())
	}

	return nil
}
