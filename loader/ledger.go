package loader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// querier is what the ledger's statements run on: a pool, a connection, a
// transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// ledger holds the names of the ledger's tables. Every statement about runs and
// chunks is a method of it.
type ledger struct {
	schema, runs, chunks, attempts string
	// starts is what attempts were called in a ledger from before.
	starts string
}

func newLedger(schema string) ledger {
	return ledger{
		schema:   schema,
		runs:     pgx.Identifier{schema, "runs"}.Sanitize(),
		chunks:   pgx.Identifier{schema, "chunks"}.Sanitize(),
		attempts: pgx.Identifier{schema, "attempts"}.Sanitize(),
		starts:   pgx.Identifier{schema, "starts"}.Sanitize(),
	}
}

// States of a run.
const (
	StateLoading   = "loading"   // begun and not ended; whether it is alive, the lock tells
	StatePublished = "published" // readers see its table
	StateDropped   = "dropped"   // given up, its staging table is gone
)

// RunInfo is a run as the ledger knows it.
type RunInfo struct {
	ID          int64      `json:"id"`
	JobName     string     `json:"job_name,omitempty"` // empty in a ledger from before jobs had names
	Table       Table      `json:"table"`
	State       string     `json:"state"`
	Chunks      int64      `json:"chunks"`
	Committed   int64      `json:"committed_chunks"`
	Rows        int64      `json:"rows"`
	RowsDone    int64      `json:"committed_rows"`
	Attempts    int        `json:"attempts"`
	Starts      int        `json:"starts"` // the same as Attempts, for one release
	StartedAt   time.Time  `json:"started_at"`
	FinishedAt  *time.Time `json:"finished_at,omitempty"`
	LastError   string     `json:"last_error,omitempty"`
	Version     string     `json:"version"`
	Fingerprint string     `json:"fingerprint"`
	Job         Job        `json:"job"`
	// TableVersion is the run that made the version of the table with this run's
	// rows: itself, or the one that it appended to. 0 for runs that are not published.
	TableVersion int64 `json:"table_version,omitempty"`
	// Shown tells whether the table shows the rows of this run.
	Shown bool `json:"shown"`
	// KeptAs names the table, in the same schema, that keeps the rows of this run
	// since others took their place. Empty where none does.
	KeptAs string `json:"kept_as,omitempty"`
	// History tells of each start of the run. Empty in a ledger from before starts
	// were written down.
	History []Start `json:"history"`
	staging string
}

// Standing says in a word what became of a run: its state, and of one that was
// published whether its rows are shown, kept or replaced.
func (r RunInfo) Standing() string {
	switch {
	case r.State != StatePublished || r.Shown, r.TableVersion == 0: // the last in a ledger from before versions
		return r.State
	case r.KeptAs != "":
		return "kept"
	}
	return "replaced"
}

func (l ledger) exists(ctx context.Context, q querier) (bool, error) {
	var there bool
	err := q.QueryRow(ctx, "select to_regclass($1) is not null and to_regclass($2) is not null", l.runs, l.chunks).Scan(&there)
	return there, serverError(err, "looking for the ledger in schema %s", l.schema)
}

// publishedBy returns the job that made the table with this oid, nil when the
// ledger knows of none.
func (l ledger) publishedBy(ctx context.Context, q querier, t Table, oid uint32) (*Job, error) {
	there, err := l.exists(ctx, q)
	if err != nil || !there {
		return nil, err
	}
	var job Job
	err = q.QueryRow(ctx, "select r.job from "+l.fromRuns("id, schema_name, table_name, table_oid, state, job")+
		" where r.schema_name = $1 and r.table_name = $2 and r.table_oid = $3 and r.state = 'published' order by r.shown desc, r.id desc limit 1",
		t.Schema, t.Name, oid).Scan(&job)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return &job, serverError(err, "reading the ledger about table %s", t)
}

