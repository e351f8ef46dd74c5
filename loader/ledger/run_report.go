package ledger

import (
	"time"

	"github.com/loadgrid/loadgrid/loader/job"
)

// JobToResume returns the job that resumes an unfinished run. It is the job in the ledger with two changes: its
// table is the one that the run found, with its schema, and its ledger is ledgerSchema. Use a run from FindRun,
// because Runs leaves out the polygons of areas. If the run is in another state, the error is a *StateError.
func (r RunInfo) JobToResume(ledgerSchema string) (job.Job, error) {
	if r.State != StateLoading {
		return job.Job{}, &StateError{ID: r.ID, State: r.Status(), Only: "resumed"}
	}

	j := r.Job
	j.Table, j.LedgerSchema = r.Table, ledgerSchema

	return j, nil
}

// LastAttempt returns the last attempt at the run, or the zero value if the ledger has none.
func (r RunInfo) LastAttempt() Attempt {
	if len(r.History) == 0 {
		return Attempt{}
	}
	return r.History[len(r.History)-1]
}

// Retries returns the number of retries over all attempts at the run.
func (r RunInfo) Retries() (n int) {
	for _, a := range r.History {
		n += a.Retries
	}
	return n
}

// Took returns the time from the run's first start to its end, including pauses between attempts. known is false
// if the run has not ended, or if the server's clock was set back meanwhile.
func (r RunInfo) Took() (d time.Duration, known bool) {
	if r.FinishedAt == nil || r.FinishedAt.Before(r.StartedAt) {
		return 0, false
	}
	return r.FinishedAt.Sub(r.StartedAt), true
}

// StartedBy returns who started the attempt, and from where, as ROLE (USER)@HOST. It leaves out the operating
// system's user if it is the same as the role, and the host if it is unknown. It is empty if the ledger does not
// have the role.
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

// ClientHost returns the machine that ran the attempt: the name it gives itself, or its address as the server
// sees it. It is empty if neither is known.
func (a Attempt) ClientHost() string {
	if a.Host != "" {
		return a.Host
	}
	return a.Address
}
