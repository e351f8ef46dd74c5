package loader

import (
	"context"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/copier"
	"github.com/loadgrid/loadgrid/internal/discard"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/internal/settle"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// copyRows copies the uncommitted chunks into the staging table.
func copyRows(ctx context.Context, e *environment, s preparation, a attempt) (copied copier.Result, err error) {
	c := copier.Copier{Pool: e.pool, Observer: e.observer, Ledger: e.ledger, Plan: a.plan, Loader: a.loader,
		Run: a.run, Staging: a.staging, Done: a.done, Spread: s.checked.Spread}

	err = e.observer.Stage(ctx, progress.StageLoad, a.plan.Rows, s.lock.WithHeartbeat(func(ctx context.Context) (err error) {
		e.observer.Progress.Skip(a.rows)
		if copied, err = c.Copy(ctx); err != nil {
			return err
		}

		return settle.Nodes(ctx, e.pool, e.observer, s.checked.Spread)
	}))

	return copied, err
}

// finish builds what the staging table still lacks after copying and what the publish strategy needs.
func finish(ctx context.Context, e *environment, s preparation, a attempt, copied copier.Result) error {
	b := build.Builder{Pool: e.pool, Observer: e.observer, Ledger: e.ledger, Settings: s.settings,
		Plan: a.plan, Run: a.run, Staging: copied.Staging, Settle: func(ctx context.Context) error { return settle.Nodes(ctx, e.pool, e.observer, s.checked.Spread) },
		Work: s.checked.Strategy.Needs(a.loader.Left(len(a.done) > 0))}

	if err := e.observer.Stage(ctx, progress.StageFreeze, a.plan.Rows, s.lock.WithHeartbeat(b.Freeze)); err != nil {
		return err
	}

	if err := e.observer.Stage(ctx, progress.StageIndex, a.plan.Rows, s.lock.WithHeartbeat(b.Index)); err != nil {
		return err
	}

	return e.observer.Stage(ctx, progress.StageAnalyze, 0, s.lock.WithHeartbeat(func(ctx context.Context) error {
		if err := b.Analyze(ctx); err != nil {
			return err
		}

		return settle.Nodes(ctx, e.pool, e.observer, s.checked.Spread)
	}))
}

// publishTable makes the finished table visible. It returns how many rows were in the table already.
func publishTable(ctx context.Context, e *environment, s preparation, a attempt, copied copier.Result) (skipped int64, err error) {
	staged := publish.Staged{Relation: copied.Staging, Layout: a.loader.Layout(), Plan: a.plan, Run: a.run, Index: s.checked.Index,
		Settings: s.settings, ProgramVersion: e.options.Version}

	p := publish.Publisher{Pool: e.pool, Lock: s.lock, Observer: e.observer, Ledger: e.ledger,
		Target: s.checked.Target, Strategy: s.checked.Strategy, Staged: staged,
		For: e.options.PublishFor, CountRows: e.options.SkipUnchanged, ModifiedBefore: s.unchanged.ModifiedBefore, Spread: s.checked.Spread}

	err = e.observer.Stage(ctx, progress.StagePublish, 0, func(ctx context.Context) (err error) {
		if skipped, err = p.Publish(ctx); err != nil {
			return err
		}

		discard.OldRuns(ctx, s.lock.Conn(), e.observer, e.ledger, s.table.Table, e.options.PruneRuns)

		return settle.Published(ctx, e.pool, e.observer, e.ledger, a.run, s.checked.Spread)
	})

	return skipped, err
}
