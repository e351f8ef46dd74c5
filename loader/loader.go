package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/progress"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Options are what does not belong to the job: when a run begins, and how it is
// watched.
type Options struct {
	// JobName is what the job is called in logs, traces and the ledger. Defaults to
	// the table as the job names it.
	JobName string
	// Wait is how long to wait for another run that holds the table. Defaults to 0: it
	// is a *LockedError at once.
	Wait time.Duration
	// SkipUnchanged ends the run before it begins where the table holds what the job
	// says already, and nobody has touched it since. Defaults to false.
	SkipUnchanged bool
	// PruneRuns is the age from which on what the ledger knows of the table's ended runs
	// is removed after publish: see PruneRuns. Defaults to 0, which removes nothing.
	PruneRuns time.Duration
	// Tracer gets spans of the run, its stages and its chunks. Defaults to none.
	Tracer trace.Tracer
	// Progress is told how far the run is. Defaults to one that nobody reads.
	Progress *progress.Progress
	// Log gets what people should know later. Defaults to none.
	Log *slog.Logger
	// Version is that of the program, for the ledger. Defaults to dev.
	Version string
	// PublishFor is how long publish waits for others to leave the table, stepping
	// back in between so that readers get through. Defaults to 10 minutes.
	PublishFor time.Duration
}

// load is a run in work.
type load struct {
	pool     *pgxpool.Pool
	plan     *plan.Plan
	options  Options
	progress *progress.Progress
	log      *slog.Logger

	settings pg.Settings
	lock     *tableLock
	target   catalog.Relation // the table that readers see
	// partitioned tells whether the table that readers see is; one that is made,
	// by its plan.
	partitioned bool
	columns     []string           // of the table that readers see, with their types
	staging     catalog.Relation   // the table that is filled
	index       job.Index          // which spatial indexes that one gets
	others      []catalog.IndexDef // which more its partitions get, as those of the target have
	ledger      ledger.Ledger
	run         int64 // 0 until it is in the ledger
	done        map[int64]bool
	frozen      bool // this start has filled the table with COPY FREEZE

	attempt          int    // which start of the run this is, from 1; 0 until it is in the ledger
	unchangedBy      string // how it is known that the table is unchanged
	hookWroteRows    bool   // the step after has written to the table
	modifiedBefore   bool   // somebody had, before the run adds its rows
	lockSessionDirty bool   // a step has had the lock's connection, and may have changed its session
	retries          retries
	chunksCopied     atomic.Int64
	rowsCopied       atomic.Int64
	bytesCopied      atomic.Int64
	stopBy           time.Time // see stopping
	walStart         int64     // where the server's WAL was, in bytes; 0 when that is not known
	summary          Summary
}

// Run does a job: it plans, loads, finishes and publishes the table, and returns
// when readers see it. The pool needs as many connections as Open gives it.
//
// A run that stopped with committed chunks is a *ResumableError, and Run with
// the same job goes on from there. A wrong job is a *geomgen.ParamError, and a
// table that another run holds a *LockedError; in both cases nothing is written.
// Trouble with the server is a *ServerError. When ctx ends, Run stops in order,
// and the error holds the cause.
func Run(ctx context.Context, pool *pgxpool.Pool, job job.Job, options Options) (Summary, error) {
	p, err := plan.New(ctx, job)
	var needs *plan.NeedsServerError
	if errors.As(err, &needs) {
		// The server is asked once the run holds the table.
		p, err = &plan.Plan{Job: job.WithDefaults()}, nil
	}
	if err != nil {
		return Summary{}, err
	}
	return RunPlan(ctx, pool, p, options)
}

// RunPlan does the job of a plan that was made beforehand: see Run.
func RunPlan(ctx context.Context, pool *pgxpool.Pool, p *Plan, options Options) (_ Summary, err error) {
	l := newLoad(pool, p, options)
	ctx, end := l.span(ctx, "run", attribute.String("loadgrid.job", l.options.JobName), attribute.String("loadgrid.table", p.Job.Table.String()))
	defer func() { end(err) }()
	defer l.close(ctx)

	for _, stage := range []struct {
		name progress.Stage
		rows bool // it goes over all rows
		do   func(context.Context) error
	}{
		{progress.StagePlan, false, l.prepare},
		{progress.StageLoad, true, l.withLockHeartbeat(l.copyAll)},
		{progress.StageFreeze, true, l.withLockHeartbeat(l.freeze)},
		{progress.StageIndex, true, l.withLockHeartbeat(l.buildIndexes)},
		{progress.StageAnalyze, false, l.withLockHeartbeat(l.analyze)},
		{progress.StagePublish, false, l.publish},
	} {
		var rows int64
		if stage.rows {
			rows = l.plan.Rows
		}
		l.progress.Begin(stage.name, rows)
		err := l.stage(ctx, stage.name, stage.do)
		if errors.Is(err, errUnchanged) {
			l.summary.Unchanged = true
			break
		}
		if err != nil {
			if err = l.stopped(ctx, err); err != nil {
				return l.summarize(ctx, ledger.OutcomeFailed), err
			}
			break // the error came too late: the table is published
		}
		l.progress.Set(rows)
	}
	return l.summarize(ctx, ledger.OutcomePublished), nil
}

