package loader

import (
	"context"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// pruneRuns removes old runs of the table from the ledger. It is best effort: the
// table is published, and the next run tries again.
func (l *load) pruneRuns(ctx context.Context) {
	if l.options.PruneRuns == 0 {
		return
	}
	n, err := l.ledger.Prune(ctx, l.lock.conn, l.target.Table, l.options.PruneRuns)
	if err != nil {
		l.log.Warn("old runs of the table are still in the ledger", "error", pg.Message(err))
	} else if n > 0 {
		l.log.Log(ctx, LevelEvent, "old runs were removed from the ledger", "runs", n)
	}
}
