// Package attempts owns what the ledger learns of an attempt at a job: how it ends, and, where
// several processes share jobs, whose it is and what the others have done.
package attempts

import (
	"context"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Attempt is one attempt at a run.
type Attempt struct {
	Run  int64
	No   int   // 0 until it is in the ledger
	Rows int64 // that it has copied and committed
}

// End writes down how an attempt has ended. It is best effort: what becomes of the run does
// not depend on it.
func End(ctx context.Context, q pg.Querier, o *observe.Observer, l ledger.Ledger, a Attempt, outcome ledger.Outcome, cause error) {
	if a.No == 0 {
		return
	}

	end := ledger.Attempt{No: a.No, Outcome: outcome, Rows: a.Rows, StageSeconds: o.Progress.Seconds()}
	for _, seconds := range end.StageSeconds {
		end.Seconds += seconds
	}

	end.Retries, end.RecentRetries = o.Retries()
	if cause != nil {
		end.SQLState, end.Error = pg.SQLState(cause), sqltext.OneLine(cause.Error())
	}

	if err := l.EndAttempt(ctx, q, a.Run, end); err != nil {
		o.Log.Debug("the ledger has no record of how this attempt ended", "error", pg.Message(err))
	}
}
