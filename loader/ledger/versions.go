package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// A Version is what a table held from one replace to the next: the rows of the run that loaded it, whose number
// it has, and of runs that appended later. The table shows one version; others may be kept in tables of their
// own.
type Version struct {
	ID   int64
	Kept job.Table // the table that keeps it
	OID  uint32    // of that table, when it was put away
}

// VersionAt returns the version that a table keeps.
func VersionAt(id int64, kept catalog.Relation) Version { return Version{id, kept.Table, kept.OID} }

// VersionName returns the name of the table that keeps a version of t.
func VersionName(t job.Table, version int64) job.Table {
	return job.Table{Schema: t.Schema, Name: catalog.ObjectName(t.Name, "", fmt.Sprintf("run%d", version))}
}

// fromRuns returns SQL for the ledger's runs that also works in an older ledger: in the subquery, a column that
// runs lacks comes from the outer query.
func (l Ledger) fromRuns(columns string) string {
	return `(select null::bigint as version_id, false as shown, null::text as kept_name, null::text as job_name) old cross join lateral
		(select ` + columns + `, version_id, shown, kept_name, job_name from ` + l.RunsTable + `) r`
}

// ShownVersion returns the version that the table with this oid shows, if the ledger knows it. If the table
// belongs to another ledger, the error is an *OtherLedgerError.
func (l Ledger) ShownVersion(ctx context.Context, q pg.Querier, t job.Table, oid uint32) (id int64, found bool, err error) {
	o, err := l.origin(ctx, q, t, oid)
	if err != nil || o.table != t {
		return 0, false, err
	}

	return o.version, true, nil
}

// RowsShown returns how many rows runs added to the table, counting only those that it shows.
func (l Ledger) RowsShown(ctx context.Context, q pg.Querier, t job.Table) (rows int64, err error) {
	err = q.QueryRow(ctx, "select coalesce(sum(coalesce(rows_added, rows)), 0)::bigint from "+l.RunsTable+
		" where schema_name = $1 and table_name = $2 and shown", t.Schema, t.Name).Scan(&rows)
	return rows, pg.Wrap(err, "reading the number of rows of table %s from the ledger", t)
}

// MarkReplaced records that the table no longer shows any of its previous rows.
func (l Ledger) MarkReplaced(ctx context.Context, q pg.Querier, t job.Table) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+" set shown = false where schema_name = $1 and table_name = $2 and shown", t.Schema, t.Name)
	return pg.Wrap(err, "recording in the ledger that table %s has another version", t)
}

const markKeptSQL = `
	update {runs} set kept_name = $4, table_oid = $5,
	       kept_no = (select coalesce(max(kept_no), 0) + 1 from {runs} where schema_name = $1 and table_name = $2)
	where schema_name = $1 and table_name = $2 and version_id = $3 and state = 'published'`

// MarkKept records where a version of t is kept, as the version that was put away last. A rollback may put away a
// newer version than those already kept.
func (l Ledger) MarkKept(ctx context.Context, q pg.Querier, t job.Table, v Version) error {
	_, err := q.Exec(ctx, l.SQL(markKeptSQL), t.Schema, t.Name, v.ID, v.Kept.Name, v.OID)
	return pg.Wrap(err, "recording in the ledger that version %d of table %s is kept", v.ID, t)
}

// MarkRestored records that the table with this oid shows a version that was kept.
func (l Ledger) MarkRestored(ctx context.Context, q pg.Querier, t job.Table, version int64, oid uint32) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+` set shown = true, kept_name = null, kept_no = null, table_oid = $4
		where schema_name = $1 and table_name = $2 and version_id = $3 and state = 'published'`, t.Schema, t.Name, version, oid)
	return pg.Wrap(err, "recording in the ledger that table %s has version %d again", t, version)
}

// MarkVersionDropped records that a version is no longer kept.
func (l Ledger) MarkVersionDropped(ctx context.Context, q pg.Querier, t job.Table, version int64) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+` set kept_name = null, kept_no = null
		where schema_name = $1 and table_name = $2 and version_id = $3`, t.Schema, t.Name, version)
	return pg.Wrap(err, "recording in the ledger that version %d of table %s is gone", version, t)
}

// KeptVersions returns the kept versions of t, the one that was put away last first.
func (l Ledger) KeptVersions(ctx context.Context, q pg.Querier, t job.Table) ([]Version, error) {
	rows, err := q.Query(ctx, "select version_id, schema_name, kept_name, max(table_oid) from "+l.RunsTable+`
		where schema_name = $1 and table_name = $2 and kept_name is not null
		group by 1, 2, 3 order by max(kept_no) desc`, t.Schema, t.Name)
	if err != nil {
		return nil, pg.Wrap(err, "reading the kept versions of table %s from the ledger", t)
	}

	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Version, err error) {
		err = row.Scan(&v.ID, &v.Kept.Schema, &v.Kept.Name, &v.OID)
		return v, err
	})

	return list, pg.Wrap(err, "reading the kept versions of table %s from the ledger", t)
}
