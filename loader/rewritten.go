package loader

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// rowsWrittenInTx returns how many rows this session has inserted, updated or deleted in the
// table and its partitions, of what the server has not counted yet: the difference of
// two is what was done in between, in one transaction.
func (t relation) rowsWrittenInTx(ctx context.Context, q querier) (n int64, err error) {
	err = q.QueryRow(ctx, `
		with recursive tables (oid) as (select $1::oid union all select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
		select coalesce(sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_xact_tuples_deleted(oid)), 0)::bigint
		from tables`, t.oid).Scan(&n)
	return n, serverError(err, "asking the server what was written to table %s", t.Table)
}

// maxWriters bounds how many transactions are noted. PostgreSQL gives a part of a
// transaction a number of its own, such as a block that catches exceptions.
const maxWriters = 1000

// countWriters writes into an imprint what the rows are beyond those of the ledger's runs.
// It reads the table, so it is for a step that has written to it, and for a table that
// somebody had touched before the run added its rows.
func (l *load) countWriters(ctx context.Context, tx pgx.Tx, look *tableState) error {
	var rows int64
	var writers []string
	err := tx.QueryRow(ctx, `
		select coalesce(sum(n), 0)::bigint, coalesce(array_agg(x::text) filter (where x <> pg_current_xact_id()::xid and x not in (select xmin from `+l.ledger.chunks+`)
		                                                           and x not in (select published_xid::xid from `+l.ledger.runs+` where shown and published_xid is not null and (schema_name, table_name) = ($1, $2))), '{}')
		from (select t.xmin, count(*) from `+l.target.sql()+` t group by 1) w (x, n)`, l.target.Schema, l.target.Name).Scan(&rows, &writers)
	if err != nil {
		return serverError(err, "counting the rows that the step after has left in table %s", l.target)
	}
	if len(writers) <= maxWriters { // else the table counts as touched
		look.Rows, look.Writers = &rows, writers
	}
	return nil
}
