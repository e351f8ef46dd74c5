package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/uninstall"
)

type (
	// Inventory is what loadgrid has made in a database with one ledger.
	Inventory = uninstall.Inventory
	// DependentsError reports objects of users that depend on what Uninstall would remove.
	DependentsError = uninstall.DependentsError
)

// Inventory returns what Uninstall would remove, and what would stay. It changes nothing.
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

// Uninstall removes the ledger with its functions and all that it knows, the staging tables of
// its runs, and, where kept says so, the versions of tables that are kept. Loaded tables stay. It is one
// transaction, and returns what was there. A run that is alive is a *LockedError, and an object that depends on
// what would go a *DependentsError: then nothing was removed.
func (l *Ledger) Uninstall(ctx context.Context, kept bool) (i Inventory, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		i, err = uninstall.Remove(ctx, pool, l.ledger, kept)
		return err
	})

	return i, err
}
