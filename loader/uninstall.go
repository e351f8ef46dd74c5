package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/uninstall"
)

type (
	// Inventory is what loadgrid created in a database with one ledger.
	Inventory = uninstall.Inventory
	// DependentsError reports users' objects that depend on what Uninstall would remove.
	DependentsError = uninstall.DependentsError
)

// Inventory returns what Uninstall would remove and what it would leave. It changes nothing.
func (l *Ledger) Inventory(ctx context.Context) (i Inventory, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) error {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return pg.Wrap(err, "connecting")
		}
		defer conn.Release()

		i, err = uninstall.Look(ctx, conn, l.ledger)

		return err
	})

	return i, err
}

// Uninstall removes the ledger with its functions and its record of runs, the staging tables of its runs, and, if
// kept is true, the kept versions of tables. Loaded tables stay. It is one transaction, and returns what was
// there. If a run is alive, the error is a *LockedError. If an object depends on something that would be removed,
// the error is a *DependentsError. In both cases, nothing was removed.
func (l *Ledger) Uninstall(ctx context.Context, kept bool) (i Inventory, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		i, err = uninstall.Remove(ctx, pool, l.ledger, kept)
		return err
	})

	return i, err
}
