package unchanged

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

const stateSQL = catalog.WithTree + `
	select coalesce(md5(string_agg(concat_ws(' ', c.oid, pg_relation_filenode(c.oid), c.relpersistence), ',' order by c.oid)), ''),
	       (select array_agg(a.attnum order by a.attnum) from pg_attribute a where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped),
	       (select coalesce(array_agg(d.def order by d.def), '{}') from (
	           select m.amname || case when i.indisunique then ' unique' else '' end || ' (' ||
	                  (select string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' order by k) from generate_series(1, i.indnkeyatts) k) || ')' ||
	                  coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), '') as def
	           from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
	           where i.indrelid = $1 and i.indisvalid and i.indisready) d)
	from tables join pg_class c using (oid)`

// readState looks at the table, without its rows.
func readState(ctx context.Context, q pg.Querier, t catalog.Relation) (state ledger.TableState, err error) {
	if state.Columns, err = t.ColumnTypes(ctx, q); err != nil {
		return state, err
	}

	err = q.QueryRow(ctx, stateSQL, t.OID).Scan(&state.Files, &state.Numbers, &state.Indexes)

	return state, pg.Wrap(err, "looking at the files and indexes of table %s", t.Table)
}

// maxWriters bounds how many transactions are recorded. PostgreSQL gives a part of a
// transaction a number of its own, such as a block that catches exceptions.
const maxWriters = 1000

// Record writes down how a run leaves its table, in the transaction that publishes it.
// wrote says whether that transaction has written rows to the table. countRows reads the
// table for what the rows are beyond those of the ledger's runs: it is for a hook that
// has written to it, and for a table that somebody had written to before the run added
// its rows.
func Record(ctx context.Context, tx pgx.Tx, l ledger.Ledger, run int64, shown catalog.Relation, wrote, countRows bool) error {
	if err := shown.CheckNamed(ctx, tx); err != nil {
		return err
	}

	state, err := readState(ctx, tx, shown)
	if err == nil && countRows {
		err = countWriters(ctx, tx, l, shown, &state)
	}
	if err != nil {
		return err
	}

	return l.RecordState(ctx, tx, run, state, wrote)
}

// writersSQL adds up rows by the transaction that wrote them, w (x, n), and returns the
// transactions beyond this one and those that the ledger has.
const writersSQL = `
	select coalesce(sum(n), 0)::bigint,
	       coalesce(array_agg(x::text) filter (
	           where x <> pg_current_xact_id()::xid and x not in (select xmin from {chunks})
	             and x not in (select published_xid::xid from {runs}
	                           where shown and published_xid is not null and (schema_name, table_name) = ($1, $2))), '{}')
	from w`

func countWriters(ctx context.Context, tx pgx.Tx, l ledger.Ledger, shown catalog.Relation, state *ledger.TableState) error {
	var rows int64
	var writers []string

	byWriter := "with w (x, n) as (select t.xmin, count(*) from " + shown.SQL() + " t group by 1)"
	err := tx.QueryRow(ctx, byWriter+l.SQL(writersSQL), shown.Schema, shown.Name).Scan(&rows, &writers)
	if err != nil {
		return pg.Wrap(err, "counting the rows of table %s by who wrote them", shown)
	}

	if len(writers) <= maxWriters { // else the table counts as modified
		state.Rows, state.Writers = &rows, writers
	}

	return nil
}
