package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
)

// findAlive sets RunInfo.Alive of unfinished runs. A run is alive if a process holds its table and the ledger has
// no end of its last attempt.
func (l *Ledger) findAlive(ctx context.Context, pool *pgxpool.Pool, runs []RunInfo) error {
	var tables []job.Table
	for _, r := range runs {
		if r.State == StateLoading {
			tables = append(tables, r.Table)
		}
	}
	if len(tables) == 0 {
		return nil
	}

	holders, err := tablelock.Holders(ctx, pool, tables)
	if err != nil {
		return err
	}

	var unheld []RunInfo
	at := make(map[int64]*RunInfo)
	for i, r := range runs {
		if r.State != StateLoading {
			continue
		}

		holder, held := holders[r.Table]
		alive := held && !holder.Gone && isOpen(r)
		runs[i].Alive = &alive

		if !held && isOpen(r) {
			unheld, at[r.ID] = append(unheld, r), &runs[i]
		}
	}

	return l.lookAgain(ctx, pool, unheld, at)
}

// isOpen reports whether the ledger has no end of the run's last attempt.
func isOpen(r RunInfo) bool { return r.LastAttempt().EndedAt == nil }

// lookAgain reads runs again that seem to have been killed. Between reading the ledger and reading the locks,
// they may have ended, or a new attempt may have begun.
func (l *Ledger) lookAgain(ctx context.Context, pool *pgxpool.Pool, runs []RunInfo, at map[int64]*RunInfo) error {
	if len(runs) == 0 {
		return nil
	}

	now, err := l.ledger.Again(ctx, pool, runs)
	if err != nil {
		return err
	}

	for _, r := range now {
		before := at[r.ID]
		r.Job = before.Job // may include the area
		if r.State == StateLoading {
			alive := isOpen(r) && r.LastAttempt().No > before.LastAttempt().No
			r.Alive = &alive
		}

		*before = r
	}

	return nil
}
