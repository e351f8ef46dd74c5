package ledger

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// StateFormat is the format in which columns and indexes are recorded. 0 is that of an older
// loadgrid: text that the server made of them, which depends on settings of its session.
const StateFormat = 2

// TableState is how a run has left its table, as far as the catalogue tells.
type TableState struct {
	Format int `json:"format,omitempty"` // see StateFormat
	// Files is a digest of the table and its partitions: which relations, in which
	// files. TRUNCATE, VACUUM FULL, CLUSTER and a restored backup change those.
	Files string `json:"files"`
	// Columns are names and types.
	Columns []string `json:"columns"`
	// Numbers are those that the catalogue gave the columns. One that was dropped and
	// made again has another, and none of its values.
	Numbers []int16 `json:"numbers"`
	// Indexes are the valid ones, without their names. Others may be added.
	Indexes []string `json:"indexes"`
	// Tables are the table, or its partitions: what holds rows. Empty in format 0.
	Tables []TableFile `json:"tables,omitempty"`
	// Rows is how many there are and Writers which transactions wrote them beyond those
	// that the ledger has, where the hook after has written to the table.
	Rows *int64 `json:"rows,omitempty"`
	// HookWrote says that the hook after has written to the table: without Rows it is not
	// known then how many there are.
	HookWrote bool     `json:"hook_wrote,omitempty"`
	Writers   []string `json:"writers,omitempty"`
	// Digest is of the transactions that have written the rows of a distributed table, where the
	// run was one that looks whether it is unchanged: see distribution.Written.
	Digest string `json:"digest,omitempty"`
}

// TableFile is a table with its file: another one after TRUNCATE, for example.
type TableFile struct {
	OID  uint32 `json:"oid"`
	Name string `json:"name"` // without its schema
	File uint32 `json:"file"` // 0 for a foreign table
}

// ShownRun is a run whose rows the table, or a version of it, has.
type ShownRun struct {
	ID, version, Rows int64
	OID               uint32 // of the table, when the run published it
	Job               job.Job
	Fingerprint       string
	State             *TableState // as it left the table; nil in a ledger from before
}

// ShownRuns returns the runs whose rows the table shows, the last first.
func (l Ledger) ShownRuns(ctx context.Context, q pg.Querier, t catalog.Relation) ([]ShownRun, error) {
	version, found, err := l.ShownVersion(ctx, q, t.Table, t.OID)
	if err != nil || !found {
		return nil, err
	}

	return l.runsOf(ctx, q, t.Table, version, "shown")
}

// VersionRuns returns the runs whose rows a version of a table has, the last first.
func (l Ledger) VersionRuns(ctx context.Context, q pg.Querier, t job.Table, version int64) ([]ShownRun, error) {
	return l.runsOf(ctx, q, t, version, "state = 'published'")
}

func (l Ledger) runsOf(ctx context.Context, q pg.Querier, t job.Table, version int64, condition string) ([]ShownRun, error) {
	rows, err := q.Query(ctx, "select id, version_id, coalesce(rows_added, rows), coalesce(table_oid, 0), job, fingerprint, imprint from "+l.RunsTable+
		" where schema_name = $1 and table_name = $2 and version_id = $3 and "+condition+" order by id desc", t.Schema, t.Name, version)
	if err != nil {
		return nil, pg.Wrap(err, "reading the ledger about table %s", t)
	}

	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r ShownRun, err error) {
		var state []byte
		if err := row.Scan(&r.ID, &r.version, &r.Rows, &r.OID, &r.Job, &r.Fingerprint, &state); err != nil || state == nil {
			return r, err
		}

		err = json.Unmarshal(state, &r.State)

		return r, err
	})

	return list, pg.Wrap(err, "reading the ledger about table %s", t)
}
