package loader

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// swapPartitions puts the partitions of the staging table under the parent
// that is there, in place of its partitions or beside them: the parent stays,
// and with it views, grants and foreign keys.
func (l *load) swapPartitions(ctx context.Context, tx pgx.Tx) error {
	old, err := l.target.Partitions(ctx, tx)
	if err != nil {
		return err
	}
	first := len(old) // the number of the first new partition
	if l.plan.Job.IfExists == job.Replace {
		first = 0
		if err := l.retireOld(ctx, tx); err != nil {
			return err
		}
		if err := l.alignIndexes(ctx, tx); err != nil {
			return err
		}
	}
	parts, err := l.staging.Partitions(ctx, tx)
	if err != nil {
		return err
	}
	var sql []string
	for _, p := range parts {
		sql = append(sql, "alter table "+l.staging.SQL()+" detach partition "+p.SQL())
	}
	sql = append(sql, "drop table "+l.staging.SQL())
	for _, p := range parts {
		sql = append(sql, "alter table "+l.target.SQL()+" attach partition "+p.SQL()+" "+p.Bounds)
	}
	if _, err := tx.Exec(ctx, strings.Join(sql, "; ")); err != nil {
		return pg.Wrap(err, "moving %d partitions to table %s", len(parts), l.target)
	}
	if err := l.renamePartitions(ctx, tx, parts, first); err != nil {
		return err
	}
	if err := l.target.SetPartitionOwner(ctx, tx); err != nil {
		return err
	}
	return l.commentKey(ctx, tx)
}

func (l *load) dropPartitions(ctx context.Context, tx pgx.Tx) error {
	old, err := l.target.Partitions(ctx, tx)
	if err != nil || len(old) == 0 {
		return err
	}
	names := make([]string, len(old))
	for i, p := range old {
		names[i] = p.SQL()
	}
	_, err = tx.Exec(ctx, "drop table "+strings.Join(names, ", "))
	return pg.Wrap(err, "dropping the old partitions of table %s", l.target)
}

// alignIndexes gives the parent, which has no partitions at this moment, the
// spatial indexes that the job asks for, and takes away those that an earlier
// job has asked for: attaching a partition builds what the parent has and it
// has not.
func (l *load) alignIndexes(ctx context.Context, tx pgx.Tx) error {
	have, err := l.target.SpatialIndexes(ctx, tx, l.plan.Job.GeomColumn)
	if err != nil {
		return err
	}
	var sql []string
	wanted := map[string]bool{}
	for _, d := range catalog.SpatialIndexes(l.target.Table, l.plan.Job, l.index) {
		wanted[d.Method] = true
		if have[d.Method] == nil {
			sql = append(sql, d.CreateSQL(l.target.Table))
		}
	}
	for _, d := range catalog.SpatialIndexes(l.target.Table, l.plan.Job, job.IndexBoth) {
		for _, name := range have[d.Method] {
			if !wanted[d.Method] && name == d.Name {
				sql = append(sql, "drop index "+catalog.QuoteTable(job.Table{Schema: l.target.Schema, Name: name}))
			}
		}
	}
	if len(sql) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, strings.Join(sql, "; "))
	return pg.Wrap(err, "giving table %s the indexes of the job", l.target)
}

// namePartitions gives the staging table's partitions their names, numbered from
// first on.
func (l *load) namePartitions(ctx context.Context, tx pgx.Tx, first int) error {
	parts, err := l.staging.Partitions(ctx, tx)
	if err != nil {
		return err
	}
	return l.renamePartitions(ctx, tx, parts, first)
}

// renamePartitions names partitions and their indexes after the table, and gives them back
// to autovacuum. They keep the check of their bounds, so that they can be attached
// to another table, to be kept and to come back, without being read.
func (l *load) renamePartitions(ctx context.Context, tx pgx.Tx, parts []catalog.Partition, first int) error {
	labels, err := catalog.IndexLabels(ctx, tx, parts)
	if err != nil {
		return err
	}
	names, err := l.freeNames(ctx, tx, len(parts), first, labels)
	if err != nil {
		return err
	}
	var sql []string
	for i, p := range parts {
		sql = append(sql, "alter table "+p.SQL()+" reset (autovacuum_enabled)")
		rename := func(kind, old, name string) {
			sql = append(sql, fmt.Sprintf("alter %s %s rename to %s", kind, catalog.QuoteTable(job.Table{Schema: p.Schema, Name: old}), pgx.Identifier{name}.Sanitize()))
		}
		rename("table", p.Name, names[i].Name)
		for k, label := range labels[i] {
			rename("index", p.Name+"_"+label, catalog.PartitionIndex(names[i].Name, label, k))
		}
	}
	_, err = tx.Exec(ctx, strings.Join(sql, "; "))
	return pg.Wrap(err, "naming the partitions of table %s", l.target)
}

// freeNames returns n names after that of the table, numbered from first on, or
// from the next number from which on they and those of their indexes, with these
// labels for each, are free.
func (l *load) freeNames(ctx context.Context, tx pgx.Tx, n, first int, labels [][]string) ([]job.Table, error) {
	for ; ; first += n {
		width := len(strconv.Itoa(first + n - 1))
		names := make([]job.Table, n)
		var all []string
		for i := range names {
			names[i] = job.Table{Schema: l.target.Schema, Name: catalog.ObjectName(l.target.Name, "", fmt.Sprintf("p%0*d", width, first+i))}
			all = append(all, names[i].Name)
			if labels != nil {
				for k, label := range labels[i] {
					all = append(all, catalog.PartitionIndex(names[i].Name, label, k))
				}
			}
		}
		var taken bool
		err := tx.QueryRow(ctx, `
			select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
			where n.nspname = $1 and c.relname = any($2))`, l.target.Schema, all).Scan(&taken)
		if err != nil || !taken {
			return names, pg.Wrap(err, "looking for names that are taken in schema %s", l.target.Schema)
		}
	}
}
