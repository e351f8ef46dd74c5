package publish

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// SwapPartitions replaces the partitions of the existing parent by those of the staging table. The parent stays,
// with its views, grants and foreign keys.
type SwapPartitions struct {
	Target target.Target
	Ledger ledger.Ledger
}

// Needs returns no statistics: the partitions have their own, and the parent is the existing one.
func (t SwapPartitions) Needs(w build.Work) build.Work {
	w.Analyze = false
	return w
}

// AnalyzeParent gathers the statistics of the parent.
func (t SwapPartitions) AnalyzeParent(ctx context.Context, pool *pgxpool.Pool) error {
	return build.AnalyzePartitioned(ctx, pool, t.Target.Relation)
}

// Prepare detaches the new partitions from the staging table without blocking readers. They get their names
// later, because the old ones still have them.
func (t SwapPartitions) Prepare(ctx context.Context, tx pgx.Tx, s Staged) (Staged, error) {
	return s.takeOut(ctx, tx, t.Ledger)
}

// Lock blocks everybody else.
func (t SwapPartitions) Lock(ctx context.Context, tx pgx.Tx) error {
	return t.Target.LockToReplace(ctx, tx)
}

// Apply removes the old partitions, gives the parent the indexes of the job, and attaches the new partitions.
func (t SwapPartitions) Apply(ctx context.Context, tx pgx.Tx, s Staged) (Applied, error) {
	applied := Applied{OID: t.Target.OID, Version: s.Run}

	if err := t.retire(ctx, tx, s.Plan.Job); err != nil {
		return applied, err
	}

	if err := t.Target.AlignIndexes(ctx, tx, s.Plan.Job, s.Index); err != nil {
		return applied, err
	}

	return applied, attach(ctx, tx, t.Ledger, t.Target.Relation, s, 0)
}

// retire drops the partitions of the table, or keeps them as a version.
func (t SwapPartitions) retire(ctx context.Context, tx pgx.Tx, j job.Job) error {
	if j.Keep > 0 {
		return keepShown(ctx, tx, t.Ledger, t.Target.Relation, j, archivePartitions)
	}

	old, err := t.Target.Partitions(ctx, tx)
	if err != nil || len(old) == 0 {
		return err
	}

	drop := make([]string, len(old))
	for i, p := range old {
		drop[i] = "drop table " + p.SQL()
	}

	err = pipeline.Exec(ctx, tx, drop...)

	return pg.Wrap(err, "dropping the old partitions of table %s", t.Target)
}
