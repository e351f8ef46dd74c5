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
	// PlacedHold is what Ledger.Hold did.
	PlacedHold = hold.Placed
	// OnHoldError reports a table that is on hold: nothing was loaded.
	OnHoldError = hold.Error
	// NotHeldError reports a table that is not on hold.
	NotHeldError = hold.NotHeldError
)

// Hold puts a table on hold: no load begins on it until Release. reason, which may be empty, is
// for people. A load that is at work goes on, and the result names it. The ledger is made where
// it is missing.
func (l *Ledger) Hold(ctx context.Context, t Table, reason string) (placed PlacedHold, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		placed, err = hold.Put(ctx, pool, l.ledger, t, reason)
		return err
	})

	return placed, err
}

// Release lets loads begin on a table again, and returns the hold that it had. A table that is
// not on hold is a *NotHeldError. Where there is no ledger, the error is a *NoLedgerError.
func (l *Ledger) Release(ctx context.Context, t Table) (held Hold, err error) {
	err = l.own(ctx, func(pool *pgxpool.Pool) (err error) {
		held, err = hold.Release(ctx, pool, l.ledger, t)
		return err
	})

	return held, err
}

// Holds returns the tables that are on hold: all for the zero value of Table, else those of its
// name, in its schema or in any. Where there is no ledger, there are none.
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
