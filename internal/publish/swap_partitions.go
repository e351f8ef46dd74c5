package publish

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// SwapPartitions puts the partitions of the staging table under the parent that is
// there, and retires those that it has: the parent stays, and with it views, grants and
// foreign keys.
type SwapPartitions struct {
	Target target.Target
	Ledger ledger.Ledger
}

// Needs is no statistics: the partitions have theirs, and the parent is the one that is
// there.
func (t SwapPartitions) Needs(w build.Work) build.Work {
	w.Analyze = false
	return w
}

// AnalyzeParent gathers the statistics of the parent.
func (t SwapPartitions) AnalyzeParent(ctx context.Context, pool *pgxpool.Pool) error {
	return build.AnalyzePartitioned(ctx, pool, t.Target.Relation)
}

// Lock keeps everybody else from the table.
func (t SwapPartitions) Lock(ctx context.Context, tx pgx.Tx) error {
	return t.Target.LockToReplace(ctx, tx)
}

// Apply retires the old partitions, gives the parent the indexes of the job, and
// attaches the new ones.
func (t SwapPartitions) Apply(ctx context.Context, tx pgx.Tx, s Staged) (Applied, error) {
	applied := Applied{OID: t.Target.OID, Version: s.Run}

	if err := t.retire(ctx, tx, s.Plan.Job.Keep); err != nil {
		return applied, err
	}

	if err := alignIndexes(ctx, tx, t.Target.Relation, s.Plan.Job, s.Index); err != nil {
		return applied, err
	}

	return applied, attach(ctx, tx, t.Ledger, t.Target.Relation, s, 0)
}

// retire drops the partitions of the table, or keeps them as a version.
func (t SwapPartitions) retire(ctx context.Context, tx pgx.Tx, keep int) error {
	if keep > 0 {
		return keepShown(ctx, tx, t.Ledger, t.Target.Relation, archivePartitions)
	}

	old, err := t.Target.Partitions(ctx, tx)
	if err != nil || len(old) == 0 {
		return err
	}

	names := make([]string, len(old))
	for i, p := range old {
		names[i] = p.SQL()
	}

	_, err = tx.Exec(ctx, "drop table "+strings.Join(names, ", "))

	return pg.Wrap(err, "dropping the old partitions of table %s", t.Target)
}

// alignIndexes gives a parent, which has no partitions at this moment, the
// spatial indexes that a job asks for, and takes away those that an earlier
// job has asked for: attaching a partition builds what the parent has and it
// has not.
func alignIndexes(ctx context.Context, tx pgx.Tx, t catalog.Relation, j job.Job, index job.Index) error {
	have, err := t.SpatialIndexNames(ctx, tx, j.GeomColumn)
	if err != nil {
		return err
	}

	var sql []string
	wanted := map[string]bool{}

	for _, d := range catalog.SpatialIndexes(t.Table, j, index) {
		wanted[d.Method] = true
		if have[d.Method] == nil {
			sql = append(sql, d.CreateSQL(t.Table))
		}
	}

	for _, d := range catalog.SpatialIndexes(t.Table, j, job.IndexBoth) {
		for _, name := range have[d.Method] {
			if !wanted[d.Method] && name == d.Name {
				sql = append(sql, "drop index "+catalog.QuoteTable(job.Table{Schema: t.Schema, Name: name}))
			}
		}
	}

	if len(sql) == 0 {
		return nil
	}

	_, err = tx.Exec(ctx, strings.Join(sql, "; "))

	return pg.Wrap(err, "giving table %s the indexes of the job", t)
}
