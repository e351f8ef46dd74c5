package ledger

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// StateFormat is the format of the recorded columns and indexes. Format 0, of an older loadgrid, is the server's
// own text, which depends on settings of its session.
const StateFormat = 2

// TableState is how a run left its table, according to the catalogue.
type TableState struct {
	Format int `json:"format,omitempty"` // see StateFormat
	// Files is a digest of the relations and files of the table and its partitions. TRUNCATE, VACUUM FULL,
	// CLUSTER and restoring a backup change it.
	Files string `json:"files"`
	// Columns are names and types.
	Columns []string `json:"columns"`
	// Numbers are the columns' numbers in the catalogue. A column that was dropped and added again has another
	// number and none of its values.
	Numbers []int16 `json:"numbers"`
	// Indexes are the valid indexes, without their names. Others may be added.
	Indexes []string `json:"indexes"`
	// Tables are what holds the rows: the table, or its partitions. Empty in format 0.
	Tables []TableFile `json:"tables,omitempty"`
	// Rows is the number of rows. Writers are the transactions that wrote them, in addition to those in the
	// ledger, if the After hook wrote to the table.
	Rows *int64 `json:"rows,omitempty"`
	// HookWrote reports whether the After hook wrote to the table. Without Rows, the number of rows is then
	// unknown.
	HookWrote bool     `json:"hook_wrote,omitempty"`
	Writers   []string `json:"writers,omitempty"`
	// Digest identifies the transactions that wrote the rows of a distributed table. Only a run that checks for
	// unchanged tables records it: see distribution.Written.
	Digest string `json:"digest,omitempty"`
}

// TableFile is a table with its file, which TRUNCATE, for example, changes.
type TableFile struct {
	OID  uint32 `json:"oid"`
	Name string `json:"name"` // without its schema
	File uint32 `json:"file"` // 0 for a foreign table
}

// ShownRun is a run whose rows are in the table, or in a version of it.
type ShownRun struct {
	ID, version, Rows int64
	OID               uint32 // of the table, when the run published it
	Job               job.Job
	Fingerprint       string
	State             *TableState // how it left the table; nil in an older ledger
}

// ShownRuns returns the runs whose rows the table shows, last first.
func (l Ledger) ShownRuns(ctx context.Context, q pg.Querier, t catalog.Relation) ([]ShownRun, error) {
	version, found, err := l.ShownVersion(ctx, q, t.Table, t.OID)
	if err != nil || !found {
		return nil, err
	}

	return l.runsOf(ctx, q, t.Table, version, "shown")
}

// VersionRuns returns the runs whose rows are in a version of a table, last first.
func (l Ledger) VersionRuns(ctx context.Context, q pg.Querier, t job.Table, version int64) ([]ShownRun, error) {
	return l.runsOf(ctx, q, t, version, "state = 'published'")
}

func (l Ledger) runsOf(ctx context.Context, q pg.Querier, t job.Table, version int64, condition string) ([]ShownRun, error) {
	rows, err := q.Query(ctx, "select id, version_id, coalesce(rows_added, rows), coalesce(table_oid, 0), job, fingerprint, imprint from "+l.RunsTable+
		" where schema_name = $1 and table_name = $2 and version_id = $3 and "+condition+" order by id desc", t.Schema, t.Name, version)
	if err != nil {
		return nil, pg.Wrap(err, "reading table %s from the ledger", t)
	}

	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r ShownRun, err error) {
		var state []byte
		if err := row.Scan(&r.ID, &r.version, &r.Rows, &r.OID, &r.Job, &r.Fingerprint, &state); err != nil || state == nil {
			return r, err
		}

		err = json.Unmarshal(state, &r.State)

		return r, err
	})

	return list, pg.Wrap(err, "reading table %s from the ledger", t)
}
