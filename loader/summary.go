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

// Summary is what a run came to. Of one that failed it has what is known until then.
type Summary struct {
	Run           int64                      `json:"run"` // its number in the ledger, or of the run that made an unchanged table
	Job           string                     `json:"job"`
	Table         job.Table                  `json:"table"`
	Rows          int64                      `json:"rows"`
	Unchanged     bool                       `json:"unchanged"`              // nothing was done: see Options.SkipUnchanged
	DoneBy        *SharedBy                  `json:"done_by,omitempty"`      // nothing was done: another process has, see Options.Shared
	Hold          *Hold                      `json:"on_hold,omitempty"`      // nothing was done: see OnHoldError
	Appended      bool                       `json:"appended"`               // to a table that was there
	RowsSkipped   int64                      `json:"rows_skipped,omitempty"` // of them there already
	RowsResumed   int64                      `json:"rows_resumed"`           // of them committed by earlier attempts
	RowsCopied    int64                      `json:"rows_copied"`            // of them committed by this one
	Chunks        int64                      `json:"chunks"`
	ChunksCopied  int64                      `json:"chunks_copied"`
	ChunksResumed int64                      `json:"chunks_resumed"`
	Method        plan.Method                `json:"method"`
	Streams       int                        `json:"streams"`
	Retries       int                        `json:"retries"`                // how often something was tried again
	WaitSeconds   float64                    `json:"wait_seconds,omitempty"` // for another run, in no stage
	Seconds       float64                    `json:"seconds"`
	StageSeconds  map[progress.Stage]float64 `json:"stage_seconds"`
	CopyBytes     int64                      `json:"copy_bytes"` // sent by COPY, what was tried again included
	TableRows     int64                      `json:"table_rows"` // of the table now, with what other runs have added
	HeapBytes     int64                      `json:"heap_bytes"`
	IndexBytes    int64                      `json:"index_bytes"`
	WALBytes      int64                      `json:"wal_bytes"` // of the whole server meanwhile
	Kept          Kept                       `json:"-"`         // what is left of a run that failed
}

// summarizeUnchanged says that there was nothing to do.
func summarizeUnchanged(ctx context.Context, e *environment, s preparation) Summary {
	sum := newSummary(e, s, nil)
	if s.settled { // an earlier attempt has loaded it
		sum.addAttempt(s, attempt{plan: s.plan, rows: s.unchanged.Rows}, copier.Result{})
		sum.measure(ctx, e, s)
	}

	sum.Unchanged = !s.settled
	sum.Run, sum.Rows, sum.TableRows = s.unchanged.Run, s.unchanged.Rows, s.unchanged.Rows

	return sum
}

// summarizeDone says who has done a shared job.
func summarizeDone(e *environment, s preparation, by SharedBy) Summary {
	sum := newSummary(e, s, nil)
	sum.DoneBy, sum.Run = &by, by.Run

	return sum
}

// summarizeHeld says that nothing was done, since the table is on hold.
func summarizeHeld(e *environment, s preparation, h Hold) Summary {
	e.observer.Log.Warn("the table is on hold: nothing was loaded", "table", h.Table.String(), "since", h.Since.Format(time.RFC3339),
		"by", h.By(), "reason", h.Reason)

	sum := newSummary(e, s, nil)
	sum.Hold = &h

	return sum
}

// summarize ends the last stage, and says what the run came to: err is why it has failed.
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

// newSummary ends the last stage of a run that is done, and sums up what does not depend on an attempt.
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

// addAttempt adds what is known of the attempt, also of one that did not begin.
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

// warnSkipped says whose share of the cells on a shared border stays. It is for a
// table that is published: a try to publish may be thrown away and done again.
func warnSkipped(e *environment, j job.Job, skipped int64) {
	if skipped == 0 {
		return
	}

	if j.Coverage {
		e.observer.Log.Warn("cells were in the table already and keep their coverage, which is the share of the area that was loaded first", "cells", skipped)
	}

	if j.Clip {
		e.observer.Log.Warn("cells were in the table already and keep their geometry, which is cut by the area that was loaded first", "cells", skipped)
	}
}

// measure is best effort: the table is published.
func (sum *Summary) measure(ctx context.Context, e *environment, s preparation) {
	if end := measure.WAL(ctx, e.pool); s.walStart > 0 && end > 0 {
		sum.WALBytes = end - s.walStart
	}

	size := measure.Table(ctx, e.pool, e.ledger, s.cluster, sum.Table, e.observer.Log)
	sum.TableRows, sum.HeapBytes, sum.IndexBytes = size.Rows, size.HeapBytes, size.IndexBytes
}
