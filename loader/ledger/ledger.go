// Package ledger owns what the database remembers of runs: runs and their attempts, chunks,
// versions of tables, pruning and migrations.
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

// Ledger holds the names of the ledger's tables. Every statement about runs and
// chunks is a method of it.
type Ledger struct {
	// Schema is where the tables are; the others are their names for SQL.
	Schema, RunsTable, ChunksTable, attemptsTable string
	// Owner is a role that may own the ledger, with its members; "" for none beside those that
	// may anyway: see CheckOwner.
	Owner string
	// startsTable is what the attempts were called in a ledger from before.
	startsTable string
}

// New returns the ledger in a schema, which role owner may own, "" for no other than those that
// CheckOwner names. Nothing is asked of a server.
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

// SQL returns a statement with the ledger's tables and functions in it: {runs}, {chunks},
// {attempts}, {shared}, {marks}, {held}, {identity}, {run_of} and {key_mark} stand for their names.
func (l Ledger) SQL(statement string) string {
	return strings.NewReplacer("{runs}", l.RunsTable, "{chunks}", l.ChunksTable, "{attempts}", l.attemptsTable,
		"{shared}", l.function("shared_attempts"), "{marks}", l.function("marks"),
		"{held}", l.function("held_tables"), "{identity}", l.function("identity"), "{run_of}", l.function("run_of"), "{key_mark}", l.function("key_mark")).Replace(statement)
}

// Exists reports whether the schema has a ledger. One that is not safe to read is a
// *ForeignError: see CheckOwner.
func (l Ledger) Exists(ctx context.Context, q pg.Querier) (bool, error) {
	if err := l.CheckOwner(ctx, q); err != nil {
		return false, err
	}

	var there bool
	err := q.QueryRow(ctx, "select to_regclass($1) is not null and to_regclass($2) is not null", l.RunsTable, l.ChunksTable).Scan(&there)
	return there, pg.Wrap(err, "looking for the ledger in schema %s", l.Schema)
}

// PublishedBy returns the job that made the table with this oid, nil when the
// ledger knows of none. A table of another ledger is an *OtherLedgerError.
func (l Ledger) PublishedBy(ctx context.Context, q pg.Querier, t job.Table, oid uint32) (*job.Job, error) {
	o, err := l.origin(ctx, q, t, oid)
	if err != nil || o.table != t {
		return nil, err
	}

	var made job.Job
	err = q.QueryRow(ctx, "select job from "+l.RunsTable+" where id = $1", o.run).Scan(&made)

	return &made, pg.Wrap(err, "reading the ledger about table %s", t)
}

// NewRun is what the ledger keeps of a run from its begin on.
type NewRun struct {
	JobName        string
	Table          job.Table // with its schema
	Job            job.Job
	Fingerprint    string
	Staging        string // the name of the staging table, in the table's schema
	Chunks         int64
	Rows           int64
	ProgramVersion string // of the program
}

// InsertRun writes down a new run and returns its number.
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

	return id, pg.Wrap(err, "writing a run of table %s into the ledger", run.Table)
}

// maxFeatures is how many bytes the features of an area may have in a row of the ledger.
const maxFeatures = 1<<30 - 1<<10

// insertFeatures writes down the features of a run's area, by COPY: a parameter of a statement
// would be in memory twice.
func (l Ledger) insertFeatures(ctx context.Context, tx pgx.Tx, run int64, a *aoi.Area) error {
	features, size := a.Layer.Bytes(a.SRID)
	if size > maxFeatures {
		return aoi.BadArea("has features of %d bytes, polygons and values, of which the ledger keeps at most %d: simplify it (ST_SimplifyPreserveTopology, ogr2ogr -simplify), or ask for fewer attributes", size, maxFeatures)
	}

	head := binary.BigEndian.AppendUint16([]byte(rows.CopyHeader), 2)
	head = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(head, 8), uint64(run))
	head = binary.BigEndian.AppendUint32(head, uint32(size))

	_, err := tx.Conn().PgConn().CopyFrom(ctx, io.MultiReader(bytes.NewReader(head), features, strings.NewReader(rows.CopyTrailer)),
		"copy "+l.function("run_features")+" (run_id, features) from stdin (format binary)")

	return err
}

// ReadArea reads the polygons of a run's area of interest into its job. They stand
// beside it, as bytes, and ledgers from before there were any have no column for
// them.
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

// MarkResumed notes that a run goes on, with the job as it is now, which may differ from
// that of the first attempt in what is not of the fingerprint. It returns which attempt
// that is.
func (l Ledger) MarkResumed(ctx context.Context, q pg.Querier, id int64, j job.Job) (no int, err error) {
	b, err := json.Marshal(j)
	if err != nil {
		return 0, fmt.Errorf("writing the job as JSON: %w", err)
	}

	err = q.QueryRow(ctx, "update "+l.RunsTable+" set starts = starts + 1, last_error = null, job = $2 where id = $1 returning starts", id, string(b)).Scan(&no)

	return no, pg.Wrap(err, "writing into the ledger that run %d goes on", id)
}

