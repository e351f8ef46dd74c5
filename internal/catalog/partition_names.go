package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/loader/job"
)

// partitionIndex returns the name of index k of a partition: partition_label. If that is too long, the number of
// the partition, at the end of its name, moves to the end together with k. If it were truncated, all partitions
// would have the same index names.
func partitionIndex(partition, label string, k int) string {
	if len(partition)+len("_")+len(label) <= job.MaxIdentifier {
		return partition + "_" + label
	}
	at := strings.LastIndexByte(partition, '_')
	return ObjectName(partition[:at], label, partition[at+1:]+"_"+strconv.Itoa(k))
}

const indexLabelsSQL = `
	select u.n, substr(c.relname, length(u.name) + 2)
	from unnest($1::text[], $2::text[]) with ordinality u (schema_name, name, n)
	join pg_namespace s on s.nspname = u.schema_name join pg_class t on t.relnamespace = s.oid and t.relname = u.name
	join pg_index i on i.indrelid = t.oid join pg_class c on c.oid = i.indexrelid and starts_with(c.relname, u.name || '_')
	order by u.n, c.oid`

// indexLabels returns, for each partition, the parts of its index names after the partition's name. It looks them
// up because partitions may differ: the run may have begun with other indexes, or the parent may have more.
func indexLabels(ctx context.Context, tx pgx.Tx, parts []Partition) ([][]string, error) {
	var schemas, names []string
	for _, p := range parts {
		schemas, names = append(schemas, p.Schema), append(names, p.Name)
	}

	rows, err := tx.Query(ctx, indexLabelsSQL, schemas, names)
	if err != nil {
		return nil, pg.Wrap(err, "looking for the indexes of %d partitions", len(parts))
	}

	labels := make([][]string, len(parts))
	var n int
	var label string
	_, err = pgx.ForEachRow(rows, []any{&n, &label}, func() error {
		labels[n-1] = append(labels[n-1], label)
		return nil
	})

	return labels, pg.Wrap(err, "looking for the indexes of %d partitions", len(parts))
}

// FreePartitionNames returns n names for partitions, derived from the name of their table and numbered. Numbers
// start at first, or at the next number from which all of these names, and those of their indexes with the given
// labels, are free.
func FreePartitionNames(ctx context.Context, tx pgx.Tx, t job.Table, n, first int, labels [][]string) ([]job.Table, error) {
	for ; ; first += n {
		width := len(strconv.Itoa(first + n - 1))
		names := make([]job.Table, n)
		var all []string

		for i := range names {
			names[i] = job.Table{Schema: t.Schema, Name: ObjectName(t.Name, "", fmt.Sprintf("p%0*d", width, first+i))}
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
			where n.nspname = $1 and c.relname = any($2))`, t.Schema, all).Scan(&taken)
		if err != nil || !taken {
			return names, pg.Wrap(err, "looking for used names in schema %s", t.Schema)
		}
	}
}

// RenamePartitions renames partitions and their indexes after a table, numbered from first, and enables
// autovacuum on them. They keep the check of their bounds. So they can be attached to another table, to be kept
// and restored, without being read.
func RenamePartitions(ctx context.Context, tx pgx.Tx, t job.Table, parts []Partition, first int) error {
	labels, err := indexLabels(ctx, tx, parts)
	if err != nil {
		return err
	}

	names, err := FreePartitionNames(ctx, tx, t, len(parts), first, labels)
	if err != nil {
		return err
	}

	var sql []string

	for i, p := range parts {
		sql = append(sql, "alter table "+p.SQL()+" reset (autovacuum_enabled)")

		rename := func(kind, old, name string) {
			table := QuoteTable(job.Table{Schema: p.Schema, Name: old})
			sql = append(sql, fmt.Sprintf("alter %s %s rename to %s", kind, table, pgx.Identifier{name}.Sanitize()))
		}

		rename("table", p.Name, names[i].Name)

		for k, label := range labels[i] {
			rename("index", p.Name+"_"+label, partitionIndex(names[i].Name, label, k))
		}
	}

	err = pipeline.Exec(ctx, tx, sql...)

	return pg.Wrap(err, "naming the partitions of table %s", t)
}
