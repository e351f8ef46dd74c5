package discard

import (
	"context"
	"time"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// OldRuns removes runs of a table that ended more than age ago from the ledger, and none if age is
// 0. It is best effort: the table is published, and the next run tries again.
func OldRuns(ctx context.Context, q pg.Querier, o *observe.Observer, l ledger.Ledger, t job.Table, age time.Duration) {
	if age == 0 {
		return
	}

	n, err := l.Prune(ctx, q, t, age)
	if err != nil {
		o.Log.Warn("old runs of the table are still in the ledger", "error", pg.Message(err))
	} else if n > 0 {
		o.Event(ctx, "old runs were removed from the ledger", "runs", n)
	}
}
