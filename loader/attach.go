package loader

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// swapPartitions puts the partitions of the staging table under the parent
// that is there, in place of its partitions or beside them: the parent stays,
// and with it views, grants and foreign keys.
func (l *load) swapPartitions(ctx context.Context, tx pgx.Tx) error {
	old, err := l.target.partitions(ctx, tx)
	if err != nil {
		return err
	}
	first := len(old) // the number of the first new partition
	if l.plan.Job.IfExists == Replace {
		first = 0
		if err := l.retireOld(ctx, tx); err != nil {
			return err
		}
		if err := l.alignIndexes(ctx, tx); err != nil {
			return err
		}
	}
	parts, err := l.staging.partitions(ctx, tx)
	if err != nil {
		return err
	}
	var sql []string
	for _, p := range parts {
		sql = append(sql, "alter table "+l.staging.sql()+" detach partition "+p.sql())
	}
	sql = append(sql, "drop table "+l.staging.sql())
	for _, p := range parts {
		sql = append(sql, "alter table "+l.target.sql()+" attach partition "+p.sql()+" "+p.bounds)
	}
	if _, err := tx.Exec(ctx, strings.Join(sql, "; ")); err != nil {
		return serverError(err, "moving %d partitions to table %s", len(parts), l.target)
	}
	if err := l.renamePartitions(ctx, tx, parts, first); err != nil {
		return err
	}
	if err := l.target.setPartitionOwner(ctx, tx); err != nil {
		return err
	}
	return l.commentKey(ctx, tx)
}

func (l *load) dropPartitions(ctx context.Context, tx pgx.Tx) error {
	old, err := l.target.partitions(ctx, tx)
	if err != nil || len(old) == 0 {
		return err
	}
	names := make([]string, len(old))
	for i, p := range old {
		names[i] = p.sql()
	}
	_, err = tx.Exec(ctx, "drop table "+strings.Join(names, ", "))
	return serverError(err, "dropping the old partitions of table %s", l.target)
}

// alignIndexes gives the parent, which has no partitions at this moment, the
// spatial indexes that the job asks for, and takes away those that an earlier
// job has asked for: attaching a partition builds what the parent has and it
// has not.
func (l *load) alignIndexes(ctx context.Context, tx pgx.Tx) error {
	have, err := l.target.spatialIndexes(ctx, tx, l.plan.Job.GeomColumn)
	if err != nil {
		return err
	}
	var sql []string
	wanted := map[string]bool{}
	for _, d := range spatialDefs(l.target.Table, l.plan.Job, l.index) {
		wanted[d.am] = true
		if have[d.am] == nil {
			sql = append(sql, d.create(l.target.Table))
		}
	}
	for _, d := range spatialDefs(l.target.Table, l.plan.Job, IndexBoth) {
		for _, name := range have[d.am] {
			if !wanted[d.am] && name == d.name {
				sql = append(sql, "drop index "+Table{l.target.Schema, name}.sql())
			}
		}
	}
	if len(sql) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, strings.Join(sql, "; "))
	return serverError(err, "giving table %s the indexes of the job", l.target)
}

// spatialIndexes returns the names of the indexes on the geometry alone, by
// access method.
func (t relation) spatialIndexes(ctx context.Context, q querier, column string) (map[string][]string, error) {
	rows, err := q.Query(ctx, `
		select m.amname, c.relname from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
		join pg_attribute a on a.attrelid = i.indrelid and a.attname = $2
		where i.indrelid = $1 and i.indnatts = 1 and i.indkey[0] = a.attnum and i.indpred is null order by c.oid`, t.oid, column)
	if err != nil {
		return nil, serverError(err, "looking for the indexes of table %s", t.Table)
	}
	have := make(map[string][]string)
	var am, name string
	_, err = pgx.ForEachRow(rows, []any{&am, &name}, func() error {
		have[am] = append(have[am], name)
		return nil
	})
	return have, serverError(err, "looking for the indexes of table %s", t.Table)
}

// setPartitionOwner gives all partitions the owner of their parent.
func (t relation) setPartitionOwner(ctx context.Context, tx pgx.Tx) error {
	var sql *string
	err := tx.QueryRow(ctx, `
		select string_agg(format('alter table %I.%I owner to %I', n.nspname, c.relname, pg_get_userbyid(p.relowner)), '; ')
		from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_class c on c.oid = i.inhrelid
		join pg_namespace n on n.oid = c.relnamespace
		where p.oid = $1 and c.relowner <> p.relowner`, t.oid).Scan(&sql)
	if err == nil && sql != nil {
		_, err = tx.Exec(ctx, *sql)
	}
	return serverError(err, "giving the partitions the owner of table %s", t.Table)
}

