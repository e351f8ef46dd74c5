// Package adopt owns the remains of a lost ledger: its tables, which the current ledger takes
// over as versions, and their names, which no new run may use.
package adopt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// InsertRun records a new run and returns its number. The table may later be kept under a name
// with that number, so InsertRun skips numbers whose names are taken, because a lost ledger used
// the same numbers.
func InsertRun(ctx context.Context, tx pgx.Tx, l ledger.Ledger, run ledger.NewRun) (int64, error) {
	return freeNumber(ctx, tx, l, run.Table, func() (int64, error) { return l.InsertRun(ctx, tx, run) })
}

// freeNumber calls insert until the new run has a number whose name is free.
func freeNumber(ctx context.Context, q pg.Querier, l ledger.Ledger, t job.Table, insert func() (int64, error)) (int64, error) {
	for {
		id, err := insert()
		if err != nil {
			return 0, err
		}

		kept := ledger.VersionName(t, id)
		if taken, err := catalog.Exists(ctx, q, kept.Schema, kept.Name); err != nil || !taken {
			return id, err
		}

		if _, err := q.Exec(ctx, "delete from "+l.RunsTable+" where id = $1", id); err != nil {
			return 0, pg.Wrap(err, "skipping number %d, because table %s exists", id, kept)
		}
	}
}

const keySQL = `
	select coalesce(k.run, 0), coalesce(k.ledger::text, ''), exists (select from {identity} i where i.id = k.ledger),
	       exists (select from {marks} m where m.mark = k.mark)
	from {key_mark}($1::oid::regclass) k`

// Lost reports whether a table that this ledger does not know was published by a run of a ledger that is no
// longer in this database, or by a run that this ledger has forgotten, as after a restore from a backup. The
// comment of its primary key tells. A table is not lost if another ledger of the database may know it, or if this
// ledger knows its run under another name.
func Lost(ctx context.Context, q pg.Querier, l ledger.Ledger, t catalog.Relation) (bool, error) {
	there, err := l.Exists(ctx, q)
	if err != nil || !there || t.OID == 0 {
		return false, err
	}

	var run int64
	var id string
	var own, known bool
	if err := q.QueryRow(ctx, l.SQL(keySQL), t.OID).Scan(&run, &id, &own, &known); err != nil {
		return false, pg.Wrap(err, "reading the comment of the primary key of table %s", t)
	}

	if run == 0 || known || own {
		return own && !known, nil
	}

	others, err := otherLedgers(ctx, q, l)
	if err != nil {
		return false, err
	}

	for _, schema := range others {
		if knows, err := mayKnow(ctx, q, ledger.New(schema, l.Owner), id); err != nil || knows {
			return false, err
		}
	}

	return true, nil
}

const otherLedgersSQL = `
	select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relname = 'runs' and c.relkind = 'r' and obj_description(c.oid, 'pg_class') like 'loadgrid: %' and n.nspname <> $1
	order by 1`

// otherLedgers returns the schemas of the other ledgers in the database. It reads only the catalogue.
func otherLedgers(ctx context.Context, q pg.Querier, l ledger.Ledger) ([]string, error) {
	rows, err := q.Query(ctx, otherLedgersSQL, l.Schema)
	if err != nil {
		return nil, pg.Wrap(err, "looking for other ledgers")
	}

	schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])

	return schemas, pg.Wrap(err, "looking for other ledgers")
}

