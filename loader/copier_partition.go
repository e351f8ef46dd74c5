package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// finishPartition gives a partition that is filled its primary key, its spatial
// appendIndexes and its statistics, and attaches it to the staging table, all in the
// transaction that has filled it: a partition that is there is complete.
func (l *load) finishPartition(ctx context.Context, tx pgx.Tx, p job.Table, c plan.Chunk) error {
	job := l.plan.Job
	if err := pg.SetLocal(ctx, tx, l.settings.SortMemory(c.Rows, catalog.SortedBox, int64(l.plan.Streams)), pg.OneWorker()); err != nil {
		return err
	}
	exec := func(doing, sql string) error {
		_, err := tx.Exec(ctx, sql)
		return pg.Wrap(err, "%s partition %s", doing, p)
	}
	key := catalog.KeyIndex(p, job)
	if err := exec("building the primary key of", "alter table "+catalog.QuoteTable(p)+" add constraint "+pgx.Identifier{key.Name}.Sanitize()+" primary key "+key.Using); err != nil {
		return err
	}
	if same, err := catalog.BuiltOver(ctx, tx, p.Schema, key.Name, c.Rows); err != nil {
		return err
	} else if !same {
		return fmt.Errorf("the primary key of partition %s was not built over its %d rows", p, c.Rows)
	}
	for _, d := range append(catalog.SpatialIndexes(p, job, l.index), l.others...) {
		if err := exec("building an index by "+d.Method+" "+d.Using+" of", d.CreateSQL(p)); err != nil {
			return err
		}
	}
	if err := exec("analyzing", "analyze "+catalog.QuoteTable(p)); err != nil {
		return err
	}
	from, to := l.plan.Bounds(c)
	return exec("attaching", fmt.Sprintf("alter table %s attach partition %s for values from (%d) to (%d)", l.staging.SQL(), catalog.QuoteTable(p), from, to))
}

// analyzePartitioned gathers the statistics of a partitioned table as a whole.
// ANALYZE by itself would do each partition again: it is told to leave out what
// is locked, and they are, for a moment that readers and writers do not notice.
// The partitions are read for the sample all the same.
func (l *load) analyzePartitioned(ctx context.Context, t catalog.Relation) error {
	parts, err := t.Partitions(ctx, l.pool)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		lock := "lock table "
		for i, p := range parts {
			if i > 0 {
				lock += ", "
			}
			lock += "only " + p.SQL()
		}
		if _, err := tx.Exec(ctx, lock+" in share update exclusive mode"); err != nil {
			return err
		}
		return l.exec(ctx, "analyze (skip_locked) "+t.SQL())
	})
	return pg.Wrap(err, "analyzing %s", t.Table)
}
