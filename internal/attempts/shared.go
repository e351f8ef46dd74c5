package attempts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Shared makes a run an attempt at a job that several processes share. Each process has the same
// list of jobs, and each job is to be done once.
//
// The run does nothing if the ledger says that the job is done or has failed too often. It waits
// for nobody: if another run holds the table, it returns a *tablelock.LockedError at once, even if
// that run was killed a moment ago. The run reads the ledger under the table's lock, before it
// counts the job's cells.
type Shared struct {
	// Batch names the round in which each job is done once, such as the number that a scheduler
	// gives a run. A job is done when a run of this batch has published it. If Batch is empty, a
	// job is done when a run has published it since Began.
	Batch string
	// Job identifies the job: see Key.
	Job string
	// Began is when this process began. It matters only for a job without a batch.
	Began time.Time
	// Again does the job even if it has failed too often.
	Again bool
	// ExitCode returns the exit code of a process that ends with this error. The ledger keeps it
	// for the others. Defaults to 1 for every error.
	ExitCode func(error) int
}

// MaxFailures is how often all processes together try a job of a batch.
const MaxFailures = 2

// Key returns the identity of a shared job: its name and its content. Options that change neither
// the rows nor the work on them are not part of it.
func Key(name string, j job.Job) string {
	j = j.WithDefaults()

	var query string
	if j.Area != nil {
		query = j.Area.SQL
	}

	b, err := json.Marshal(struct {
		Name, Fingerprint  string
		Extent             *geomgen.Box
		Cols, Rows         int64
		Query              string
		IfExists, Conflict string
		Before, After      string
	}{name, j.Fingerprint(geomgen.Range{}), j.Extent, int64(j.Cols), int64(j.Rows), query,
		string(j.IfExists), string(j.OnConflict), j.Before, j.After})
	if err != nil {
		panic(err) // validated numbers and strings always marshal
	}

	sum := sha256.Sum256(b)

	return hex.EncodeToString(sum[:])
}

// By is an attempt at a shared job, as recorded in the ledger.
type By struct {
	Run      int64          `json:"run,omitempty"` // the run that it began or resumed, or that made the unchanged table; 0 for none
	Outcome  ledger.Outcome `json:"outcome"`       // published, unchanged or failed
	At       time.Time      `json:"at"`            // when it ended, by the server's clock
	Role     string         `json:"role"`
	Address  string         `json:"address,omitempty"` // of the client's connection; empty for a Unix socket
	Host     string         `json:"host,omitempty"`    // the client's hostname
	OSUser   string         `json:"os_user,omitempty"`
	Process  int64          `json:"process,omitempty"` // its process ID on that host
	ExitCode int            `json:"exit_code,omitempty"`
	SQLState string         `json:"sqlstate,omitempty"`
	Error    string         `json:"error,omitempty"`
}

// Who identifies the process: ROLE (USER)@HOST, process NUMBER.
func (b By) Who() string {
	a := ledger.Attempt{Role: b.Role, Address: b.Address, Host: b.Host, OSUser: b.OSUser}
	if b.Process == 0 {
		return a.StartedBy()
	}
	return fmt.Sprintf("%s, process %d", a.StartedBy(), b.Process)
}

// DoneError reports a shared job that another process has done.
type DoneError struct{ By By }

func (e *DoneError) Error() string { return "the job is already done, by " + e.By.Who() }

// FailedError reports a shared job that has reached its number of failures.
type FailedError struct{ Last By }

func (e *FailedError) Error() string {
	return fmt.Sprintf("it has failed %d times, the last time for %s: %s", MaxFailures, e.Last.Who(), e.Last.Error)
}

// ExitCode returns the exit code of the process that failed last, or 1 if it is unknown.
func (e *FailedError) ExitCode() int {
	if e.Last.ExitCode < 1 || e.Last.ExitCode > 255 {
		return 1
	}
	return e.Last.ExitCode
}

