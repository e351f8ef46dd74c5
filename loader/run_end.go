package loader

import (
	"context"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// recordAttemptEnd writes down how this start has ended. It is best effort: what becomes of the
// run does not depend on it.
func (l *load) recordAttemptEnd(ctx context.Context, outcome string, cause error) {
	if l.attempt == 0 {
		return
	}
	s := ledger.Attempt{No: l.attempt, Outcome: outcome, Rows: l.rowsCopied.Load(), StageSeconds: l.progress.Seconds()}
	for _, seconds := range s.StageSeconds {
		s.Seconds += seconds
	}
	s.Retries, s.RecentRetries = l.retries.all()
	if cause != nil {
		s.SQLState, s.Error = pg.SQLState(cause), sqltext.OneLine(cause.Error())
	}
	if err := l.ledger.EndAttempt(ctx, l.pool, l.run, s); err != nil {
		l.log.Debug("the ledger does not know how this start ended", "error", pg.Message(err))
	}
}