func newLoad(pool *pgxpool.Pool, plan *plan.Plan, options Options) *load {
	if options.Progress == nil {
		options.Progress = new(progress.Progress)
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Version == "" {
		options.Version = "dev"
	}
	if options.PublishFor == 0 {
		options.PublishFor = publishFor
	}
	if options.JobName == "" {
		options.JobName = plan.Job.Table.String()
	}
	options.JobName = pg.CleanText(options.JobName)
	if options.Tracer == nil {
		options.Tracer = noop.NewTracerProvider().Tracer("")
	}
	l := &load{pool: pool, plan: plan, options: options, progress: options.Progress,
		ledger: ledger.New(plan.Job.LedgerSchema)}
	l.log = slog.New(runHandler{options.Log.Handler(), l.progress})
	l.progress.About(options.JobName, 0)
	l.summary = Summary{Job: options.JobName, Table: plan.Job.Table}
	l.index = plan.Job.Index
	return l
}

// copyAll copies what an earlier start has not. Its commits do not wait for the
// disk, so in the end the ledger is asked, after a commit that does, which of
// them are there: a crash of the server may have taken the last ones away.
func (l *load) copyAll(ctx context.Context) error {
	l.progress.Skip(l.summary.RowsResumed)
	for {
		if err := l.copyChunks(ctx); err != nil {
			return err
		}
		var rows int64
		err := l.retry(ctx, retryFor, "ledger", func() (err error) {
			if err = l.ledger.FlushCommits(ctx, l.pool, l.run); err != nil {
				return err
			}
			l.done, rows, err = l.ledger.CommittedChunks(ctx, l.pool, l.run)
			return err
		})
		if err != nil {
			return err
		}
		if missing := l.plan.Chunks - int64(len(l.done)); missing > 0 {
			l.log.Warn("a crash of the server took committed chunks away, copying them again", "chunks", missing)
			l.progress.Add(rows - l.plan.Rows)
			l.chunksCopied.Add(-missing)
			continue
		}
		if rows != l.plan.Rows {
			return fmt.Errorf("%d rows planned, %d committed", l.plan.Rows, rows)
		}
		l.frozen = l.plan.Method == plan.MethodFrozen && l.summary.ChunksResumed == 0
		return l.staging.Find(ctx, l.pool)
	}
}

// stopTimeout bounds all that is done after a run has failed or was stopped: the
// server may be away, so it must not take long, and need not succeed.
const stopTimeout = 3 * time.Second

// stopping returns a context for what is done after a run has ended. It does not
// end with the run's, but within stopTimeout after the first call.
func (l *load) stopping(ctx context.Context) (context.Context, context.CancelFunc) {
	if l.stopBy.IsZero() {
		l.stopBy = time.Now().Add(stopTimeout)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), l.stopBy)
}

// stopped turns the error of a stage into that of the run. A run that has
// committed nothing is taken away; one that has can be resumed. It returns nil
// for a run that was published although the answer to that was lost.
func (l *load) stopped(ctx context.Context, cause error) error {
	var locked *LockedError
	if l.run == 0 || errors.As(cause, &locked) {
		return cause // nothing is begun, or it is another's now
	}
	outcome, why := ledger.OutcomeFailed, cause
	if ctx.Err() != nil { // cause is what a stage makes of that
		outcome, why = ledger.OutcomeStopped, context.Cause(ctx)
	}
	ctx, cancel := l.stopping(ctx)
	defer cancel()
	defer func() {
		if outcome != ledger.OutcomePublished { // which the summary notes
			l.recordAttemptEnd(ctx, outcome, why)
		}
	}()
	run, found, err := l.ledger.Find(ctx, l.pool, l.run)
	switch {
	case err != nil && (pg.IsTransient(err) || errors.Is(err, context.DeadlineExceeded)):
		// As far as is known here.
		run.Committed = int64(len(l.done)) + l.chunksCopied.Load()
	case err != nil || !found || run.State == ledger.StateDropped:
		return fmt.Errorf("the ledger knows no more of run %d: %w", l.run, cause)
	case run.State == ledger.StatePublished:
		outcome = ledger.OutcomePublished
		return nil
	case run.Committed == 0 || errors.Is(cause, ErrCellsExist) || errors.Is(cause, errUnloggedLost):
		if l.ensureLock(ctx) == nil && dropRun(ctx, l.pool, l.ledger, run) == nil {
			return cause
		}
	}
	if err := l.ledger.RecordError(ctx, l.pool, l.run, why); err != nil {
		l.log.Debug("the ledger does not know why the run stopped", "error", err)
	}
	if run.Committed == 0 {
		return cause
	}
	return &ResumableError{Run: l.run, Committed: run.Committed, Chunks: l.plan.Chunks, Err: cause}
}

func (l *load) close(ctx context.Context) {
	if l.lock == nil {
		return
	}
	ctx, cancel := l.stopping(ctx)
	defer cancel()
	if l.lockSessionDirty {
		_ = l.lock.conn.Conn().Close(ctx) // the caller's pool does not get it back
	}
	l.lock.release(ctx)
}
