package loader

import (
	"fmt"

	"github.com/loadgrid/loadgrid/loader/job"
)

// LockedError reports that another run holds the table.
type LockedError struct {
	Table  job.Table
	Holder string // who it is, as far as the server tells
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("another run holds table %s (%s): wait until it has ended", e.Table, e.Holder)
}

// ResumableError reports a run that stopped with committed chunks: the same job
// resumes it.
type ResumableError struct {
	Run       int64 // the run's number in the ledger
	Committed int64 // chunks
	Chunks    int64 // of so many
	Err       error // what stopped it
}

func (e *ResumableError) Error() string {
	return fmt.Sprintf("run %d stopped with %d of %d chunks committed, the same command resumes it: %v",
		e.Run, e.Committed, e.Chunks, e.Err)
}

func (e *ResumableError) Unwrap() error { return e.Err }
