package loader

import (
	"context"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/copier"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// copyRows copies the chunks that are not committed yet into the staging table.
func copyRows(ctx context.Context, e *environment, s preparation, a attempt) (copied copier.Result, err error) {
	c := copier.Copier{Pool: e.pool, Observer: e.observer, Ledger: e.ledger, Plan: a.plan, Loader: a.loader,
		Run: a.run, Staging: a.staging, Done: a.done}

	err = e.observer.Stage(ctx, progress.StageLoad, a.plan.Rows, s.lock.WithHeartbeat(func(ctx context.Context) (err error) {
		e.observer.Progress.Skip(a.rows)
		copied, err = c.Copy(ctx)

		return err
	}))

	return copied, err
}

// finish builds what the staging table lacks: as much as its loader has left, and as its
// publish strategy needs.
func finish(ctx context.Context, e *environment, s preparation, a attempt, copied copier.Result) error {
	b := build.Builder{Pool: e.pool, Observer: e.observer, Ledger: e.ledger, Settings: s.settings,
		Plan: a.plan, Run: a.run, Staging: copied.Staging,
		Work: s.checked.Strategy.Needs(a.loader.Left(len(a.done) > 0))}

	if err := e.observer.Stage(ctx, progress.StageFreeze, a.plan.Rows, s.lock.WithHeartbeat(b.Freeze)); err != nil {
		return err
	}

	if err := e.observer.Stage(ctx, progress.StageIndex, a.plan.Rows, s.lock.WithHeartbeat(b.Index)); err != nil {
		return err
	}

	return e.observer.Stage(ctx, progress.StageAnalyze, 0, s.lock.WithHeartbeat(b.Analyze))
}

// publishTable makes the finished table visible. It returns how many rows were there
// already.
func publishTable(ctx context.Context, e *environment, s preparation, a attempt, copied copier.Result) (skipped int64, err error) {
	staged := publish.Staged{Relation: copied.Staging, Layout: a.loader.Layout(), Plan: a.plan, Run: a.run, Index: s.checked.Index,
		Settings: s.settings, ProgramVersion: e.options.Version}

	p := publish.Publisher{Pool: e.pool, Lock: s.lock, Observer: e.observer, Ledger: e.ledger,
		Target: s.checked.Target, Strategy: s.checked.Strategy, Staged: staged,
		For: e.options.PublishFor, CountRows: e.options.SkipUnchanged, ModifiedBefore: s.unchanged.ModifiedBefore}

	err = e.observer.Stage(ctx, progress.StagePublish, 0, func(ctx context.Context) (err error) {
		if skipped, err = p.Publish(ctx); err == nil {
			pruneRuns(ctx, e, s)
		}

		return err
	})

	return skipped, err
}

// pruneRuns removes old runs of the table from the ledger. It is best effort: the
// table is published, and the next run tries again.
func pruneRuns(ctx context.Context, e *environment, s preparation) {
	if e.options.PruneRuns == 0 {
		return
	}

	n, err := e.ledger.Prune(ctx, s.lock.Conn(), s.table.Table, e.options.PruneRuns)
	if err != nil {
		e.observer.Log.Warn("old runs of the table are still in the ledger", "error", pg.Message(err))
	} else if n > 0 {
		e.observer.Event(ctx, "old runs were removed from the ledger", "runs", n)
	}
}
