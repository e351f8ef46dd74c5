package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// finishPartition gives a partition that is filled its primary key, its spatial
// indexes and its statistics, and attaches it to the staging table, all in the
// transaction that has filled it: a partition that is there is complete.
func (l *load) finishPartition(ctx context.Context, tx pgx.Tx, p Table, c Chunk) error {
	job := l.plan.Job
	if err := setLocal(ctx, tx, l.settings.sortMemory(c.Rows, sortedBox, int64(l.plan.Streams)), oneWorker()); err != nil {
		return err
	}
	exec := func(doing, sql string) error {
		_, err := tx.Exec(ctx, sql)
		return serverError(err, "%s partition %s", doing, p)
	}
	key := keyDef(p, job)
	if err := exec("building the primary key of", "alter table "+p.sql()+" add constraint "+pgx.Identifier{key.name}.Sanitize()+" primary key "+key.using); err != nil {
		return err
	}
	if same, err := builtOver(ctx, tx, p.Schema, key.name, c.Rows); err != nil {
		return err
	} else if !same {
		return fmt.Errorf("the primary key of partition %s was not built over its %d rows", p, c.Rows)
	}
	for _, d := range append(spatialDefs(p, job, l.index), l.others...) {
		if err := exec("building an index by "+d.am+" "+d.using+" of", d.create(p)); err != nil {
			return err
		}
	}
	if err := exec("analyzing", "analyze "+p.sql()); err != nil {
		return err
	}
	from, to := l.plan.bounds(c)
	return exec("attaching", fmt.Sprintf("alter table %s attach partition %s for values from (%d) to (%d)", l.staging.sql(), p.sql(), from, to))
}

// analyzePartitioned gathers the statistics of a partitioned table as a whole.
// ANALYZE by itself would do each partition again: it is told to leave out what
// is locked, and they are, for a moment that readers and writers do not notice.
// The partitions are read for the sample all the same.
func (l *load) analyzePartitioned(ctx context.Context, t relation) error {
	parts, err := t.partitions(ctx, l.pool)
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		lock := "lock table "
		for i, p := range parts {
			if i > 0 {
				lock += ", "
			}
			lock += "only " + p.sql()
		}
		if _, err := tx.Exec(ctx, lock+" in share update exclusive mode"); err != nil {
			return err
		}
		return l.exec(ctx, "analyze (skip_locked) "+t.sql())
	})
	return serverError(err, "analyzing %s", t.Table)
}

// partition is a partition as the catalogue has it.
type partition struct {
	Table
	oid      uint32
	bounds   string // for values ...
	from, to *int64 // nil: not a range of whole numbers, or open on this side
}

// partitions returns the partitions of a table, in the order of their ranges.
func (t relation) partitions(ctx context.Context, q querier) ([]partition, error) {
	rows, err := q.Query(ctx, `
		select oid, schema_name, name, bounds, (regexp_match(bounds, '^FOR VALUES FROM \(''?(-?\d+)''?\)'))[1]::bigint as from_id,
		       (regexp_match(bounds, ' TO \(''?(-?\d+)''?\)$'))[1]::bigint
		from (select c.oid, n.nspname as schema_name, c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bounds
		      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
		      where i.inhparent = $1) p
		order by from_id nulls first`, t.oid)
	if err != nil {
		return nil, serverError(err, "looking for the partitions of %s", t.Table)
	}
	parts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p partition, err error) {
		err = row.Scan(&p.oid, &p.Schema, &p.Name, &p.bounds, &p.from, &p.to)
		return p, err
	})
	return parts, serverError(err, "looking for the partitions of %s", t.Table)
}
