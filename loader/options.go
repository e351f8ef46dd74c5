package loader

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// LevelEvent is the level of what a run reports of its normal course: stages and chunks
// that are done. It lies below that of what people should read.
const LevelEvent = observe.LevelEvent

// Options are what does not belong to the job: when a run begins, and how it is
// watched.
type Options struct {
	// JobName is what the job is called in logs, traces and the ledger. Defaults to
	// the table as the job names it.
	JobName string
	// Wait is how long to wait for another run that holds the table. Defaults to 0: it
	// is a *LockedError at once.
	Wait time.Duration
	// Shared makes the run an attempt at a job that several processes share. Wait is not read
	// then. Defaults to nil: nobody shares the job.
	Shared *Shared
	// SkipUnchanged ends the run before it begins where the table holds what the job
	// says already, and nobody has modified it since. Defaults to false.
	SkipUnchanged bool
	// PruneRuns is the age from which on what the ledger knows of the table's ended runs
	// is removed after publish: see Ledger.Prune. Defaults to 0, which removes nothing.
	PruneRuns time.Duration
	// Tracer gets spans of the run, its stages and its chunks. Defaults to none.
	Tracer trace.Tracer
	// Progress reports how far the run is. Defaults to one that nobody reads.
	Progress *Progress
	// Log gets what people should know later. Defaults to none.
	Log *slog.Logger
	// Version is that of the program, for the ledger. Defaults to dev.
	Version string
	// PublishFor is how long publish waits for others to leave the table, stepping
	// back in between so that readers get through. Defaults to 10 minutes.
	PublishFor time.Duration
}

// withDefaults fills in what the options leave open.
func (o Options) withDefaults(j job.Job) Options {
	if o.Version == "" {
		o.Version = "dev"
	}

	if o.PublishFor == 0 {
		o.PublishFor = publish.DefaultFor
	}

	if o.JobName == "" {
		o.JobName = j.Table.String()
	}

	o.JobName = pg.CleanText(o.JobName)

	return o
}

// environment is what a run is done with. It is the same from its begin to its end.
type environment struct {
	pool     *pgxpool.Pool // see pg.Own
	callers  *pgxpool.Pool // the caller's, which may be the same
	release  func()        // gives the pool back
	options  Options
	observer *observe.Observer
	ledger   ledger.Ledger
	stopBy   time.Time // see stopping
}

// newEnvironment takes options that have their defaults. The caller releases it.
func newEnvironment(ctx context.Context, callers *pgxpool.Pool, j job.Job, o Options) (*environment, error) {
	if err := checkRoom(callers, plan.MaxStreams(j)); err != nil {
		return nil, err
	}

	e := &environment{callers: callers, options: o,
		observer: observe.New(o.Log, o.Progress, o.Tracer), ledger: ledger.New(j.LedgerSchema, j.LedgerOwner)}
	e.observer.Progress.About(o.JobName, 0)

	err := e.observer.Connect(ctx, func() (err error) {
		e.pool, e.release, err = pg.Own(ctx, callers, PoolSize(plan.MaxStreams(j)))
		return err
	})

	return e, err
}

// stopping returns a context for what is done after a run has ended. It does not
// end with the run's, but within pg.CleanupTimeout after the first call.
func (e *environment) stopping(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.stopBy.IsZero() {
		e.stopBy = time.Now().Add(pg.CleanupTimeout)
	}

	return context.WithDeadline(context.WithoutCancel(ctx), e.stopBy)
}
