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

// Ledger is what a database remembers of runs, in a schema of its own. A run makes it, or
// MigrateUp does. It takes a pool as Run does: see there.
type Ledger struct {
	pool   *pgxpool.Pool
	ledger ledger.Ledger
}

// NewLedger returns the ledger in a schema, "" for DefaultLedgerSchema. Nothing is asked of
// the server, and the ledger need not be there. The pool stays the caller's to close.
func NewLedger(pool *pgxpool.Pool, schema string) *Ledger {
	if schema == "" {
		schema = DefaultLedgerSchema
	}

	return &Ledger{pool: pool, ledger: ledger.New(schema, "")}
}

// OwnedBy returns the same ledger, which a role may own, or members of that role: see
// Job.LedgerOwner. A ledger that other roles own or may alter is refused with a
// *ForeignLedgerError.
func (l *Ledger) OwnedBy(role string) *Ledger {
	return &Ledger{pool: l.pool, ledger: ledger.New(l.ledger.Schema, role)}
}

// ledgerConns is how many connections work on the ledger needs: the lock of a table, and
// one beside it.
const ledgerConns = 2

// own does something on a pool whose sessions are the program's own.
func (l *Ledger) own(ctx context.Context, do func(*pgxpool.Pool) error) error {
	pool, release, err := pg.Own(ctx, l.pool, ledgerConns)
	if err != nil {
		return err
	}
	defer release()

	return do(pool)
}

// Runs returns runs, the newest first. Their areas of interest have no polygons: Run reads
// those. Where there is no ledger, the error is a *NoLedgerError.
func (l *Ledger) Runs(ctx context.Context, f RunFilter) (runs []RunInfo, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		if runs, err = l.ledger.Runs(ctx, pool, f); err != nil {
			return err
		}

		return l.findAlive(ctx, pool, runs)
	})

	return runs, err
}

// Run returns a run by its number, or a *NoRunError, or a *NoLedgerError.
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

// RunToResume is Run for a run that is to go on by its number: see RunInfo.JobToResume. Where
// other roles than those of OwnedBy may write runs, it is a *ForeignLedgerError: what is done
// then is what the ledger has.
func (l *Ledger) RunToResume(ctx context.Context, id int64) (run RunInfo, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		if run, err = l.ledger.FindRun(ctx, pool, id); err != nil {
			return err
		}

		return l.ledger.CheckWriters(ctx, pool)
	})

	return run, err
}

// Prune removes what the ledger knows of runs that ended longer ago than age, at least a
// second: those that were dropped, whose rows were replaced, whose table somebody has
// dropped, or that found all their cells there and added none. The last of each job stays.
// Runs that are unfinished, and those whose rows a table shows or keeps, stay. It returns
// how many it has removed. Where there is no ledger, the error is a *NoLedgerError.
func (l *Ledger) Prune(ctx context.Context, age time.Duration) (removed int64, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		removed, err = l.ledger.PruneRuns(ctx, pool, age)
		return err
	})

	return removed, err
}

// Drop gives up an unfinished run: its staging table goes, and the ledger
// notes it as dropped. Of a run whose version of the table is kept it drops that.
// A run that is alive is a *LockedError, one of which nothing is left but what
// readers see a *StateError. A staging table that another session has stays, for the next
// load of the table to drop. log, which may be nil, says so, and what keeps it waiting.
func (l *Ledger) Drop(ctx context.Context, id int64, log *slog.Logger) error {
	return l.own(ctx, func(pool *pgxpool.Pool) error {
		return discard.Run(ctx, pool, observe.New(log, nil, nil), l.ledger, id)
	})
}

// Rollback is what Ledger.Rollback did.
type Rollback = publish.Rollback

// Rollback gives a table the rows of an earlier run again, from the version of it
// that Job.Keep has kept, and keeps in turn what the table has shown until then. It
// is one transaction, and copies nothing. The table's owner, grants and comment stay
// as they are. A run whose version is not kept is a *StateError, a table that a run
// holds a *LockedError. log, which may be nil, gets what keeps it waiting.
func (l *Ledger) Rollback(ctx context.Context, id int64, log *slog.Logger) (done Rollback, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		done, err = publish.RollbackRun(ctx, pool, l.ledger, id, observe.New(log, nil, nil))
		return err
	})

	return done, err
}

// MigrateUp makes the ledger where it is missing, with its schema, and brings it to the
// version of this program.
func (l *Ledger) MigrateUp(ctx context.Context) error {
	return l.own(ctx, func(pool *pgxpool.Pool) error { return l.ledger.MigrateUp(ctx, pool) })
}

// MigrateDown takes the ledger out of its schema, with all it knows of runs. One that has an
// unfinished run is an *UnfinishedError.
func (l *Ledger) MigrateDown(ctx context.Context) error {
	return l.own(ctx, func(pool *pgxpool.Pool) error { return l.ledger.MigrateDown(ctx, pool) })
}

// Version returns the ledger's version, 0 for none, and whether a migration to it was
// killed in the middle.
func (l *Ledger) Version(ctx context.Context) (version uint, dirty bool, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		version, dirty, err = l.ledger.MigrateVersion(ctx, pool)
		return err
	})

	return version, dirty, err
}
