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

// Shared makes a run an attempt at a job that several processes share. Each of them has the
// same list of jobs, and each job is to be done once.
//
// A run of it does nothing where the ledger says that the job is done, or has failed too
// often, and waits for nobody: a table that another run holds is a *tablelock.LockedError at
// once, also where that run was killed a moment ago. The ledger is asked under the table's
// lock, and before the job's cells are counted.
type Shared struct {
	// Batch is what the processes call the round in which each job is done once, such as
	// the number that a scheduler gives a run. A job is done when a run of this batch has
	// published it. Empty: when one has since Began.
	Batch string
	// Job tells the job from all others: see Key.
	Job string
	// Began is when this process began. It is read for a job without a batch alone.
	Began time.Time
	// Again does the job however often it has failed.
	Again bool
	// ExitCode is what a process with this error ends with: the ledger keeps it for the
	// others. Defaults to 1 for every error.
	ExitCode func(error) int
}

// MaxFailures is how often a job is tried in a batch by all processes together.
const MaxFailures = 2

// Key returns what tells a shared job from all others: its name, and what it says. Options that
// change neither the rows nor what is done with them are not part of it.
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

// By is an attempt at a shared job, as the ledger knows it.
type By struct {
	Run      int64          `json:"run,omitempty"` // that it began or resumed, or that made the unchanged table; 0 for none
	Outcome  ledger.Outcome `json:"outcome"`       // published, unchanged or failed
	At       time.Time      `json:"at"`            // when it ended, by the server's clock
	Role     string         `json:"role"`
	Address  string         `json:"address,omitempty"` // where the connection came from, empty for a socket of the server
	Host     string         `json:"host,omitempty"`    // what the machine calls itself
	OSUser   string         `json:"os_user,omitempty"`
	Process  int64          `json:"process,omitempty"` // its number on that machine
	ExitCode int            `json:"exit_code,omitempty"`
	SQLState string         `json:"sqlstate,omitempty"`
	Error    string         `json:"error,omitempty"`
}

// Who says which process that was: ROLE (USER)@HOST, process NUMBER.
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

// FailedError reports a shared job that has failed as often as it may.
type FailedError struct{ Last By }

func (e *FailedError) Error() string {
	return fmt.Sprintf("it has failed %d times, the last time for %s: %s", MaxFailures, e.Last.Who(), e.Last.Error)
}

// ExitCode is what the process that failed last would have ended with, 1 where that is not
// known.
func (e *FailedError) ExitCode() int {
	if e.Last.ExitCode < 1 || e.Last.ExitCode > 255 {
		return 1
	}
	return e.Last.ExitCode
}

// Check returns a *DoneError or a *FailedError where a shared job is not to be done, nil also
// for a job that is not shared. The caller holds the table's lock, so that nobody does the job
// meanwhile. A ledger of an older version is migrated, and one that is missing is made.
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

// Begin writes down that this process tries a shared job, in the transaction that begins or
// resumes the run. Without a run it is an attempt that has come to its end before. It returns
// the number of the attempt for End, 0 for a job that is not shared.
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

// Ended is how an attempt at a shared job has ended.
type Ended struct {
	ID    int64 // as Begin returned it, 0 where the attempt did not come to that
	Name  string
	Table job.Table
	// Unchanged is the run that made the table, where there was nothing to do; else 0.
	Unchanged int64
	// Err is why the attempt failed, and Stopped says that it was stopped.
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

// End writes down how an attempt at a shared job has ended. It is best effort: whether a run is
// published, its state says.
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
