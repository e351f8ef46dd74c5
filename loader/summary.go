package loader

import (
	"context"
	"time"

	"github.com/loadgrid/loadgrid/internal/attempts"
	"github.com/loadgrid/loadgrid/internal/copier"
	"github.com/loadgrid/loadgrid/internal/measure"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// Summary is the result of a run. For a failed run, it has what was known until then.
type Summary struct {
	Run           int64                      `json:"run"` // number in the ledger; for an unchanged table, the run that loaded it
	Job           string                     `json:"job"`
	Table         job.Table                  `json:"table"`
	Rows          int64                      `json:"rows"`
	Unchanged     bool                       `json:"unchanged"`              // nothing was done: see Options.SkipUnchanged
	DoneBy        *SharedBy                  `json:"done_by,omitempty"`      // nothing was done because another process did the job: see Options.Shared
	Hold          *Hold                      `json:"on_hold,omitempty"`      // nothing was done: see OnHoldError
	Appended      bool                       `json:"appended"`               // to an existing table
	RowsSkipped   int64                      `json:"rows_skipped,omitempty"` // of Rows, already in the table
	RowsResumed   int64                      `json:"rows_resumed"`           // of Rows, committed by earlier attempts
	RowsCopied    int64                      `json:"rows_copied"`            // of Rows, committed by this attempt
	Chunks        int64                      `json:"chunks"`
	ChunksCopied  int64                      `json:"chunks_copied"`
	ChunksResumed int64                      `json:"chunks_resumed"`
	Method        plan.Method                `json:"method"`
	Streams       int                        `json:"streams"`
	Retries       int                        `json:"retries"`                // number of retries
	WaitSeconds   float64                    `json:"wait_seconds,omitempty"` // waiting for another run, in no stage
	Seconds       float64                    `json:"seconds"`
	StageSeconds  map[progress.Stage]float64 `json:"stage_seconds"`
	CopyBytes     int64                      `json:"copy_bytes"` // sent by COPY, including retries
	TableRows     int64                      `json:"table_rows"` // of the table now, including rows of other runs
	HeapBytes     int64                      `json:"heap_bytes"`
	IndexBytes    int64                      `json:"index_bytes"`
	WALBytes      int64                      `json:"wal_bytes"` // written by the whole server during the run
	Kept          Kept                       `json:"-"`         // what remains of a failed run
}

// summarizeUnchanged returns the summary of a run that had nothing to do.
func summarizeUnchanged(ctx context.Context, e *environment, s preparation) Summary {
	sum := newSummary(e, s, nil)
	if s.settled { // an earlier attempt loaded it
		sum.addAttempt(s, attempt{plan: s.plan, rows: s.unchanged.Rows}, copier.Result{})
		sum.measure(ctx, e, s)
	}

	sum.Unchanged = !s.settled
	sum.Run, sum.Rows, sum.TableRows = s.unchanged.Run, s.unchanged.Rows, s.unchanged.Rows

	return sum
}

// summarizeDone returns the summary of a shared job that another process did.
func summarizeDone(e *environment, s preparation, by SharedBy) Summary {
	sum := newSummary(e, s, nil)
	sum.DoneBy, sum.Run = &by, by.Run

	return sum
}

// summarizeHeld returns the summary of a run that did nothing because the table is on hold.
func summarizeHeld(e *environment, s preparation, h Hold) Summary {
	e.observer.Log.Warn("the table is on hold: nothing was loaded", "table", h.Table.String(), "since", h.Since.Format(time.RFC3339),
		"by", h.By(), "reason", h.Reason)

	sum := newSummary(e, s, nil)
	sum.Hold = &h

	return sum
}

// summarize ends the last stage and returns the summary. err is why the run failed, or nil.
func summarize(ctx context.Context, e *environment, s preparation, a attempt, copied copier.Result, skipped int64, err error) Summary {
	ctx, cancel := e.stopping(ctx)
	defer cancel()

	sum := newSummary(e, s, err)
	sum.addAttempt(s, a, copied)
	sum.RowsSkipped = skipped

	if err == nil {
		warnSkipped(e, a.plan.Job, skipped)
		attempts.End(ctx, e.pool, e.observer, e.ledger, attempts.Attempt{Run: a.run, No: a.no, Rows: copied.Rows}, ledger.OutcomePublished, nil)
		sum.measure(ctx, e, s)
	}

	return sum
}

// newSummary ends the last stage of a finished run, and fills in what does not depend on an attempt.
func newSummary(e *environment, s preparation, err error) Summary {
	if err == nil {
		e.observer.Progress.Begin("", 0)
	}

	sum := Summary{Job: e.options.JobName, Table: s.table.Table, StageSeconds: e.observer.Progress.Seconds(),
		WaitSeconds: s.waited.Round(time.Microsecond).Seconds()}
	sum.Retries, _ = e.observer.Retries()

	for _, seconds := range sum.StageSeconds {
		sum.Seconds += seconds
	}

	return sum
}

// addAttempt adds what is known of the attempt, even if it did not begin.
func (sum *Summary) addAttempt(s preparation, a attempt, copied copier.Result) {
	sum.Run, sum.Appended = a.run, s.table.OID != 0 && s.job.Appends()

	p := a.plan
	if p == nil {
		p = s.plan
	}

	if p == nil {
		return
	}

	sum.Rows, sum.Chunks, sum.Method, sum.Streams = p.Rows, p.Chunks, p.Method, p.Streams
	sum.ChunksCopied, sum.RowsCopied, sum.CopyBytes = copied.Chunks, copied.Rows, copied.Bytes
	sum.ChunksResumed, sum.RowsResumed = int64(len(a.done)), a.rows
}

// warnSkipped warns about the cells on a shared border whose values stay. Call it only once the table is
// published: publishing may be tried several times.
func warnSkipped(e *environment, j job.Job, skipped int64) {
	if skipped == 0 {
		return
	}

	if j.Coverage {
		e.observer.Log.Warn("cells were in the table already and keep their coverage, which is the share of the area that was loaded first", "cells", skipped)
	}

	if j.Clip {
		e.observer.Log.Warn("cells were in the table already and keep their geometry, clipped by the area that was loaded first", "cells", skipped)
	}
}

// measure is best effort, because the table is already published.
func (sum *Summary) measure(ctx context.Context, e *environment, s preparation) {
	if end := measure.WAL(ctx, e.pool); s.walStart > 0 && end > 0 {
		sum.WALBytes = end - s.walStart
	}

	size := measure.Table(ctx, e.pool, e.ledger, s.cluster, sum.Table, e.observer.Log)
	sum.TableRows, sum.HeapBytes, sum.IndexBytes = size.Rows, size.HeapBytes, size.IndexBytes
}
