package ledger

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Runs returns runs of a ledger, the newest first. Where there is no ledger, the error
// is a *NoLedgerError.
func (l Ledger) Runs(ctx context.Context, pool *pgxpool.Pool, f RunFilter) ([]RunInfo, error) {
	if err := l.check(ctx, pool); err != nil {
		return nil, err
	}

	runs, err := l.query(ctx, pool, "where ($1 = '' or r.table_name = $1) and ($2 = '' or r.schema_name = $2) order by r.id desc limit nullif($3, 0)",
		f.Table.Name, f.Table.Schema, f.Limit)
	if err != nil {
		return nil, err
	}

	return runs, l.histories(ctx, pool, runs)
}

// FindRun returns a run by its number, or a *NoRunError, or a *NoLedgerError.
func (l Ledger) FindRun(ctx context.Context, pool *pgxpool.Pool, id int64) (RunInfo, error) {
	if err := l.check(ctx, pool); err != nil {
		return RunInfo{}, err
	}

	run, found, err := l.Find(ctx, pool, id)
	if err != nil || !found {
		return run, cmp.Or(err, error(&NoRunError{l.Schema, id}))
	}

	if err := l.ReadArea(ctx, pool, &run); err != nil {
		return run, err
	}

	runs := []RunInfo{run}
	err = l.histories(ctx, pool, runs)

	return runs[0], err
}

// check returns a *NoLedgerError where there is no ledger.
func (l Ledger) check(ctx context.Context, pool *pgxpool.Pool) error {
	there, err := l.Exists(ctx, pool)
	if err == nil && !there {
		err = &NoLedgerError{l.Schema, pool.Config().ConnConfig.Database}
	}
	return err
}
