package loader

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// maxWriters bounds how many transactions are noted. PostgreSQL gives a part of a
// transaction a number of its own, such as a block that catches exceptions.
const maxWriters = 1000

// countWriters writes into an imprint what the rows are beyond those of the ledger's runs.
// It reads the table, so it is for a step that has written to it, and for a table that
// somebody had touched before the run added its rows.
func (l *load) countWriters(ctx context.Context, tx pgx.Tx, look *ledger.TableState) error {
	var rows int64
	var writers []string
	err := tx.QueryRow(ctx, `
		select coalesce(sum(n), 0)::bigint, coalesce(array_agg(x::text) filter (where x <> pg_current_xact_id()::xid and x not in (select xmin from `+l.ledger.ChunksTable+`)
		                                                           and x not in (select published_xid::xid from `+l.ledger.RunsTable+` where shown and published_xid is not null and (schema_name, table_name) = ($1, $2))), '{}')
		from (select t.xmin, count(*) from `+l.target.SQL()+` t group by 1) w (x, n)`, l.target.Schema, l.target.Name).Scan(&rows, &writers)
	if err != nil {
		return pg.Wrap(err, "counting the rows that the step after has left in table %s", l.target)
	}
	if len(writers) <= maxWriters { // else the table counts as touched
		look.Rows, look.Writers = &rows, writers
	}
	return nil
}
