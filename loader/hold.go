package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/hold"
	"github.com/loadgrid/loadgrid/internal/pg"
)

type (
	// Hold is a table that is on hold.
	Hold = hold.Hold
	// PlacedHold is the result of Ledger.Hold.
	PlacedHold = hold.Placed
	// OnHoldError reports a table that is on hold. Nothing was loaded.
	OnHoldError = hold.Error
	// NotHeldError reports a table that is not on hold.
	NotHeldError = hold.NotHeldError
)

// Hold puts a table on hold: no load of it begins until Release. reason is a note for people and may be empty. A
// load that is already running continues, and the result names it. Hold creates the ledger if it is missing.
func (l *Ledger) Hold(ctx context.Context, t Table, reason string) (placed PlacedHold, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		placed, err = hold.Put(ctx, pool, l.ledger, t, reason)
		return err
	})

	return placed, err
}

// Release lets loads of a table begin again, and returns the hold that it removed. If the table is not on hold,
// the error is a *NotHeldError. If there is no ledger, the error is a *NoLedgerError.
func (l *Ledger) Release(ctx context.Context, t Table) (held Hold, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		held, err = hold.Release(ctx, pool, l.ledger, t)
		return err
	})

	return held, err
}

// Holds returns tables that are on hold. The zero value of Table selects all of them. A Table without a schema
// selects that name in all schemas. If there is no ledger, the list is empty.
func (l *Ledger) Holds(ctx context.Context, t Table) (list []Hold, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) error {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return pg.Wrap(err, "connecting")
		}
		defer conn.Release()

		list, err = hold.List(ctx, conn, l.ledger, t)

		return err
	})

	return list, err
}