// Check returns a *DoneError or a *FailedError if a shared job must not be done. It returns nil for
// a job that is not shared. The caller holds the table's lock, so no other process does the job
// meanwhile. Check migrates an older ledger and creates a missing one.
func (s *Shared) Check(ctx context.Context, pool *pgxpool.Pool, lock *tablelock.Lock, l ledger.Ledger) error {
	if s == nil {
		return nil
	}

	if err := l.MigrateUp(ctx, pool); err != nil {
		return err
	}

	known, err := find(ctx, lock.Conn(), l, s.Batch, time.Since(s.Began), []string{s.Job})
	if err != nil {
		return err
	}

	state := known[s.Job]

	switch {
	case state.Done != nil:
		return &DoneError{*state.Done}
	case state.Failures >= MaxFailures && !s.Again:
		return &FailedError{*state.LastFailure}
	}

	return nil
}

const insertSharedSQL = `
	insert into {shared} (batch, job, job_name, schema_name, table_name, run_id, attempt, host, os_user, process)
	values (nullif($1, ''), $2, $3, $4, $5, nullif($6, 0), nullif($7, 0), nullif($8, ''), nullif($9, ''), $10) returning id`

// Begin records that this process tries a shared job, in the transaction that begins or resumes the
// run. Without a run, the attempt has ended already. Begin returns the number of the attempt for
// End, 0 for a job that is not shared.
func (s *Shared) Begin(ctx context.Context, q pg.Querier, l ledger.Ledger, name string, t job.Table, run int64, no int) (id int64, err error) {
	if s == nil {
		return 0, nil
	}

	host, _ := os.Hostname()
	user, _ := user.Current()
	login := ""
	if user != nil {
		login = user.Username
	}

	err = q.QueryRow(ctx, l.SQL(insertSharedSQL), s.Batch, s.Job, name, t.Schema, t.Name, run, no,
		pg.CleanText(host), pg.CleanText(login), os.Getpid()).Scan(&id)

	return id, pg.Wrap(err, "writing an attempt at a shared job into the ledger")
}

const endSharedSQL = `
	update {shared} set ended_at = clock_timestamp(), outcome = $2, exit_code = $3, sqlstate = nullif($4, ''), error = nullif($5, '')
	where id = $1`

// Ended describes how an attempt at a shared job ended.
type Ended struct {
	ID    int64 // as Begin returned it, 0 if the attempt did not get that far
	Name  string
	Table job.Table
	// Unchanged is the run that made the table if it was unchanged, otherwise 0.
	Unchanged int64
	// Err is the reason why the attempt failed. Stopped means that it was stopped.
	Err     error
	Stopped bool
}

func (e Ended) outcome() ledger.Outcome {
	switch {
	case e.Err != nil && e.Stopped:
		return ledger.OutcomeStopped
	case e.Err != nil:
		return ledger.OutcomeFailed
	case e.Unchanged != 0:
		return ledger.OutcomeUnchanged
	}

	return ledger.OutcomePublished
}

// End records how an attempt at a shared job ended. It is best effort: the run's own state shows
// whether it is published.
func (s *Shared) End(ctx context.Context, q pg.Querier, o *observe.Observer, l ledger.Ledger, e Ended) {
	if s == nil || errors.As(e.Err, new(*tablelock.LockedError)) || errors.As(e.Err, new(*DoneError)) || errors.As(e.Err, new(*FailedError)) {
		return
	}

	err := s.end(ctx, q, l, e)
	if err != nil {
		o.Log.Warn("other processes do not know how this attempt at the job ended", "error", pg.Message(err))
	}
}

func (s *Shared) end(ctx context.Context, q pg.Querier, l ledger.Ledger, e Ended) (err error) {
	if e.ID == 0 {
		if there, err := l.KnowsShared(ctx, q); err != nil || !there {
			return err
		}
		if e.ID, err = s.Begin(ctx, q, l, e.Name, e.Table, e.Unchanged, 0); err != nil {
			return err
		}
	}

	code, state, text := 0, "", ""
	if e.Err != nil {
		code, state, text = 1, pg.SQLState(e.Err), sqltext.OneLine(pg.CleanText(e.Err.Error()))
		if s.ExitCode != nil {
			code = s.ExitCode(e.Err)
		}
	}

	_, err = q.Exec(ctx, l.SQL(endSharedSQL), e.ID, e.outcome(), code, state, text)

	return pg.Wrap(err, "writing into the ledger how an attempt at a shared job ended")
}
