package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// find returns a *NoLedgerError where there is no ledger.
func (l ledger) find(ctx context.Context, pool *pgxpool.Pool) error {
	there, err := l.exists(ctx, pool)
	if err == nil && !there {
		err = &NoLedgerError{l.schema, pool.Config().ConnConfig.Database}
	}
	return err
}
