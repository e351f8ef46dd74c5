// Package publish makes the finished table visible to readers. It has five strategies for that, keeps previous
// versions of the table, and can roll back to one of them.
package publish

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/hook"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/internal/unchanged"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// DefaultFor is the default time to wait for readers to release the table.
const DefaultFor = 10 * time.Minute

// lockTimeout is how long publishing lets readers queue behind it before it gives up the lock and tries again
// later.
const lockTimeout = 2 * time.Second

func lockSetting() setting.Parameter {
	return setting.Parameter{Name: "lock_timeout", Value: fmt.Sprint(lockTimeout.Milliseconds())}
}

// Publisher publishes a staging table.
type Publisher struct {
	Pool     *pgxpool.Pool
	Lock     *tablelock.Lock // lock of the table
	Observer *observe.Observer
	Ledger   ledger.Ledger
	Target   target.Target
	Strategy Strategy
	Staged   Staged

	// For is how long to wait for others to release the table.
	For time.Duration
	// CountRows records how many rows the table has if anybody except the run has written to it. ModifiedBefore
	// is true if somebody did so before the run. See unchanged.Record.
	CountRows, ModifiedBefore bool
	// Spread is true if the table has rows on other nodes of a Citus cluster.
	Spread bool
}

// Publish makes the finished table visible, in one transaction together with its state in the ledger. Readers see
// either the previous table or all of the new one. It runs on the connection that holds the table's lock, so a
// run that has lost the lock cannot publish. It returns how many rows existed already.
func (p Publisher) Publish(ctx context.Context) (skipped int64, err error) {
	err = p.Observer.Retry(ctx, p.For, "publish", func() error {
		if err := p.Lock.Ensure(ctx); err != nil {
			return err
		}

		// An earlier try may have been committed although its answer was lost.
		run, found, err := p.Ledger.Find(ctx, p.Lock.Conn(), p.Staged.Run)
		switch {
		case err != nil:
			return err
		case !found || run.State == ledger.StateDropped:
			return fmt.Errorf("run %d was dropped from the ledger in the meantime", p.Staged.Run)
		case run.State == ledger.StatePublished:
			return nil
		}

		return p.publishTx(ctx, &skipped)
	})
	if err == nil {
		p.settle(ctx)
	}

	return skipped, err
}

// publishTx tries to publish once.
func (p Publisher) publishTx(ctx context.Context, skipped *int64) error {
	err := pgx.BeginFunc(ctx, p.Lock.Conn(), func(tx pgx.Tx) error {
		// On all nodes: behind a reader on one of them, readers on this server would queue just as long.
		if err := distribution.SetLocal(ctx, tx, p.Spread, lockSetting()); err != nil {
			return err
		}

		if err := p.Target.CheckSame(ctx, tx); err != nil {
			return err
		}

		s, err := p.Strategy.Prepare(ctx, tx, p.Staged)
		if err != nil {
			return err
		}

		if err := p.Strategy.Lock(ctx, tx); err != nil {
			return err
		}

		applied, err := p.Strategy.Apply(ctx, tx, s)
		if err == nil || applied.Inserted { // an earlier try may be the committed one
			*skipped = applied.Skipped
		}

		if err != nil {
			return err
		}

		if applied.Version == s.Run {
			if err := p.Ledger.MarkReplaced(ctx, tx, p.Target.Table); err != nil {
				return err
			}
		}

		// Before the hook, which may ask for the table's grid.
		err = p.Ledger.MarkPublished(ctx, tx, s.Run, applied.OID, applied.Version, s.Plan.Rows-applied.Skipped, p.Spread)
		if err != nil {
			return err
		}

		if err := p.Ledger.RecordMark(ctx, tx, s.Run, applied.OID); err != nil {
			return err
		}

		return p.runHook(ctx, tx, applied)
	})

	return pg.Wrap(pg.MarkConnClosed(p.Lock.Conn().Conn(), err), "publishing table %s", p.Target)
}

// runHook runs the After hook, and records how it leaves the table.
func (p Publisher) runHook(ctx context.Context, tx pgx.Tx, applied Applied) error {
	shown := p.Target.Relation
	shown.OID = applied.OID

	hookWrote, err := hook.RunAfter(ctx, tx, p.Staged.Plan.Job.AfterHook(), shown, p.Lock, lockSetting())
	if err != nil {
		return err
	}

	// Rows that a hook writes to other nodes are not counted here.
	hookWrote = hookWrote || p.Spread && p.Staged.Plan.Job.After != ""

	return unchanged.Record(ctx, tx, p.Ledger, p.Staged.Run, shown, unchanged.Change{
		Wrote:     hookWrote || p.Staged.Plan.Rows > applied.Skipped,
		HookWrote: hookWrote,
		// Readers may wait meanwhile, so count only for jobs that check the number the next time.
		CountRows:   p.CountRows && (hookWrote || p.ModifiedBefore || p.Spread),
		Distributed: p.Spread,
	})
}

// settle does work for which readers need not wait. It is best effort, because the table is published.
func (p Publisher) settle(ctx context.Context) {
	hook.ResetSession(ctx, p.Pool, p.Lock, p.Observer.Log)

	if err := p.Strategy.AnalyzeParent(ctx, p.Pool); err != nil {
		warnStatistics(p.Observer, err)
	}

	if keep := p.Staged.Plan.Job.Keep; keep > 0 {
		p.dropOldVersions(ctx, keep)
	}
}

func warnStatistics(o *observe.Observer, err error) {
	o.Log.Warn("the table is published, but its overall statistics are outdated: run ANALYZE on it", "error", pg.Message(err))
}
