package ledger

import (
	"fmt"
	"time"

	"github.com/loadgrid/loadgrid/loader/job"
)

// RunInfo is a run as the ledger knows it.
type RunInfo struct {
	ID          int64      `json:"id"`
	JobName     string     `json:"job_name,omitempty"` // empty in a ledger from before jobs had names
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
	// TableVersion is the run that made the version of the table with this run's
	// rows: itself, or the one that it appended to. 0 for runs that are not published.
	TableVersion int64 `json:"table_version,omitempty"`
	// Shown tells whether the table shows the rows of this run.
	Shown bool `json:"shown"`
	// KeptAs names the table, in the same schema, that keeps the rows of this run
	// since others took their place. Empty where none does.
	KeptAs string `json:"kept_as,omitempty"`
	// Alive tells whether a process is at work on an unfinished run. It is nil of other runs, and
	// where nobody has looked.
	Alive *bool `json:"alive,omitempty"`
	// History has each attempt at the run. Empty in a ledger from before attempts
	// were written down.
	History []Attempt `json:"history"`
	// Batch is what the processes that shared the job called their round: of several attempts
	// the last that has one. Empty where none does.
	Batch string `json:"batch,omitempty"`
	// Staging is the name of the staging table, in the schema of the table.
	Staging string `json:"-"`
}

// StatusKilled is the status of an unfinished run that nobody is at work on, and of which the
// ledger does not know how it ended: it was killed, or lost its server.
const StatusKilled = "killed"

// Status says in a word what became of a run: its state; of one that was published, whether its
// rows are shown, kept or replaced; and of an unfinished one that is not alive, how it ended.
func (r RunInfo) Status() string {
	switch {
	case r.State == StateLoading && r.Alive != nil && !*r.Alive:
		return r.ended()
	case r.State != StatePublished || r.Shown, r.TableVersion == 0: // the last in a ledger from before versions
		return string(r.State)
	case r.KeptAs != "":
		return "kept"
	}

	return "replaced"
}

// ended says how an unfinished run has ended.
func (r RunInfo) ended() string {
	switch outcome := r.LastAttempt().Outcome; {
	case outcome != "":
		return string(outcome)
	case len(r.History) == 0 && r.LastError != "": // in a ledger from before attempts were written down
		return string(OutcomeFailed)
	}

	return StatusKilled
}

// NoRunError reports a number that the ledger does not know.
type NoRunError struct {
	Schema string // of the ledger
	ID     int64
}

// NoLedgerError reports a schema without a ledger: no run has begun that uses it.
type NoLedgerError struct{ Schema, Database string }

// UnfinishedError reports an unfinished run that is in the way: it must be dropped first, or
// resumed where it can be.
type UnfinishedError struct {
	Run       int64
	Schema    string // of the ledger
	Resumable bool
	Err       error // says in what way the run is in the way
}

func (e *UnfinishedError) Error() string {
	cure := "drop that run"
	if e.Resumable {
		cure += ", or resume it"
	}
	return e.Err.Error() + ": " + cure
}

func (e *UnfinishedError) Unwrap() error { return e.Err }

// RunFilter chooses runs. The zero value chooses all.
type RunFilter struct {
	Table job.Table // without a schema: tables of this name in any
	Batch string    // see RunInfo.Batch; an attempt of any number counts
	Limit int64     // the newest so many; 0 for all
}

// StateError reports a run that is not in the state that is asked for.
type StateError struct {
	ID    int64
	State string // as RunInfo.Status has it
	Only  string // what a run in another state can be
	Which string // which run that is; empty for one that is unfinished
}

// State is what a run has come to.
type State string

// States of a run.
const (
	StateLoading   State = "loading"   // begun and not ended; whether it is alive, the lock tells
	StatePublished State = "published" // readers see its table
	StateDropped   State = "dropped"   // given up, its staging table is gone
)

func (e *NoRunError) Error() string {
	return fmt.Sprintf("the ledger in schema %s knows no run %d", e.Schema, e.ID)
}

func (e *NoLedgerError) Error() string {
	return fmt.Sprintf("there is no ledger in schema %s of database %s: the first load makes it", e.Schema, e.Database)
}

func (e *StateError) Error() string {
	which := e.Which
	if which == "" {
		which = "an unfinished run"
	}
	return fmt.Sprintf("run %d is %s: only %s can be %s", e.ID, e.State, which, e.Only)
}
