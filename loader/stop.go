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

// ErrCellsExist reports cells to append that are in the table already.
var ErrCellsExist = publish.ErrCellsExist

// LockedError reports a table that another run holds.
type LockedError = tablelock.LockedError

// HookError reports a statement of Job.Before or Job.After that failed.
type HookError = hook.Error

// CountError reports a chunk whose counts of rows differ.
type CountError = copier.CountError

// ResumableError reports a run that stopped with committed chunks. Run the same job to resume it.
type ResumableError struct {
	Run       int64 // number of the run in the ledger
	Committed int64 // chunks that are committed
	Chunks    int64 // all chunks
	RowsDone  int64 // rows in the committed chunks
	Rows      int64 // all rows
	Err       error // what stopped it
}

func (e *ResumableError) Error() string {
	return fmt.Sprintf("run %d stopped with %d of %d chunks committed; run the same command to resume it: %v",
		e.Run, e.Committed, e.Chunks, e.Err)
}

func (e *ResumableError) Unwrap() error { return e.Err }

// Kept is what remains of a failed run.
type Kept string

// Values of Kept.
const (
	// KeptUnknown also applies to a run that had not begun, whose number is 0.
	KeptUnknown Kept = ""
	KeptNothing Kept = "nothing" // its rows are removed
	KeptChunks  Kept = "chunks"  // its error is a *ResumableError
)

// stop turns the error of a stage into the error of the run, and returns what remains of the run. It removes a
// run that committed nothing; a run with committed chunks can be resumed. It returns nil for a run that was
// published although the server's answer was lost.
//
// A failure before begin needs no record: an unfinished run of the table belongs to another process or an earlier
// attempt, which recorded it.
func stop(ctx context.Context, e *environment, s preparation, a attempt, copied copier.Result, cause error) (Kept, error) {
	end := progress.EndFailed
	if ctx.Err() != nil {
		end = progress.EndStopped
	}
	e.observer.Progress.Stop(end)

	if a.run == 0 || errors.As(cause, new(*LockedError)) {
		return KeptUnknown, cause // nothing has begun, or another process has taken over
	}

	outcome, reason := ledger.OutcomeFailed, cause
	if ctx.Err() != nil { // cause is the stage's own error for that
		outcome, reason = ledger.OutcomeStopped, context.Cause(ctx)
	}

	ctx, cancel := e.stopping(ctx)
	defer cancel()

	defer func() {
		if outcome != ledger.OutcomePublished { // otherwise the summary records it
			attempts.End(ctx, e.pool, e.observer, e.ledger, attempts.Attempt{Run: a.run, No: a.no, Rows: copied.Rows}, outcome, reason)
		}
	}()

	run, found, err := e.ledger.Find(ctx, e.pool, a.run)

	switch {
	case err != nil && (pg.SQLState(err) == "" || pg.IsTransient(err)):
		// The server did not answer, and the pool may be closed: use the counts of this process.
		run.Committed, run.RowsDone = int64(len(a.done))+copied.Chunks, a.rows+copied.Rows
	case err != nil || !found || run.State == ledger.StateDropped:
		return KeptUnknown, fmt.Errorf("run %d is no longer in the ledger: %w", a.run, cause)
	case run.State == ledger.StatePublished && (settle.IsUnsettled(cause) || s.checked.Spread && run.LastError != ""):
		// Readers may see only a part of it: the next run waits for the rest.
	case run.State == ledger.StatePublished:
		outcome = ledger.OutcomePublished
		return KeptUnknown, nil
	case run.Committed == 0 || errors.Is(cause, ErrCellsExist) || errors.Is(cause, build.ErrUnloggedLost):
		if s.lock.Ensure(ctx) == nil && discard.Unfinished(ctx, e.pool, e.observer.Log, e.ledger, run) == nil {
			return KeptNothing, cause
		}
	}

	if err := e.ledger.RecordError(ctx, e.pool, a.run, reason); err != nil {
		e.observer.Log.Debug("the ledger could not record why the run stopped", "error", err)
	}

	if run.Committed == 0 {
		return KeptUnknown, cause
	}

	return KeptChunks, &ResumableError{Run: a.run, Committed: run.Committed, Chunks: a.plan.Chunks,
		RowsDone: run.RowsDone, Rows: a.plan.Rows, Err: cause}
}

// recordShared records how an attempt at a shared job ended. It does so while it still holds the table, because
// the next process to take the table counts the failures.
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
