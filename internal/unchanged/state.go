package unchanged

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

const stateSQL = catalog.WithTree + `
	select coalesce(md5(string_agg(concat_ws(' ', c.oid, pg_relation_filenode(c.oid), c.relpersistence), ',' order by c.oid)), ''),
	       (select array_agg(a.attnum order by a.attnum) from pg_attribute a where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped),
	       coalesce(jsonb_agg(jsonb_build_object('oid', c.oid::bigint, 'name', c.relname, 'file', coalesce(pg_relation_filenode(c.oid), 0)::bigint)
	                          order by c.oid) filter (where c.relkind in ('r', 'f')), '[]')
	from tables join pg_class c using (oid)`

// indexesSQL describes the valid indexes of a table by their entries in the catalogue: the columns
// by name, and their operator classes, collations and options. An expression is in the server's
// parsed form, without the positions in its original statement.
const indexesSQL = `
	with valid as (
		select i.*, m.amname, md5(regexp_replace(i.indexprs::text, ':location -?[0-9]+', '', 'g')) as expressions,
		       md5(regexp_replace(i.indpred::text, ':location -?[0-9]+', '', 'g')) as predicate
		from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
		where i.indrelid = $1 and i.indisvalid and i.indisready),
	keys as (
		select v.indexrelid, string_agg(concat_ws(' ', coalesce(to_json(a.attname::text)::text, 'expression ' || v.expressions),
		           n.nspname || '.' || o.opcname, cn.nspname || '.' || c.collname, v.indoption[k]), ', ' order by k) as list
		from valid v cross join generate_series(0, v.indnkeyatts - 1) k
		join pg_opclass o on o.oid = v.indclass[k] join pg_namespace n on n.oid = o.opcnamespace
		left join pg_attribute a on a.attrelid = v.indrelid and a.attnum = v.indkey[k]
		left join pg_collation c on c.oid = v.indcollation[k] left join pg_namespace cn on cn.oid = c.collnamespace
		group by v.indexrelid)
	select v.amname || case when v.indisunique then ' unique' else '' end || ' (' || k.list || ')' || coalesce(' where ' || v.predicate, '')
	from valid v join keys k using (indexrelid) order by 1`

// readState reads the state of the table, without its rows.
func readState(ctx context.Context, q pg.Querier, t catalog.Relation) (state ledger.TableState, err error) {
	state.Format = ledger.StateFormat
	if state.Columns, err = t.ColumnTypes(ctx, q); err != nil {
		return state, err
	}

	if err := q.QueryRow(ctx, stateSQL, t.OID).Scan(&state.Files, &state.Numbers, &state.Tables); err != nil {
		return state, pg.Wrap(err, "looking at the files of table %s", t.Table)
	}

	rows, err := q.Query(ctx, indexesSQL, t.OID)
	if err == nil {
		state.Indexes, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}

	return state, pg.Wrap(err, "looking at the indexes of table %s", t.Table)
}

// maxWriters limits how many transactions are recorded. PostgreSQL numbers parts of a transaction
// separately, such as a block that catches exceptions.
const maxWriters = 1000

// Change describes what the transaction that publishes a run has done to the table.
type Change struct {
	Wrote     bool // it has written rows to the table
	HookWrote bool // the hook has, or may have, written rows
	// CountRows reads the table to find rows that are not from the ledger's runs. It is for a table
	// that a hook has written to, that somebody wrote to before the run added its rows, or that is
	// distributed.
	CountRows   bool
	Distributed bool // the rows are on other nodes
}

// Record records how a run leaves its table, in the transaction that publishes it.
func Record(ctx context.Context, tx pgx.Tx, l ledger.Ledger, run int64, shown catalog.Relation, c Change) error {
	if err := shown.CheckNamed(ctx, tx); err != nil {
		return err
	}

	state, err := readState(ctx, tx, shown)
	state.HookWrote = c.HookWrote

	switch {
	case err != nil || !c.CountRows:
	case c.Distributed:
		var rows int64
		rows, state.Digest, err = distribution.Written(ctx, tx, shown)
		state.Rows = &rows
	default:
		err = countWriters(ctx, tx, l, shown, &state)
	}
	if err != nil {
		return err
	}

	return l.RecordState(ctx, tx, run, state, c.Wrote)
}

// writersSQL adds up rows by the transaction that wrote them, w (x, n), and returns the
// transactions other than this one and those in the ledger.
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

	if len(writers) <= maxWriters { // otherwise the table counts as modified
		state.Rows, state.Writers = &rows, writers
	}

	return nil
}
