package loader

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// PruneRuns removes from a ledger what it knows of runs that ended longer ago than
// age, at least a second: those that were dropped, whose rows were replaced, whose
// table somebody has dropped, or that found all their cells there and added none, but
// for the last of each job. Runs that are unfinished, and those whose rows a table
// shows or keeps, stay. It returns how many it has removed. Where there is no ledger,
// the error is a *NoLedgerError.
func PruneRuns(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, age time.Duration) (int64, error) {
	if age < time.Second {
		return 0, &geomgen.ParamError{Param: "older-than", Value: age.String(), Reason: "must be at least a second"}
	}
	l := newLedger(ledgerSchema)
	if err := l.find(ctx, pool); err != nil {
		return 0, err
	}
	if err := MigrateUp(ctx, pool, ledgerSchema); err != nil {
		return 0, err
	}
	return l.prune(ctx, pool, job.Table{}, age)
}

// pruneRuns removes old runs of the table from the ledger. It is best effort: the
// table is published, and the next run tries again.
func (l *load) pruneRuns(ctx context.Context) {
	if l.options.PruneRuns == 0 {
		return
	}
	n, err := l.ledger.prune(ctx, l.lock.conn, l.target.Table, l.options.PruneRuns)
	if err != nil {
		l.log.Warn("old runs of the table are still in the ledger", "error", pg.Message(err))
	} else if n > 0 {
		l.log.Log(ctx, LevelEvent, "old runs were removed from the ledger", "runs", n)
	}
}
