// Package ledger owns the database's record of loads: runs and their attempts, chunks, versions of tables,
// pruning and migrations.
package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/rows"
)

// Ledger holds the names of the ledger's tables. All statements about runs and chunks are methods of it.
type Ledger struct {
	// Schema is the schema of the ledger. The others are names of tables, quoted for SQL.
	Schema, RunsTable, ChunksTable, attemptsTable string
	// Owner is a role that may own the ledger, together with its members; "" if there is none. CheckOwner lists
	// the roles that may always own it.
	Owner string
	// startsTable is the name of the attempts in an older ledger.
	startsTable string
}

// New returns the ledger in a schema. owner is a role that may own it, in addition to those that CheckOwner
// lists; "" if there is none. New does not connect.
func New(schema, owner string) Ledger {
	return Ledger{
		Schema:        schema,
		Owner:         owner,
		RunsTable:     pgx.Identifier{schema, "runs"}.Sanitize(),
		ChunksTable:   pgx.Identifier{schema, "chunks"}.Sanitize(),
		attemptsTable: pgx.Identifier{schema, "attempts"}.Sanitize(),
		startsTable:   pgx.Identifier{schema, "starts"}.Sanitize(),
	}
}

// SQL returns a statement with the ledger's names filled in. It replaces {runs}, {chunks}, {attempts}, {shared},
// {marks}, {held}, {identity}, {run_of} and {key_mark}.
func (l Ledger) SQL(statement string) string {
	return strings.NewReplacer("{runs}", l.RunsTable, "{chunks}", l.ChunksTable, "{attempts}", l.attemptsTable,
		"{shared}", l.function("shared_attempts"), "{marks}", l.function("marks"),
		"{held}", l.function("held_tables"), "{identity}", l.function("identity"), "{run_of}", l.function("run_of"), "{key_mark}", l.function("key_mark")).Replace(statement)
}

// Exists reports whether the schema has a ledger. If the ledger is not safe to read, the error is a
// *ForeignError: see CheckOwner.
func (l Ledger) Exists(ctx context.Context, q pg.Querier) (bool, error) {
	if err := l.CheckOwner(ctx, q); err != nil {
		return false, err
	}

	var there bool
	err := q.QueryRow(ctx, "select to_regclass($1) is not null and to_regclass($2) is not null", l.RunsTable, l.ChunksTable).Scan(&there)
	return there, pg.Wrap(err, "looking for the ledger in schema %s", l.Schema)
}

// PublishedBy returns the job that loaded the table with this oid, or nil if the ledger does not know it. If the
// table belongs to another ledger, the error is an *OtherLedgerError.
func (l Ledger) PublishedBy(ctx context.Context, q pg.Querier, t job.Table, oid uint32) (*job.Job, error) {
	o, err := l.origin(ctx, q, t, oid)
	if err != nil || o.table != t {
		return nil, err
	}

	var made job.Job
	err = q.QueryRow(ctx, "select job from "+l.RunsTable+" where id = $1", o.run).Scan(&made)

	return &made, pg.Wrap(err, "reading table %s from the ledger", t)
}

// NewRun is what the ledger stores when a run begins.
type NewRun struct {
	JobName        string
	Table          job.Table // with its schema
	Job            job.Job
	Fingerprint    string
	Staging        string // name of the staging table, in the table's schema
	Chunks         int64
	Rows           int64
	ProgramVersion string // of loadgrid
}

// InsertRun adds a run and returns its number.
func (l Ledger) InsertRun(ctx context.Context, tx pgx.Tx, run NewRun) (int64, error) {
	b, err := json.Marshal(run.Job)
	if err != nil {
		return 0, fmt.Errorf("writing the job as JSON: %w", err)
	}

	var area []byte
	if run.Job.Area != nil {
		area = run.Job.Area.Marshal()
	}

	var id int64
	err = tx.QueryRow(ctx, "insert into "+l.RunsTable+
		" (schema_name, table_name, staging_name, job, aoi, fingerprint, chunks, rows, version, job_name)"+
		" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id",
		run.Table.Schema, run.Table.Name, run.Staging, string(b), area, run.Fingerprint, run.Chunks, run.Rows, run.ProgramVersion, run.JobName).Scan(&id)

	if err == nil && run.Job.Area != nil && run.Job.Area.Layer != nil {
		err = l.insertFeatures(ctx, tx, id, run.Job.Area)
	}

	return id, pg.Wrap(err, "adding a run of table %s to the ledger", run.Table)
}

