package loader

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/discard"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Ledger is the record of runs in a database, in a schema of its own. A run creates it, or MigrateUp does. Its
// methods use the pool in the same way as Run.
type Ledger struct {
	pool   *pgxpool.Pool
	ledger ledger.Ledger
}

// NewLedger returns the ledger in a schema; "" means DefaultLedgerSchema. It does not connect, and the ledger
// need not exist. The caller closes the pool.
func NewLedger(pool *pgxpool.Pool, schema string) *Ledger {
	if schema == "" {
		schema = DefaultLedgerSchema
	}

	return &Ledger{pool: pool, ledger: ledger.New(schema, "")}
}

// OwnedBy returns the same ledger with role as its permitted owner. The role's members may own it, too: see
// Job.LedgerOwner. If another role owns the ledger or can alter it, methods return a *ForeignLedgerError.
func (l *Ledger) OwnedBy(role string) *Ledger {
	return &Ledger{pool: l.pool, ledger: ledger.New(l.ledger.Schema, role)}
}

// ledgerConns is how many connections ledger methods need: one for the lock of a table, and one for the work.
const ledgerConns = 2

// own calls do with a pool whose sessions belong to this program alone.
func (l *Ledger) own(ctx context.Context, do func(*pgxpool.Pool) error) error {
	pool, release, err := pg.Own(ctx, l.pool, ledgerConns)
	if err != nil {
		return err
	}
	defer release()

	return do(pool)
}

// Runs returns runs, newest first. It omits the polygons of their areas of interest; Run reads them. If there is
// no ledger, the error is a *NoLedgerError.
func (l *Ledger) Runs(ctx context.Context, f RunFilter) (runs []RunInfo, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		if runs, err = l.ledger.Runs(ctx, pool, f); err != nil {
			return err
		}

		return l.findAlive(ctx, pool, runs)
	})

	return runs, err
}

// Run returns a run by its number. The error is a *NoRunError if there is no such run, and a *NoLedgerError if
// there is no ledger.
func (l *Ledger) Run(ctx context.Context, id int64) (run RunInfo, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		if run, err = l.ledger.FindRun(ctx, pool, id); err != nil {
			return err
		}

		found := []RunInfo{run}
		err = l.findAlive(ctx, pool, found)
		run = found[0]

		return err
	})

	return run, err
}

// RunToResume is Run for a run that you want to resume by its number: see RunInfo.JobToResume. A resumed run does
// what its ledger row describes. For that reason, if roles other than the owner (see OwnedBy) can write runs, the
// error is a *ForeignLedgerError.
func (l *Ledger) RunToResume(ctx context.Context, id int64) (run RunInfo, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		if run, err = l.ledger.FindRun(ctx, pool, id); err != nil {
			return err
		}

		return l.ledger.CheckWriters(ctx, pool)
	})

	return run, err
}

// Prune removes ended runs older than age, which is at least a second, from the ledger. It removes runs that were
// dropped, whose rows were replaced, whose table was dropped, or that added nothing because all their cells
// existed. It keeps the last run of each job, unfinished runs, and runs whose rows are in a table or in a kept
// version. It returns how many runs it removed. If there is no ledger, the error is a *NoLedgerError.
func (l *Ledger) Prune(ctx context.Context, age time.Duration) (removed int64, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		removed, err = l.ledger.PruneRuns(ctx, pool, age)
		return err
	})

	return removed, err
}

// Drop abandons an unfinished run: it drops the staging table and marks the run as dropped in the ledger. If the
// run's version of the table is kept, Drop drops that version. If the run is alive, the error is a *LockedError.
// If only the table that readers see is left of it, the error is a *StateError. A staging table that another
// session has locked stays; the next load of the table drops it. log may be nil; it gets that warning and what
// blocks Drop.
func (l *Ledger) Drop(ctx context.Context, id int64, log *slog.Logger) error {
	return l.own(ctx, func(pool *pgxpool.Pool) error {
		return discard.Run(ctx, pool, observe.New(log, nil, nil), l.ledger, id)
	})
}

// Rollback is the result of Ledger.Rollback.
type Rollback = publish.Rollback

// Rollback makes a table show the rows of an earlier run again, from the version that Job.Keep kept, and keeps
// the version that the table showed before. It is one transaction and copies no rows. The table's owner, grants
// and comment do not change. If the run's version is not kept, the error is a *StateError. If a run holds the
// table, the error is a *LockedError. log may be nil; it gets what blocks Rollback.
func (l *Ledger) Rollback(ctx context.Context, id int64, log *slog.Logger) (done Rollback, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		done, err = publish.RollbackRun(ctx, pool, l.ledger, id, observe.New(log, nil, nil))
		return err
	})

	return done, err
}

// MigrateUp creates the ledger and its schema if they are missing, and brings the ledger to the version of this
// program.
func (l *Ledger) MigrateUp(ctx context.Context) error {
	return l.own(ctx, func(pool *pgxpool.Pool) error { return l.ledger.MigrateUp(ctx, pool) })
}

// MigrateDown removes the ledger from its schema, with its record of runs. If there is an unfinished run, the
// error is an *UnfinishedError.
func (l *Ledger) MigrateDown(ctx context.Context) error {
	return l.own(ctx, func(pool *pgxpool.Pool) error { return l.ledger.MigrateDown(ctx, pool) })
}

// Version returns the ledger's version, or 0 if there is no ledger. dirty is true if the migration to that
// version was killed before it finished.
func (l *Ledger) Version(ctx context.Context) (version uint, dirty bool, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		version, dirty, err = l.ledger.MigrateVersion(ctx, pool)
		return err
	})

	return version, dirty, err
}
