// Package attempts owns what the ledger records about an attempt at a job: how it ends and, when
// several processes share jobs, which process made it and what the others did.
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
	Rows int64 // rows that it copied and committed
}

// End records how an attempt ended. It is best effort: the run does not depend on it.
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