// maxFeatures is the limit for the features of an area in one row of the ledger, in bytes.
const maxFeatures = 1<<30 - 1<<10

// insertFeatures stores the features of a run's area by COPY. A parameter of a statement would be in memory
// twice.
func (l Ledger) insertFeatures(ctx context.Context, tx pgx.Tx, run int64, a *aoi.Area) error {
	features, size := a.Layer.Bytes(a.SRID)
	if size > maxFeatures {
		return aoi.BadArea("has features of %d bytes, polygons and values, but the ledger stores at most %d: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or use fewer attributes", size, maxFeatures)
	}

	head := binary.BigEndian.AppendUint16([]byte(rows.CopyHeader), 2)
	head = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(head, 8), uint64(run))
	head = binary.BigEndian.AppendUint32(head, uint32(size))

	_, err := tx.Conn().PgConn().CopyFrom(ctx, io.MultiReader(bytes.NewReader(head), features, strings.NewReader(rows.CopyTrailer)),
		"copy "+l.function("run_features")+" (run_id, features) from stdin (format binary)")

	return err
}

// ReadArea reads the polygons of a run's area of interest into its job. The ledger stores them next to the job,
// as bytes. Older ledgers have no column for them.
func (l Ledger) ReadArea(ctx context.Context, q pg.Querier, run *RunInfo) error {
	if run.Job.Area == nil {
		return nil
	}

	var b []byte
	if err := q.QueryRow(ctx, "select aoi from "+l.RunsTable+" where id = $1", run.ID).Scan(&b); err != nil {
		return pg.Wrap(err, "reading the area of interest of run %d from the ledger", run.ID)
	}

	if err := run.Job.Area.Unmarshal(b); err != nil {
		return fmt.Errorf("reading the area of interest of run %d in the ledger: %w", run.ID, err)
	}

	if len(run.Job.FeatureAttributes()) == 0 {
		return nil
	}

	if err := q.QueryRow(ctx, "select features from "+l.function("run_features")+" where run_id = $1", run.ID).Scan(&b); err != nil {
		return pg.Wrap(err, "reading the features of the area of interest of run %d from the ledger", run.ID)
	}

	if err := run.Job.Area.UnmarshalLayer(b); err != nil {
		return fmt.Errorf("reading the features of the area of interest of run %d in the ledger: %w", run.ID, err)
	}

	return nil
}

// MarkResumed records that a run is resumed, with its present job, which may differ from the first attempt's job
// in what is not part of the fingerprint. It returns the number of the new attempt.
func (l Ledger) MarkResumed(ctx context.Context, q pg.Querier, id int64, j job.Job) (no int, err error) {
	b, err := json.Marshal(j)
	if err != nil {
		return 0, fmt.Errorf("writing the job as JSON: %w", err)
	}

	err = q.QueryRow(ctx, "update "+l.RunsTable+" set starts = starts + 1, last_error = null, job = $2 where id = $1 returning starts", id, string(b)).Scan(&no)

	return no, pg.Wrap(err, "recording in the ledger that run %d is resumed", id)
}

// WaitForChunks waits for all transactions that write a chunk of the run, and keeps out new ones until the end of
// this transaction.
func (l Ledger) WaitForChunks(ctx context.Context, q pg.Querier, id int64) error {
	_, err := q.Exec(ctx, "select from "+l.RunsTable+" where id = $1 for update", id)
	return pg.Wrap(err, "waiting for the chunks of run %d", id)
}

// ChunkHolder describes the session that writes a chunk of the run, for people. It is best effort.
func (l Ledger) ChunkHolder(ctx context.Context, q pg.Querier, id int64) string {
	var holder string

	err := q.QueryRow(ctx, l.SQL(chunkHolderSQL), id).Scan(&holder)
	if err != nil {
		return "a session that is writing it"
	}

	return holder
}

const chunkHolderSQL = `
	select format('backend %s (%s%s%s)', a.pid, coalesce(nullif(a.application_name, '') || ' of ', ''), a.usename, coalesce(', ' || a.state, ''))
	from {runs} r join pg_locks l on l.transactionid = r.xmax and l.granted join pg_stat_activity a on a.pid = l.pid
	where r.id = $1 and l.locktype = 'transactionid'`

