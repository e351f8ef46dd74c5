package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
)

// checkOverlap refuses cells that the table holds already before any work is
// done. It reads the table once; publish looks again.
func (t *target) checkOverlap(ctx context.Context, conn querier, p *Plan) error {
	both, err := t.overlap(ctx, conn, p)
	if err != nil || both == 0 {
		return err
	}
	return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: fmt.Sprintf(
		"holds %d of the %d cells already: choose cells that it does not hold, on-conflict skip, which leaves those that are there, or if-exists replace", both, p.Rows)}
}

// overlap returns how many of the plan's cells the table holds: by the rectangle
// that they lie in, and where an area cuts it, cell by cell.
func (t *target) overlap(ctx context.Context, conn querier, p *Plan) (both int64, err error) {
	const where = " where col >= $1 and col < $2 and row >= $3 and row < $4"
	bounds := []any{p.Cells.MinCol, p.Cells.MaxCol, p.Cells.MinRow, p.Cells.MaxRow}
	err = conn.QueryRow(ctx, "select count(*) from "+t.sql()+where, bounds...).Scan(&both)
	if err != nil || both == 0 || p.Rows == p.Cells.Count() {
		return both, serverError(err, "looking for cells that table %s holds already", t)
	}
	rows, err := conn.Query(ctx, "select col, row from "+t.sql()+where, bounds...)
	if err != nil {
		return 0, serverError(err, "looking for cells that table %s holds already", t)
	}
	both = 0
	var c geomgen.Cell
	_, err = pgx.ForEachRow(rows, []any{&c.Col, &c.Row}, func() error {
		if p.Contains(c) {
			both++
		}
		return nil
	})
	return both, serverError(err, "looking for cells that table %s holds already", t)
}
