package loader

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Rollback is what RollbackRun did.
type Rollback = publish.Rollback

// RollbackRun gives a table the rows of an earlier run again, from the version of it
// that Job.Keep has kept, and keeps in turn what the table has shown until then. It
// is one transaction, and copies nothing. The table's owner, grants and comment stay
// as they are. A run whose version is not kept is a *StateError, a table that a run
// holds a *LockedError. log, which may be nil, gets what keeps it waiting.
func RollbackRun(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, id int64, log *slog.Logger) (done Rollback, err error) {
	l := ledger.New(ledgerSchema)

	run, err := l.FindRun(ctx, pool, id)
	if err != nil {
		return done, err
	}

	if run.KeptAs == "" {
		return done, &ledger.StateError{ID: id, State: run.Status(), Only: "rolled back to", Which: "a run whose version of the table is kept"}
	}

	if err := tablelock.RefusePooler(ctx, pool); err != nil {
		return done, err
	}

	o := observe.New(log, nil, nil)

	lock, err := tablelock.Acquire(ctx, pool, o.Log, run.Table)
	if err != nil {
		return done, err
	}
	defer lock.Close(ctx)

	return publish.Restorer{Pool: pool, Lock: lock, Observer: o, Ledger: l, Run: run, For: publish.DefaultFor}.Rollback(ctx)
}
