package ledger

import (
	"time"

	"github.com/loadgrid/loadgrid/loader/job"
)

// JobToResume returns the job that goes on with an unfinished run. It is the job that
// the ledger holds, except for two things: its table is the one that the run has found,
// with its schema, and its ledger the one that was asked, ledgerSchema. The run is to be
// of FindRun: Runs leaves out the polygons of areas. A run in another state is a
// *StateError.
func (r RunInfo) JobToResume(ledgerSchema string) (job.Job, error) {
	if r.State != StateLoading {
		return job.Job{}, &StateError{ID: r.ID, State: r.Status(), Only: "resumed"}
	}

	j := r.Job
	j.Table, j.LedgerSchema = r.Table, ledgerSchema

	return j, nil
}

// LastAttempt returns the last attempt at the run, the zero value where the ledger knows
// of none.
func (r RunInfo) LastAttempt() Attempt {
	if len(r.History) == 0 {
		return Attempt{}
	}
	return r.History[len(r.History)-1]
}

// Retries returns how often something was tried again, over all attempts at the run.
func (r RunInfo) Retries() (n int) {
	for _, a := range r.History {
		n += a.Retries
	}
	return n
}

// Took returns the time from the run's first start to its end, the pauses between
// attempts included. It is not known of a run that has not ended, nor where the server's
// clock was set back meanwhile.
func (r RunInfo) Took() (d time.Duration, known bool) {
	if r.FinishedAt == nil || r.FinishedAt.Before(r.StartedAt) {
		return 0, false
	}
	return r.FinishedAt.Sub(r.StartedAt), true
}

// StartedBy says who has started the attempt, and from where: ROLE (USER)@HOST, without
// the user of the system where that is called as the role, and without the host where
// none is known. It is empty where the ledger does not know the role.
func (a Attempt) StartedBy() string {
	if a.Role == "" {
		return ""
	}

	who := a.Role
	if a.OSUser != "" && a.OSUser != a.Role {
		who += " (" + a.OSUser + ")"
	}

	if host := a.ClientHost(); host != "" {
		who += "@" + host
	}

	return who
}

// ClientHost names the machine that the attempt ran on: as it calls itself, else as the
// server sees it. It is empty where neither is known.
func (a Attempt) ClientHost() string {
	if a.Host != "" {
		return a.Host
	}
	return a.Address
}
