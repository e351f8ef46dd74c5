package loader

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/loader/ledger"
)

// MigrateUp makes the ledger's schema where it is missing and brings it to the
// version of this program.
func MigrateUp(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	return ledger.New(schema).MigrateUp(ctx, pool)
}

// MigrateDown takes the ledger out of its schema, with all it knows of runs.
func MigrateDown(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	return ledger.New(schema).MigrateDown(ctx, pool)
}

// MigrateVersion returns the ledger's version, 0 for none, and whether a
// migration to it was killed in the middle.
func MigrateVersion(ctx context.Context, pool *pgxpool.Pool, schema string) (version uint, dirty bool, err error) {
	return ledger.New(schema).MigrateVersion(ctx, pool)
}

// Runs returns runs of a ledger, the newest first. Where there is no ledger, the error
// is a *NoLedgerError.
func Runs(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, f ledger.RunFilter) ([]ledger.RunInfo, error) {
	return ledger.New(ledgerSchema).Runs(ctx, pool, f)
}

// FindRun returns a run by its number, or a *NoRunError, or a *NoLedgerError.
func FindRun(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, id int64) (ledger.RunInfo, error) {
	return ledger.New(ledgerSchema).FindRun(ctx, pool, id)
}

// PruneRuns removes from a ledger what it knows of runs that ended longer ago than
// age, at least a second: see ledger.Ledger.PruneRuns. It returns how many it has removed.
func PruneRuns(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, age time.Duration) (int64, error) {
	return ledger.New(ledgerSchema).PruneRuns(ctx, pool, age)
}
