package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// OtherLedgerError reports a table whose primary key has the comment of another ledger. This ledger does not know
// its rows, because the runs of two ledgers have the same numbers.
type OtherLedgerError struct {
	Table  job.Table
	Schema string // of the ledger that was searched
	Other  string // id of the ledger that the comment names
}

// Reason returns what is wrong with the table, and what to do about it.
func (e *OtherLedgerError) Reason() string {
	return fmt.Sprintf("belongs to another ledger, %s, so the one in schema %s does not know its rows: set ledger-schema to the schema of that ledger, "+
		"restore its schema from where the table came from, or load the table again with if-exists replace, without keep", e.Other, e.Schema)
}

func (e *OtherLedgerError) Error() string { return "table " + e.Table.String() + " " + e.Reason() }

// origin is what the ledger knows about who loaded a table. The zero value is nothing.
type origin struct {
	run, version int64     // the last run whose rows the table shows, and its version
	table        job.Table // as the run named it; a kept version has another name
}

// originSQL calls run_of, the one place that decides, for SQL users and for this program, which run a table
// belongs to.
const originSQL = `
	select coalesce(r.id, 0), coalesce(r.version_id, r.id, 0), coalesce(r.schema_name, ''), coalesce(r.table_name, ''), coalesce(o.other::text, '')
	from {run_of}($1::oid::regclass) o left join {runs} r on r.id = o.run`

// originBeforeSQL is for ledgers older than run_of, which identify a table by its oid.
const originBeforeSQL = `
	select r.id, coalesce(r.version_id, r.id), r.schema_name, r.table_name, ''
	from {from} where r.table_oid = $1 and r.state = 'published' order by r.shown desc, r.id desc limit 1`

// origin returns what the ledger knows about the table with this oid. If its key names another ledger, the error
// is an *OtherLedgerError.
func (l Ledger) origin(ctx context.Context, q pg.Querier, t job.Table, oid uint32) (o origin, err error) {
	there, err := l.Exists(ctx, q)
	if err != nil || !there {
		return o, err
	}

	var asks bool
	err = q.QueryRow(ctx, "select to_regprocedure($1) is not null", l.function("run_of")+"(regclass)").Scan(&asks)
	if err != nil {
		return o, pg.Wrap(err, "looking for functions in schema %s", l.Schema)
	}

	sql := strings.ReplaceAll(originBeforeSQL, "{from}", l.fromRuns("id, schema_name, table_name, table_oid, state"))
	if asks {
		sql = l.SQL(originSQL)
	}

	var other string
	err = q.QueryRow(ctx, sql, oid).Scan(&o.run, &o.version, &o.table.Schema, &o.table.Name, &other)

	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return o, nil
	case err == nil && other != "":
		return o, &OtherLedgerError{Table: t, Schema: l.Schema, Other: other}
	}

	return o, pg.Wrap(err, "looking in the ledger in schema %s for table %s", l.Schema, t)
}

// function returns the name of a ledger function, quoted for SQL.
func (l Ledger) function(name string) string { return pgx.Identifier{l.Schema, name}.Sanitize() }

// KeyCommentSQL returns SQL for the comment on the primary key of a table that a run published. program is SQL
// for the program's version, a text, and run is SQL for the run, a bigint. Each comment is unique.
func (l Ledger) KeyCommentSQL(program, run string) string {
	return l.function("key_comment") + "(" + program + ", " + run + ")"
}

const recordMarkSQL = `
	insert into {marks} (run_id, mark)
	select r.id, k.mark from {runs} r, {key_mark}($1::oid::regclass) k
	where k.mark is not null and r.state = 'published' and (r.id = $2 or $3 and r.version_id = $2)
	on conflict (run_id) do update set mark = excluded.mark`

// RecordMark records that the key comment of the table with this oid comes from a published run. The comment need
// not name the run, because an append does not change it.
func (l Ledger) RecordMark(ctx context.Context, q pg.Querier, run int64, oid uint32) error {
	_, err := q.Exec(ctx, l.SQL(recordMarkSQL), oid, run, false)
	return pg.Wrap(err, "recording in the ledger the key comment of the table of run %d", run)
}

// RecordVersionMark does the same for all runs of a version.
func (l Ledger) RecordVersionMark(ctx context.Context, q pg.Querier, version int64, oid uint32) error {
	_, err := q.Exec(ctx, l.SQL(recordMarkSQL), oid, version, true)
	return pg.Wrap(err, "recording in the ledger the key comment of the table of version %d", version)
}

// HasMark reports whether the comment on a table's key names its ledger. The comment of an older loadgrid does
// not.
func (l Ledger) HasMark(ctx context.Context, q pg.Querier, oid uint32) (has bool, err error) {
	err = q.QueryRow(ctx, l.SQL("select mark is not null from {key_mark}($1::oid::regclass)"), oid).Scan(&has)
	return has, pg.Wrap(err, "reading the comment on a primary key")
}

// IsVersion reports whether the table with this oid keeps or shows a version of t.
func (l Ledger) IsVersion(ctx context.Context, q pg.Querier, t job.Table, version int64, oid uint32) (bool, error) {
	o, err := l.origin(ctx, q, t, oid)
	if errors.As(err, new(*OtherLedgerError)) {
		return false, nil
	}

	return err == nil && o.run != 0 && o.version == version && o.table == t, err
}

const adoptSQL = `
	update {runs} set shown = true, kept_name = null, kept_no = null, table_oid = $4
	where schema_name = $1 and table_name = $2 and version_id = $3 and state = 'published'
	  and (not shown or kept_name is not null or table_oid is distinct from $4)`

// Adopt records that the table with this oid shows a version of t. The ledger does not know that if the table was
// restored from a dump, or renamed by hand.
func (l Ledger) Adopt(ctx context.Context, q pg.Querier, t job.Table, version int64, oid uint32) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+" set shown = false where schema_name = $1 and table_name = $2 and shown and version_id <> $3",
		t.Schema, t.Name, version)
	if err == nil {
		_, err = q.Exec(ctx, l.SQL(adoptSQL), t.Schema, t.Name, version, oid)
	}

	return pg.Wrap(err, "recording in the ledger that table %s has version %d", t, version)
}
