package loader

import (
	"context"
	"errors"
	"fmt"

	"github.com/loadgrid/loadgrid/internal/attempts"
	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/copier"
	"github.com/loadgrid/loadgrid/internal/discard"
	"github.com/loadgrid/loadgrid/internal/hook"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/internal/settle"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// ErrCellsExist reports cells to append that the table holds already.
var ErrCellsExist = publish.ErrCellsExist

// LockedError reports that another run holds the table.
type LockedError = tablelock.LockedError

// HookError reports a statement of Job.Before or Job.After that failed.
type HookError = hook.Error

// CountError reports a chunk whose number of rows is not the same everywhere.
type CountError = copier.CountError

// ResumableError reports a run that stopped with committed chunks: the same job
// resumes it.
type ResumableError struct {
	Run       int64 // the run's number in the ledger
	Committed int64 // chunks
	Chunks    int64 // of so many
	RowsDone  int64 // rows of the committed chunks
	Rows      int64 // of so many
	Err       error // what stopped it
}

func (e *ResumableError) Error() string {
	return fmt.Sprintf("run %d stopped with %d of %d chunks committed, the same command resumes it: %v",
		e.Run, e.Committed, e.Chunks, e.Err)
}

func (e *ResumableError) Unwrap() error { return e.Err }

// Kept says what is left of a run that failed.
type Kept string

// What is left of a run that failed.
const (
	// KeptUnknown is also what is left of a run that had not begun, whose number is 0.
	KeptUnknown Kept = ""
	KeptNothing Kept = "nothing" // what it had loaded is removed
	KeptChunks  Kept = "chunks"  // its error is a *ResumableError
)

// stop turns the error of a stage into that of the run, and says what is left of it. A run that has
// committed nothing is taken away; one that has can be resumed. It returns nil
// for a run that was published although the answer to that was lost.
//
// Before begin there is nothing to note: an unfinished run of the table is another's, or
// an earlier attempt's, and has its note.
func stop(ctx context.Context, e *environment, s preparation, a attempt, copied copier.Result, cause error) (Kept, error) {
	end := progress.EndFailed
	if ctx.Err() != nil {
		end = progress.EndStopped
	}
	e.observer.Progress.Stop(end)

	if a.run == 0 || errors.As(cause, new(*LockedError)) {
		return KeptUnknown, cause // nothing is begun, or it is another's now
	}

	outcome, reason := ledger.OutcomeFailed, cause
	if ctx.Err() != nil { // cause is what a stage makes of that
		outcome, reason = ledger.OutcomeStopped, context.Cause(ctx)
	}

	ctx, cancel := e.stopping(ctx)
	defer cancel()

	defer func() {
		if outcome != ledger.OutcomePublished { // which the summary notes
			attempts.End(ctx, e.pool, e.observer, e.ledger, attempts.Attempt{Run: a.run, No: a.no, Rows: copied.Rows}, outcome, reason)
		}
	}()

	run, found, err := e.ledger.Find(ctx, e.pool, a.run)

	switch {
	case err != nil && (pg.SQLState(err) == "" || pg.IsTransient(err)):
		// Nobody has answered, and the pool may be closed: as far as is known here.
		run.Committed, run.RowsDone = int64(len(a.done))+copied.Chunks, a.rows+copied.Rows
	case err != nil || !found || run.State == ledger.StateDropped:
		return KeptUnknown, fmt.Errorf("the ledger knows no more of run %d: %w", a.run, cause)
	case run.State == ledger.StatePublished && (settle.IsUnsettled(cause) || s.checked.Spread && run.LastError != ""):
		// Readers may see a part of it: the next run waits for the rest.
	case run.State == ledger.StatePublished:
		outcome = ledger.OutcomePublished
		return KeptUnknown, nil
	case run.Committed == 0 || errors.Is(cause, ErrCellsExist) || errors.Is(cause, build.ErrUnloggedLost):
		if s.lock.Ensure(ctx) == nil && discard.Unfinished(ctx, e.pool, e.observer.Log, e.ledger, run) == nil {
			return KeptNothing, cause
		}
	}

	if err := e.ledger.RecordError(ctx, e.pool, a.run, reason); err != nil {
		e.observer.Log.Debug("the ledger does not know why the run stopped", "error", err)
	}

	if run.Committed == 0 {
		return KeptUnknown, cause
	}

	return KeptChunks, &ResumableError{Run: a.run, Committed: run.Committed, Chunks: a.plan.Chunks,
		RowsDone: run.RowsDone, Rows: a.plan.Rows, Err: cause}
}

// recordShared writes down how an attempt at a job has ended that others share. It still holds
// the table: whoever takes it next counts the failures.
func recordShared(ctx context.Context, e *environment, s preparation, a attempt, err error) {
	if e.options.Shared == nil {
		return
	}

	end := attempts.Ended{ID: a.shared, Name: e.options.JobName, Table: s.table.Table, Err: err, Stopped: ctx.Err() != nil}
	if errors.Is(err, errUnchanged) {
		end.Unchanged, end.Err = s.unchanged.Run, nil
	}

	ctx, cancel := e.stopping(ctx)
	defer cancel()

	e.options.Shared.End(ctx, e.pool, e.observer, e.ledger, end)
}