// namePartitions gives the staging table's partitions their names, numbered from
// first on.
func (l *load) namePartitions(ctx context.Context, tx pgx.Tx, first int) error {
	parts, err := l.staging.partitions(ctx, tx)
	if err != nil {
		return err
	}
	return l.renamePartitions(ctx, tx, parts, first)
}

// renamePartitions names partitions and their indexes after the table, and gives them back
// to autovacuum. They keep the check of their bounds, so that they can be attached
// to another table, to be kept and to come back, without being read.
func (l *load) renamePartitions(ctx context.Context, tx pgx.Tx, parts []partition, first int) error {
	labels, err := indexLabels(ctx, tx, parts)
	if err != nil {
		return err
	}
	names, err := l.freeNames(ctx, tx, len(parts), first, labels)
	if err != nil {
		return err
	}
	var sql []string
	for i, p := range parts {
		sql = append(sql, "alter table "+p.sql()+" reset (autovacuum_enabled)")
		rename := func(kind, old, name string) {
			sql = append(sql, fmt.Sprintf("alter %s %s rename to %s", kind, Table{p.Schema, old}.sql(), pgx.Identifier{name}.Sanitize()))
		}
		rename("table", p.Name, names[i].Name)
		for k, label := range labels[i] {
			rename("index", p.Name+"_"+label, partitionIndex(names[i].Name, label, k))
		}
	}
	_, err = tx.Exec(ctx, strings.Join(sql, "; "))
	return serverError(err, "naming the partitions of table %s", l.target)
}

// indexLabels returns, for each partition, what its indexes are called behind the
// name of the partition. They are looked up: a run that was begun with other
// indexes, or a parent that has more, makes partitions that differ.
func indexLabels(ctx context.Context, tx pgx.Tx, parts []partition) ([][]string, error) {
	var schemas, names []string
	for _, p := range parts {
		schemas, names = append(schemas, p.Schema), append(names, p.Name)
	}
	rows, err := tx.Query(ctx, `
		select u.n, substr(c.relname, length(u.name) + 2)
		from unnest($1::text[], $2::text[]) with ordinality u (schema_name, name, n)
		join pg_namespace s on s.nspname = u.schema_name join pg_class t on t.relnamespace = s.oid and t.relname = u.name
		join pg_index i on i.indrelid = t.oid join pg_class c on c.oid = i.indexrelid and starts_with(c.relname, u.name || '_')
		order by u.n, c.oid`, schemas, names)
	if err != nil {
		return nil, serverError(err, "looking for the indexes of %d partitions", len(parts))
	}
	labels := make([][]string, len(parts))
	var n int
	var label string
	_, err = pgx.ForEachRow(rows, []any{&n, &label}, func() error {
		labels[n-1] = append(labels[n-1], label)
		return nil
	})
	return labels, serverError(err, "looking for the indexes of %d partitions", len(parts))
}

// partitionIndex returns the name of the k-th index of a partition: partition_label.
// Where that is longer than PostgreSQL keeps, the number of the partition, which its
// name ends in, goes to the end together with k: cut off, it would leave all
// partitions with the same names.
func partitionIndex(partition, label string, k int) string {
	if len(partition)+len("_")+len(label) <= maxIdentifier {
		return partition + "_" + label
	}
	at := strings.LastIndexByte(partition, '_')
	return objectName(partition[:at], label, partition[at+1:]+"_"+strconv.Itoa(k))
}

// freeNames returns n names after that of the table, numbered from first on, or
// from the next number from which on they and those of their indexes, with these
// labels for each, are free.
func (l *load) freeNames(ctx context.Context, tx pgx.Tx, n, first int, labels [][]string) ([]Table, error) {
	for ; ; first += n {
		width := len(strconv.Itoa(first + n - 1))
		names := make([]Table, n)
		var all []string
		for i := range names {
			names[i] = Table{l.target.Schema, objectName(l.target.Name, "", fmt.Sprintf("p%0*d", width, first+i))}
			all = append(all, names[i].Name)
			if labels != nil {
				for k, label := range labels[i] {
					all = append(all, partitionIndex(names[i].Name, label, k))
				}
			}
		}
		var taken bool
		err := tx.QueryRow(ctx, `
			select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
			where n.nspname = $1 and c.relname = any($2))`, l.target.Schema, all).Scan(&taken)
		if err != nil || !taken {
			return names, serverError(err, "looking for names that are taken in schema %s", l.target.Schema)
		}
	}
}
