package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Options are what does not belong to the job: how a run is watched.
type Options struct {
	// Progress is told how far the run is. Defaults to one that nobody reads.
	Progress *Progress
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
	plan     *Plan
	options  Options
	progress *Progress
	log      *slog.Logger

	settings serverSettings
	lock     *tableLock
	target   target // the table that readers see
	// partitioned tells whether the table that readers see is; one that is made,
	// by its plan.
	partitioned bool
	columns     []string   // of the table that readers see, with their types
	staging     target     // the table that is filled
	index       Index      // which spatial indexes that one gets
	others      []indexDef // which more its partitions get, as those of the target have
	ledger      ledger
	run         int64 // 0 until it is in the ledger
	done        map[int64]bool
	frozen      bool // this start has filled the table with COPY FREEZE

	chunksCopied atomic.Int64
	stopBy       time.Time // see stopping
	walStart     int64     // where the server's WAL was, in bytes; 0 when that is not known
	summary      Summary
}

// Run does a job: it plans, loads, finishes and publishes the table, and returns
// when readers see it. The pool needs as many connections as Open gives it.
//
// A run that stopped with committed chunks is a *ResumableError, and Run with
// the same job goes on from there. A wrong job is a *geomgen.ParamError, and a
// table that another run holds a *LockedError; in both cases nothing is written.
// Trouble with the server is a *ServerError. When ctx ends, Run stops in order,
// and the error holds the cause.
func Run(ctx context.Context, pool *pgxpool.Pool, job Job, options Options) (Summary, error) {
	plan, err := PlanOn(ctx, pool, job)
	if err != nil {
		return Summary{}, err
	}
	return plan.Run(ctx, pool, options)
}

// Run does the job of a plan: see the function of this name.
func (p *Plan) Run(ctx context.Context, pool *pgxpool.Pool, options Options) (Summary, error) {
	l := newLoad(pool, p, options)
	defer l.close(ctx)
	l.warn()

	for _, stage := range []struct {
		name Stage
		rows int64
		do   func(context.Context) error
	}{
		{StagePlan, 0, l.prepare},
		{StageLoad, p.Rows, l.guarded(l.copyAll)},
		{StageFreeze, p.Rows, l.guarded(l.freeze)},
		{StageIndex, p.Rows, l.guarded(l.buildIndexes)},
		{StageAnalyze, 0, l.guarded(l.analyze)},
		{StagePublish, 0, l.publish},
	} {
		l.progress.begin(stage.name, stage.rows)
		if err := stage.do(ctx); err != nil {
			if err = l.stopped(ctx, err); err != nil {
				return l.summary, err
			}
			break // the error came too late: the table is published
		}
		l.progress.set(stage.rows)
	}
	return l.summarize(ctx)
}

func newLoad(pool *pgxpool.Pool, plan *Plan, options Options) *load {
	if options.Progress == nil {
		options.Progress = new(Progress)
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
	l := &load{pool: pool, plan: plan, options: options, progress: options.Progress, log: options.Log,
		ledger: newLedger(plan.Job.LedgerSchema)}
	l.summary = Summary{Rows: plan.Rows}
	l.index = plan.Job.Index
	return l
}

// warn says what became of the area of interest.
func (l *load) warn() {
	if area := l.plan.Job.Area; area != nil {
		for _, w := range area.Warnings {
			l.log.Warn(w)
		}
	}
}

// prepare checks the job against the server, takes the table's lock, brings the
// ledger up to date, and begins the run or takes it up.
func (l *load) prepare(ctx context.Context) error {
	job := l.plan.Job
	if have, need := int(l.pool.Config().MaxConns), poolSize(l.plan.Streams); have < need {
		return fmt.Errorf("the pool has room for %d connections, a run with %d streams needs %d", have, l.plan.Streams, need)
	}
	if err := refusePooler(ctx, l.pool); err != nil {
		return err
	}
	var err error
	if l.target, err = inspectPool(ctx, l.pool, job); err != nil {
		return err
	}
	l.summary.Table = l.target.Table
	if l.lock, err = lockTable(ctx, l.pool, l.target.Table); err != nil {
		return err
	}
	// Again, now that no other run can change it.
	if err := l.target.find(ctx, l.lock.conn); err != nil {
		return err
	}
	if err := l.migrateForKeep(ctx); err != nil {
		return err
	}
	if err := l.checkTarget(ctx, l.lock.conn); err != nil {
		return err
	}
	if l.settings, err = readSettings(ctx, l.lock.conn); err != nil {
		return err
	}
	if err := MigrateUp(ctx, l.pool, job.LedgerSchema); err != nil {
		return err
	}
	l.walStart = walPosition(ctx, l.pool)
	return l.beginOrResume(ctx)
}

// migrateForKeep brings a ledger that is there up to date before it is asked which
// version of the table is to be kept: one from before versions does not know.
func (l *load) migrateForKeep(ctx context.Context) error {
	if l.plan.Job.Keep == 0 || l.target.oid == 0 {
		return nil
	}
	there, err := l.ledger.exists(ctx, l.lock.conn)
	if err != nil || !there {
		return err
	}
	return MigrateUp(ctx, l.pool, l.plan.Job.LedgerSchema)
}

func inspectPool(ctx context.Context, pool *pgxpool.Pool, job Job) (target, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return target{}, serverError(err, "connecting")
	}
	defer conn.Release()
	return inspect(ctx, conn.Conn(), job)
}

// copyAll copies what an earlier start has not. Its commits do not wait for the
// disk, so in the end the ledger is asked, after a commit that does, which of
// them are there: a crash of the server may have taken the last ones away.
func (l *load) copyAll(ctx context.Context) error {
	l.progress.skip(l.summary.RowsResumed)
	for {
		if err := l.copyChunks(ctx); err != nil {
			return err
		}
		var rows int64
		err := retry(ctx, l.log, retryFor, "ledger", func() (err error) {
			if err = l.ledger.loaded(ctx, l.pool, l.run); err != nil {
				return err
			}
			l.done, rows, err = l.ledger.committed(ctx, l.pool, l.run)
			return err
		})
		if err != nil {
			return err
		}
		if missing := l.plan.Chunks - int64(len(l.done)); missing > 0 {
			l.log.Warn("a crash of the server took committed chunks away, copying them again", "run", l.run, "chunks", missing)
			l.progress.add(rows - l.plan.Rows)
			l.chunksCopied.Add(-missing)
			continue
		}
		if rows != l.plan.Rows {
			return fmt.Errorf("%d rows planned, %d committed", l.plan.Rows, rows)
		}
		l.frozen = l.plan.Method == MethodFrozen && l.summary.ChunksResumed == 0
		return l.staging.find(ctx, l.pool)
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
	ctx, cancel := l.stopping(ctx)
	defer cancel()
	run, found, err := l.ledger.run(ctx, l.pool, l.run)
	switch {
	case err != nil && (transient(err) || errors.Is(err, context.DeadlineExceeded)):
		// As far as is known here.
		run.Committed = int64(len(l.done)) + l.chunksCopied.Load()
	case err != nil || !found || run.State == StateDropped:
		return fmt.Errorf("the ledger knows no more of run %d: %w", l.run, cause)
	case run.State == StatePublished:
		return nil
	case run.Committed == 0 || errors.Is(cause, ErrCellsExist) || errors.Is(cause, errUnloggedLost):
		if l.keepLock(ctx) == nil && dropRun(ctx, l.pool, l.ledger, run) == nil {
			return cause
		}
	}
	if err := l.ledger.failed(ctx, l.pool, l.run, cause); err != nil {
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
	l.lock.release(ctx)
}