// insertRun writes down a new run and returns its number.
func (l ledger) insertRun(ctx context.Context, q querier, t Table, p *Plan, fingerprint, staging string, options Options) (int64, error) {
	job, err := json.Marshal(p.Job)
	if err != nil {
		return 0, fmt.Errorf("writing the job as JSON: %w", err)
	}
	var area []byte
	if p.Job.Area != nil {
		area = p.Job.Area.Marshal()
	}
	var id int64
	err = q.QueryRow(ctx, "insert into "+l.runs+
		" (schema_name, table_name, staging_name, job, aoi, fingerprint, chunks, rows, version, job_name)"+
		" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id",
		t.Schema, t.Name, staging, string(job), area, fingerprint, p.Chunks, p.Rows, options.Version, options.JobName).Scan(&id)
	return id, serverError(err, "writing a run of table %s into the ledger", t)
}

const runColumns = `id, schema_name, table_name, state, chunks, rows, starts, started_at, finished_at,
	coalesce(last_error, '') as last_error, version, fingerprint, job, staging_name`

func (l ledger) query(ctx context.Context, q querier, where string, args ...any) ([]RunInfo, error) {
	rows, err := q.Query(ctx, "select r.*, c.* from "+l.fromRuns(runColumns)+" cross join lateral"+
		" (select count(*) as n, coalesce(sum(rows), 0)::bigint as rows from "+l.chunks+" where run_id = r.id) c "+where, args...)
	if err != nil {
		return nil, serverError(err, "reading runs from the ledger in schema %s", l.schema)
	}
	runs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (RunInfo, error) {
		var r RunInfo
		var version *int64
		var kept, name *string
		err := row.Scan(&r.ID, &r.Table.Schema, &r.Table.Name, &r.State, &r.Chunks, &r.Rows, &r.Attempts, &r.StartedAt, &r.FinishedAt,
			&r.LastError, &r.Version, &r.Fingerprint, &r.Job, &r.staging, &version, &r.Shown, &kept, &name, &r.Committed, &r.RowsDone)
		r.Starts = r.Attempts
		if version != nil {
			r.TableVersion = *version
		}
		if kept != nil {
			r.KeptAs = *kept
		}
		if name != nil {
			r.JobName = *name
		}
		return r, err
	})
	return runs, serverError(err, "reading runs from the ledger in schema %s", l.schema)
}

// unfinished returns the run of a table that was begun and not ended.
func (l ledger) unfinished(ctx context.Context, q querier, t Table) (run RunInfo, found bool, err error) {
	runs, err := l.query(ctx, q, "where r.schema_name = $1 and r.table_name = $2 and r.state = 'loading'", t.Schema, t.Name)
	if err != nil || len(runs) == 0 {
		return RunInfo{}, false, err
	}
	return runs[0], true, nil
}

// run returns a run by its number.
func (l ledger) run(ctx context.Context, q querier, id int64) (run RunInfo, found bool, err error) {
	runs, err := l.query(ctx, q, "where r.id = $1", id)
	if err != nil || len(runs) == 0 {
		return RunInfo{}, false, err
	}
	return runs[0], true, nil
}

// area reads the polygons of a run's area of interest into its job. They stand
// beside it, as bytes, and ledgers from before there were any have no column for
// them.
func (l ledger) area(ctx context.Context, q querier, run *RunInfo) error {
	if run.Job.Area == nil {
		return nil
	}
	var b []byte
	if err := q.QueryRow(ctx, "select aoi from "+l.runs+" where id = $1", run.ID).Scan(&b); err != nil {
		return serverError(err, "reading the area of interest of run %d from the ledger", run.ID)
	}
	if err := run.Job.Area.unmarshal(b); err != nil {
		return fmt.Errorf("reading the area of interest of run %d in the ledger: %w", run.ID, err)
	}
	return nil
}

// started notes that a run goes on, with the job as it is now, which may differ from
// that of the first start in what is not of the fingerprint. It returns which start
// that is.
func (l ledger) started(ctx context.Context, q querier, id int64, job Job) (no int, err error) {
	b, err := json.Marshal(job)
	if err != nil {
		return 0, fmt.Errorf("writing the job as JSON: %w", err)
	}
	err = q.QueryRow(ctx, "update "+l.runs+" set starts = starts + 1, last_error = null, job = $2 where id = $1 returning starts", id, string(b)).Scan(&no)
	return no, serverError(err, "writing into the ledger that run %d goes on", id)
}