// WaitForChunks waits until no transaction is in work that writes a chunk of the run,
// and keeps others out until the end of this one.
func (l Ledger) WaitForChunks(ctx context.Context, q pg.Querier, id int64) error {
	_, err := q.Exec(ctx, "select from "+l.RunsTable+" where id = $1 for update", id)
	return pg.Wrap(err, "waiting for the chunks of run %d", id)
}

// ChunkHolder says which session writes a chunk of the run, for people. It is best effort.
func (l Ledger) ChunkHolder(ctx context.Context, q pg.Querier, id int64) string {
	var holder string

	err := q.QueryRow(ctx, l.SQL(chunkHolderSQL), id).Scan(&holder)
	if err != nil {
		return "a session that is at work on it"
	}

	return holder
}

const chunkHolderSQL = `
	select format('backend %s (%s%s%s)', a.pid, coalesce(nullif(a.application_name, '') || ' of ', ''), a.usename, coalesce(', ' || a.state, ''))
	from {runs} r join pg_locks l on l.transactionid = r.xmax and l.granted join pg_stat_activity a on a.pid = l.pid
	where r.id = $1 and l.locktype = 'transactionid'`

// FlushCommits commits, and so has the server write to disk all that was committed before.
func (l Ledger) FlushCommits(ctx context.Context, q pg.Querier, id int64) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+" set last_error = null where id = $1", id)
	return pg.Wrap(err, "writing into the ledger that run %d is loaded", id)
}

// RecordError writes down why a run stopped.
func (l Ledger) RecordError(ctx context.Context, q pg.Querier, id int64, cause error) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+" set last_error = $2 where id = $1", id, sqltext.OneLine(cause.Error()))
	return pg.Wrap(err, "writing into the ledger why run %d stopped", id)
}

// ClearError notes that what had stopped a run is mended.
func (l Ledger) ClearError(ctx context.Context, q pg.Querier, id int64) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+" set last_error = null where id = $1", id)
	return pg.Wrap(err, "writing into the ledger that run %d is done", id)
}

// unsettled is the error of a published run until it is known that all nodes have its rows.
const unsettled = "it is not known whether all nodes of the cluster have its rows"

// MarkPublished notes that a run's rows are shown by the table with this oid, as part
// of a version, and how many of them were not there before. Of a table that is spread over nodes it
// also notes that these may not have them yet, until ClearError: whoever is killed in between
// leaves that to the next run.
func (l Ledger) MarkPublished(ctx context.Context, q pg.Querier, id int64, oid uint32, version, added int64, spread bool) error {
	_, err := q.Exec(ctx, "update "+l.RunsTable+` set state = 'published', finished_at = now(), last_error = case when $5 then $6 end, table_oid = $2, version_id = $3,
		shown = true, rows_added = $4, published_xid = pg_current_xact_id() where id = $1`, id, oid, version, added, spread, unsettled)
	return pg.Wrap(err, "writing into the ledger that run %d is published", id)
}

// RecordState notes, in the column imprint, how a run has left its table, and when: the hook may take long.
// A transaction that wrote no rows is in none.
func (l Ledger) RecordState(ctx context.Context, q pg.Querier, id int64, state TableState, wrote bool) error {
	b, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("writing the state of the table as JSON: %w", err)
	}

	_, err = q.Exec(ctx, "update "+l.RunsTable+" set imprint = $2, finished_at = clock_timestamp(), published_xid = case when $3 then published_xid end where id = $1", id, string(b), wrote)

	return pg.Wrap(err, "writing into the ledger how run %d has left its table", id)
}

// MarkRunDropped notes that a run is given up, and forgets its chunks.
func (l Ledger) MarkRunDropped(ctx context.Context, q pg.Querier, id int64) error {
	if _, err := q.Exec(ctx, "update "+l.RunsTable+" set state = 'dropped', finished_at = now() where id = $1", id); err != nil {
		return pg.Wrap(err, "writing into the ledger that run %d is dropped", id)
	}
	_, err := q.Exec(ctx, "delete from "+l.ChunksTable+" where run_id = $1", id)
	return pg.Wrap(err, "taking the chunks of run %d out of the ledger", id)
}

// InsertChunk notes a chunk as committed, if the transaction it is in commits.
// It must come first in that transaction: a second attempt at the same chunk
// waits here, and then gets SQLSTATE 23505.
func (l Ledger) InsertChunk(ctx context.Context, q pg.Querier, run int64, c plan.Chunk) error {
	_, err := q.Exec(ctx, "insert into "+l.ChunksTable+" (run_id, chunk_no, first_id, last_id, rows) values ($1, $2, $3, $4, $5)",
		run, c.No, c.First, c.Last, c.Rows)
	return err
}

// CommittedChunks returns the numbers of a run's committed chunks and their rows.
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
