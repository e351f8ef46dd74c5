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

// LevelEvent is the log level of normal events of a run, such as finished stages and chunks. It is below the
// levels of messages for people.
const LevelEvent = observe.LevelEvent

// Options set when a run begins and how you watch it. Everything else is in the Job.
type Options struct {
	// JobName is the name of the job in logs, traces and the ledger. Defaults to the table as the job names it.
	JobName string
	// Wait is how long to wait for another run that holds the table. Defaults to 0, which returns a *LockedError
	// at once.
	Wait time.Duration
	// Shared makes the run an attempt at a job that several processes share. Wait is then ignored. Defaults to
	// nil, for a job that is not shared.
	Shared *Shared
	// SkipUnchanged ends the run early if the table already holds what the job describes and nobody has modified
	// it since. Defaults to false.
	SkipUnchanged bool
	// PruneRuns is the age from which the ledger's ended runs of the table are removed after publishing: see
	// Ledger.Prune. Defaults to 0, which removes nothing.
	PruneRuns time.Duration
	// Tracer gets spans of the run, its stages and its chunks. Defaults to no tracing.
	Tracer trace.Tracer
	// Progress gets the progress of the run. Defaults to one that nobody reads.
	Progress *Progress
	// Log gets messages that people should see later. Defaults to no logging.
	Log *slog.Logger
	// Version is the version of your program, for the ledger. Defaults to dev.
	Version string
	// PublishFor is how long publishing waits for others to release the table. It pauses between tries so that
	// readers get through. Defaults to 10 minutes.
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

// environment is what a run works with. It does not change during the run.
type environment struct {
	pool     *pgxpool.Pool // see pg.Own
	callers  *pgxpool.Pool // the caller's, which may be the same pool
	release  func()        // returns the pool
	options  Options
	observer *observe.Observer
	ledger   ledger.Ledger
	stopBy   time.Time // see stopping
}

// newEnvironment takes options with their defaults. The caller releases it.
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

// stopping returns a context for the work after the end of a run. It does not end with the run's context, but
// ends pg.CleanupTimeout after the first call.
func (e *environment) stopping(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.stopBy.IsZero() {
		e.stopBy = time.Now().Add(pg.CleanupTimeout)
	}

	return context.WithDeadline(context.WithoutCancel(ctx), e.stopBy)
}
