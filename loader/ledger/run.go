package ledger

import (
	"fmt"
	"time"

	"github.com/loadgrid/loadgrid/loader/job"
)

// RunInfo is a run in the ledger.
type RunInfo struct {
	ID          int64      `json:"id"`
	JobName     string     `json:"job_name,omitempty"` // empty in a ledger older than job names
	Table       job.Table  `json:"table"`
	State       State      `json:"state"`
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
	Job         job.Job    `json:"job"`
	// TableVersion is the run that loaded the version of the table with this run's rows: the run itself, or the
	// run that it appended to. It is 0 for runs that are not published.
	TableVersion int64 `json:"table_version,omitempty"`
	// Shown reports whether the table shows the rows of this run.
	Shown bool `json:"shown"`
	// KeptAs is the name of the table, in the same schema, that keeps the rows of this run after they were
	// replaced. It is empty if no table does.
	KeptAs string `json:"kept_as,omitempty"`
	// Alive reports whether a process is working on an unfinished run. It is nil for other runs, and if nobody
	// has checked.
	Alive *bool `json:"alive,omitempty"`
	// History has the attempts at the run. It is empty in a ledger older than the table of attempts.
	History []Attempt `json:"history"`
	// Batch is the name of a round of processes that share the job: the last one among the attempts. It is empty
	// if no attempt has one.
	Batch string `json:"batch,omitempty"`
	// Staging is the name of the staging table, in the schema of the table.
	Staging string `json:"-"`
}

// StatusKilled is the status of an unfinished run that no process is working on and whose end is not in the
// ledger: it was killed, or lost its server.
const StatusKilled = "killed"

// Status returns the status of a run in a word: its state; for a published run, whether its rows are shown, kept
// or replaced; and for an unfinished run that is not alive, how it ended.
func (r RunInfo) Status() string {
	switch {
	case r.State == StateLoading && r.Alive != nil && !*r.Alive:
		return r.ended()
	case r.State != StatePublished || r.Shown, r.TableVersion == 0: // the last case is a ledger older than versions
		return string(r.State)
	case r.KeptAs != "":
		return "kept"
	}

	return "replaced"
}

// ended returns how an unfinished run ended.
func (r RunInfo) ended() string {
	switch outcome := r.LastAttempt().Outcome; {
	case outcome != "":
		return string(outcome)
	case len(r.History) == 0 && r.LastError != "": // a ledger older than the table of attempts
		return string(OutcomeFailed)
	}

	return StatusKilled
}

// NoRunError reports a run number that is not in the ledger.
type NoRunError struct {
	Schema string // of the ledger
	ID     int64
}

// NoLedgerError reports a schema without a ledger: no run has used it yet.
type NoLedgerError struct{ Schema, Database string }

// UnfinishedError reports an unfinished run that blocks an operation. Drop it first, or resume it if possible.
type UnfinishedError struct {
	Run       int64
	Schema    string // of the ledger
	Resumable bool
	Err       error // how the run blocks the operation
}

func (e *UnfinishedError) Error() string {
	cure := "drop that run"
	if e.Resumable {
		cure += ", or resume it"
	}
	return e.Err.Error() + ": " + cure
}

func (e *UnfinishedError) Unwrap() error { return e.Err }

// RunFilter selects runs. The zero value selects all.
type RunFilter struct {
	Table job.Table // without a schema: tables with this name in any schema
	Batch string    // see RunInfo.Batch; one attempt with it is enough
	Limit int64     // return only this many, the newest; 0 for all
}

// StateError reports a run in the wrong state for an operation.
type StateError struct {
	ID    int64
	State string // as in RunInfo.Status
	Only  string // what can happen to a run in another state
	Which string // which run that is; empty for an unfinished one
}

// State is the state of a run.
type State string

// Values of State.
const (
	StateLoading   State = "loading"   // begun and not ended; the lock shows whether it is alive
	StatePublished State = "published" // readers see its table
	StateDropped   State = "dropped"   // abandoned, and its staging table is dropped
)

func (e *NoRunError) Error() string {
	return fmt.Sprintf("the ledger in schema %s has no run %d", e.Schema, e.ID)
}

func (e *NoLedgerError) Error() string {
	return fmt.Sprintf("there is no ledger in schema %s of database %s: the first load creates it", e.Schema, e.Database)
}

func (e *StateError) Error() string {
	which := e.Which
	if which == "" {
		which = "an unfinished run"
	}
	return fmt.Sprintf("run %d is %s: only %s can be %s", e.ID, e.State, which, e.Only)
}