// settled waits until no transaction is in work that writes a chunk of the run,
// and keeps others out until the end of this one.
func (l ledger) settled(ctx context.Context, q querier, id int64) error {
	_, err := q.Exec(ctx, "select from "+l.runs+" where id = $1 for update", id)
	return serverError(err, "waiting for the chunks of run %d", id)
}

// loaded commits, and so has the server write to disk all that was committed before.
func (l ledger) loaded(ctx context.Context, q querier, id int64) error {
	_, err := q.Exec(ctx, "update "+l.runs+" set last_error = null where id = $1", id)
	return serverError(err, "writing into the ledger that run %d is loaded", id)
}

func (l ledger) failed(ctx context.Context, q querier, id int64, cause error) error {
	_, err := q.Exec(ctx, "update "+l.runs+" set last_error = $2 where id = $1", id, oneLine(cause.Error()))
	return serverError(err, "writing into the ledger why run %d stopped", id)
}

// published notes that a run's rows are shown by the table with this oid, as part
// of a version, and how many of them were not there before.
func (l ledger) published(ctx context.Context, q querier, id int64, oid uint32, version, added int64) error {
	_, err := q.Exec(ctx, "update "+l.runs+` set state = 'published', finished_at = now(), last_error = null, table_oid = $2, version_id = $3,
		shown = true, rows_added = $4, published_xid = pg_current_xact_id() where id = $1`, id, oid, version, added)
	return serverError(err, "writing into the ledger that run %d is published", id)
}

// left notes how a run has left its table, and when: the step after may take long.
// A transaction that wrote no rows is in none.
func (l ledger) left(ctx context.Context, q querier, id int64, look imprint, wrote bool) error {
	b, err := json.Marshal(look)
	if err != nil {
		return fmt.Errorf("writing how the table looks as JSON: %w", err)
	}
	_, err = q.Exec(ctx, "update "+l.runs+" set imprint = $2, finished_at = clock_timestamp(), published_xid = case when $3 then published_xid end where id = $1", id, string(b), wrote)
	return serverError(err, "writing into the ledger how run %d has left its table", id)
}

func (l ledger) dropped(ctx context.Context, q querier, id int64) error {
	if _, err := q.Exec(ctx, "update "+l.runs+" set state = 'dropped', finished_at = now() where id = $1", id); err != nil {
		return serverError(err, "writing into the ledger that run %d is dropped", id)
	}
	_, err := q.Exec(ctx, "delete from "+l.chunks+" where run_id = $1", id)
	return serverError(err, "taking the chunks of run %d out of the ledger", id)
}

// insertChunk notes a chunk as committed, if the transaction it is in commits.
// It must come first in that transaction: a second attempt at the same chunk
// waits here, and then gets SQLSTATE 23505.
func (l ledger) insertChunk(ctx context.Context, q querier, run int64, c Chunk) error {
	_, err := q.Exec(ctx, "insert into "+l.chunks+" (run_id, chunk_no, first_id, last_id, rows) values ($1, $2, $3, $4, $5)",
		run, c.No, c.First, c.Last, c.Rows)
	return err
}

// committed returns the numbers of a run's committed chunks and their rows.
func (l ledger) committed(ctx context.Context, q querier, run int64) (map[int64]bool, int64, error) {
	rows, err := q.Query(ctx, "select chunk_no, rows from "+l.chunks+" where run_id = $1", run)
	if err != nil {
		return nil, 0, serverError(err, "reading the chunks of run %d", run)
	}
	done := make(map[int64]bool)
	var no, n, sum int64
	_, err = pgx.ForEachRow(rows, []any{&no, &n}, func() error {
		done[no] = true
		sum += n
		return nil
	})
	return done, sum, serverError(err, "reading the chunks of run %d", run)
}
