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

// Renaming is a table or an index that gets another name in its schema.
type Renaming struct {
	Kind   string // table or index
	Old    job.Table
	Wanted string
}

// RenameAll renames all of the list in one go, because readers wait meanwhile. A name that is already used gets a
// number, as in PostgreSQL.
func RenameAll(ctx context.Context, tx pgx.Tx, list []Renaming) error {
	if len(list) == 0 {
		return nil
	}

	var schemas, names []string

	for _, r := range list {
		schemas, names = append(schemas, r.Old.Schema), append(names, r.Wanted)
	}

	rows, err := tx.Query(ctx, `
		select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where (n.nspname, c.relname) in (select * from unnest($1::name[], $2::name[]))`, schemas, names)
	if err != nil {
		return pg.Wrap(err, "looking for used names in schema %s", schemas[0])
	}

	taken := map[job.Table]bool{}
	var t job.Table
	if _, err := pgx.ForEachRow(rows, []any{&t.Schema, &t.Name}, func() error {
		taken[t] = true
		return nil
	}); err != nil {
		return pg.Wrap(err, "looking for used names in schema %s", schemas[0])
	}

	sql := make([]string, len(list))

	for i, r := range list {
		name := r.Wanted
		if taken[job.Table{Schema: r.Old.Schema, Name: name}] {
			if name, err = freeName(ctx, tx, job.Table{Schema: r.Old.Schema, Name: name}, taken); err != nil {
				return err
			}
		}

		taken[job.Table{Schema: r.Old.Schema, Name: name}] = true // long names may be equal once they are truncated
		sql[i] = fmt.Sprintf("alter %s %s rename to %s", r.Kind, QuoteTable(r.Old), pgx.Identifier{name}.Sanitize())
	}

	err = pipeline.Exec(ctx, tx, sql...)

	return pg.Wrap(err, "renaming %s to %s, and %d more", list[0].Old, list[0].Wanted, len(list)-1)
}

// freeName returns a used name with the first number that makes it free, both in its schema and among the names
// about to be used.
func freeName(ctx context.Context, tx pgx.Tx, t job.Table, taken map[job.Table]bool) (string, error) {
	for n := 1; ; n++ {
		number := strconv.Itoa(n)
		name := t.Name

		for len(name)+len(number) > job.MaxIdentifier {
			name = withoutLastRune(name)
		}

		there := Relation{Table: job.Table{Schema: t.Schema, Name: name + number}}
		if taken[there.Table] {
			continue
		}

		if err := there.Find(ctx, tx); err != nil || there.OID == 0 {
			return there.Name, err
		}
	}
}

// RenameTable renames a table in its schema, and the indexes that are named after it.
func RenameTable(ctx context.Context, tx pgx.Tx, t job.Table, name string) error {
	labels, err := indexLabels(ctx, tx, []Partition{{Table: t}})
	if err != nil {
		return err
	}
	return RenameAll(ctx, tx, append([]Renaming{{"table", t, name}}, indexRenamings(t, labels[0], func(label string, _ int) string { return ObjectName(name, "", label) })...))
}

// indexRenamings renames indexes of t. Their names are the name of t followed by a label.
func indexRenamings(t job.Table, labels []string, name func(label string, k int) string) []Renaming {
	list := make([]Renaming, len(labels))
	for i, label := range labels {
		list[i] = Renaming{"index", job.Table{Schema: t.Schema, Name: t.Name + "_" + label}, name(label, i)}
	}
	return list
}

// RenamePartitionsAfter renames partitions that are named after one table, and their indexes, after another
// table.
func RenamePartitionsAfter(ctx context.Context, tx pgx.Tx, parts []Partition, from, to string) error {
	labels, err := indexLabels(ctx, tx, parts)
	if err != nil {
		return err
	}

	var list []Renaming

	for i, p := range parts {
		if number, ok := strings.CutPrefix(p.Name, from+"_"); ok {
			name := ObjectName(to, "", number)
			index := func(label string, k int) string { return partitionIndex(name, label, k) }
			list = append(append(list, Renaming{"table", p.Table, name}), indexRenamings(p.Table, labels[i], index)...)
		}
	}

	return RenameAll(ctx, tx, list)
}