// mayKnow reports whether a ledger has this id, or may have it. It does not read a ledger that is not safe to read,
// that this role may not read, or that has no id. A key without an id may belong to any ledger.
func mayKnow(ctx context.Context, q pg.Querier, l ledger.Ledger, id string) (bool, error) {
	var foreign *ledger.ForeignError
	if err := l.CheckOwner(ctx, q); errors.As(err, &foreign) {
		return true, nil
	} else if err != nil {
		return false, err
	}

	var readable bool
	err := q.QueryRow(ctx, `select coalesce(has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT') and not row_security_active(c.oid), false)
		from pg_namespace n left join pg_class c on c.relnamespace = n.oid and c.relname = 'identity' and c.relkind = 'r' where n.nspname = $1`, l.Schema).Scan(&readable)
	if err != nil {
		return false, pg.Wrap(err, "looking at the ledger in schema %s", l.Schema)
	}

	if !readable || id == "" {
		return true, nil
	}

	var same bool
	err = q.QueryRow(ctx, l.SQL("select exists (select from {identity} where id = $1::uuid)"), id).Scan(&same)

	return same, pg.Wrap(err, "reading the id of the ledger in schema %s", l.Schema)
}

const adoptSQL = `
	insert into {runs} (schema_name, table_name, staging_name, job, fingerprint, chunks, rows, state, table_oid, finished_at, version, job_name, shown)
	select $1, $2, '', $3::text::jsonb - 'grid', '', 1, greatest(1, (` + estimateSQL + `)), 'published', $4, now(), '(another ledger)', $5, true
	returning id`

// estimateSQL is the server's estimate of the rows of table $4, with its partitions.
const estimateSQL = `
	with recursive tables (oid) as (select $4::oid union all select i.inhrelid from pg_inherits i join tables t on i.inhparent = t.oid)
	select coalesce(sum(c.reltuples) filter (where c.relkind = 'r' and c.reltuples > 0), 0)::bigint from tables join pg_class c using (oid)`

// Table takes over a table of a lost ledger, in the transaction that moves the table away. It records a run that
// makes the table a version, and returns the number of the run. The ledger knows nothing about the grid, so its
// functions refuse the table. j is a job with the columns of the table.
func Table(ctx context.Context, tx pgx.Tx, l ledger.Ledger, t catalog.Relation, j job.Job) (int64, error) {
	b, err := json.Marshal(job.Job{Table: t.Table, IDColumn: j.IDColumn, GeomColumn: j.GeomColumn, Index: j.Index, Partitions: j.Partitions, IfExists: job.Replace})
	if err != nil {
		return 0, fmt.Errorf("writing a job as JSON: %w", err)
	}

	id, err := freeNumber(ctx, tx, l, t.Table, func() (id int64, err error) {
		err = tx.QueryRow(ctx, l.SQL(adoptSQL), t.Schema, t.Name, string(b), t.OID, "taken over: "+t.String()).Scan(&id)
		return id, pg.Wrap(err, "taking over table %s, whose ledger is lost", t)
	})
	if err != nil {
		return 0, err
	}

	if _, err := tx.Exec(ctx, "update "+l.RunsTable+" set version_id = id where id = $1", id); err != nil {
		return 0, pg.Wrap(err, "taking over table %s, whose ledger is lost", t)
	}

	return id, recordKey(ctx, tx, l, t, id)
}

// recordKey records the comment of the table's key in the ledger. The comments of an older loadgrid do not distinguish
// its tables, so recordKey replaces such a comment by that of the run.
func recordKey(ctx context.Context, tx pgx.Tx, l ledger.Ledger, t catalog.Relation, id int64) error {
	has, err := l.HasMark(ctx, tx, t.OID)
	if err != nil {
		return err
	}

	if !has {
		var comment string
		err := tx.QueryRow(ctx, "select format('comment on constraint %I on %I.%I is %L', conname, $2::text, $3::text, "+l.KeyCommentSQL("$4::text", "$5::bigint")+
			") from pg_constraint where conrelid = $1 and contype = 'p'", t.OID, t.Schema, t.Name, "(another ledger)", id).Scan(&comment)
		if err == nil {
			_, err = tx.Exec(ctx, comment)
		}
		if err != nil {
			return pg.Wrap(err, "writing the comment of the primary key of table %s", t)
		}
	}

	return l.RecordMark(ctx, tx, id, t.OID)
}