// FlushCommits commits a change, which makes the server flush all earlier commits to disk.
func (l Ledger) FlushCommits(ctx context.Context, q pg.Querier, id int64) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+" set last_error = null where id = $1", id)
	return pg.Wrap(err, "recording in the ledger that run %d is loaded", id)
}

// RecordError records why a run stopped.
func (l Ledger) RecordError(ctx context.Context, q pg.Querier, id int64, cause error) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+" set last_error = $2 where id = $1", id, sqltext.OneLine(cause.Error()))
	return pg.Wrap(err, "recording in the ledger why run %d stopped", id)
}

// ClearError records that the problem of a run is solved.
func (l Ledger) ClearError(ctx context.Context, q pg.Querier, id int64) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+" set last_error = null where id = $1", id)
	return pg.Wrap(err, "recording in the ledger that run %d is done", id)
}

// unsettled is the error of a published run until all nodes are known to have its rows.
const unsettled = "it is not known whether all nodes of the cluster have its rows"

// MarkPublished records that the table with this oid shows a run's rows as part of a version, and how many of the
// rows are new. If the table is distributed over nodes, it also records that they may not have the rows yet,
// until ClearError. If this process is killed in between, the next run takes care of it.
func (l Ledger) MarkPublished(ctx context.Context, q pg.Querier, id int64, oid uint32, version, added int64, spread bool) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+` set state = 'published', finished_at = now(), last_error = case when $5 then $6 end, table_oid = $2, version_id = $3,
		shown = true, rows_added = $4, published_xid = pg_current_xact_id() where id = $1`, id, oid, version, added, spread, unsettled)
	return pg.Wrap(err, "recording in the ledger that run %d is published", id)
}

// RecordState records, in the column imprint, how a run left its table, and when: the After hook may take long. A
// transaction that wrote no rows is not included.
func (l Ledger) RecordState(ctx context.Context, q pg.Querier, id int64, state TableState, wrote bool) error {
	b, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("writing the state of the table as JSON: %w", err)
	}

	_, err = q.Exec(ctx, "update "+l.RunsTable+" set imprint = $2, finished_at = clock_timestamp(), published_xid = case when $3 then published_xid end where id = $1", id, string(b), wrote)

	return pg.Wrap(err, "recording in the ledger how run %d left its table", id)
}

// MarkRunDropped records that a run is abandoned, and deletes its chunks.
func (l Ledger) MarkRunDropped(ctx context.Context, q pg.Querier, id int64) error {
	if _, err := q.Exec(ctx, "update "+l.RunsTable+" set state = 'dropped', finished_at = now() where id = $1", id); err != nil {
		return pg.Wrap(err, "recording in the ledger that run %d is dropped", id)
	}
	_, err := q.Exec(ctx, "delete from "+l.ChunksTable+" where run_id = $1", id)
	return pg.Wrap(err, "deleting the chunks of run %d from the ledger", id)
}

// InsertChunk records a chunk as committed if its transaction commits. It must come first in that transaction: a
// second attempt at the same chunk waits here, and then gets SQLSTATE 23505.
func (l Ledger) InsertChunk(ctx context.Context, q pg.Querier, run int64, c plan.Chunk) error {
	_, err := q.Exec(ctx, "insert into "+l.ChunksTable+" (run_id, chunk_no, first_id, last_id, rows) values ($1, $2, $3, $4, $5)",
		run, c.No, c.First, c.Last, c.Rows)
	return err
}

// CommittedChunks returns the numbers of a run's committed chunks, and how many rows they have.
func (l Ledger) CommittedChunks(ctx context.Context, q pg.Querier, run int64) (map[int64]bool, int64, error) {
	rows, err := q.Query(ctx, "select chunk_no, rows from "+l.ChunksTable+" where run_id = $1", run)
	if err != nil {
		return nil, 0, pg.Wrap(err, "reading the chunks of run %d", run)
	}

	done := make(map[int64]bool)
	var no, n, sum int64
	_, err = pgx.ForEachRow(rows, []any{&no, &n}, func() error {
		done[no] = true
		sum += n

		return nil
	})

	return done, sum, pg.Wrap(err, "reading the chunks of run %d", run)
}
