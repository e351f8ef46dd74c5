package loader

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// otherIndexes returns the indexes of the parent that are neither of a constraint
// nor on the geometry alone, without their names: those that people have made. A
// partition that has them before it is attached does not get them while readers
// wait.
func (t relation) otherIndexes(ctx context.Context, q pg.Querier, geomColumn string) ([]indexDef, error) {
	rows, err := q.Query(ctx, `
		with others as (
			select c.oid, i.indisunique, m.amname, pg_get_indexdef(c.oid) as def,
			       'CREATE ' || case when i.indisunique then 'UNIQUE ' else '' end || 'INDEX ' || quote_ident(c.relname) || ' ON ONLY '
			       || quote_ident(n.nspname) || '.' || quote_ident(t.relname) || ' USING ' || m.amname || ' ' as head
			from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
			join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
			where i.indrelid = $1 and not exists (select from pg_constraint where conindid = c.oid)
			  and not (m.amname in ('gist', 'brin') and i.indnatts = 1 and i.indpred is null
			           and i.indkey[0] = (select attnum from pg_attribute where attrelid = $1 and attname = $2)))
		select indisunique, amname, substr(def, length(head) + 1) from others where starts_with(def, head) order by oid`, t.oid, geomColumn)
	if err != nil {
		return nil, pg.Wrap(err, "looking for the indexes of table %s", t.Table)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d indexDef, err error) {
		err = row.Scan(&d.unique, &d.am, &d.using)
		return d, err
	})
	return list, pg.Wrap(err, "looking for the indexes of table %s", t.Table)
}

// spatialIndexes returns the names of the indexes on the geometry alone, by
// access method.
func (t relation) spatialIndexes(ctx context.Context, q pg.Querier, column string) (map[string][]string, error) {
	rows, err := q.Query(ctx, `
		select m.amname, c.relname from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
		join pg_attribute a on a.attrelid = i.indrelid and a.attname = $2
		where i.indrelid = $1 and i.indnatts = 1 and i.indkey[0] = a.attnum and i.indpred is null order by c.oid`, t.oid, column)
	if err != nil {
		return nil, pg.Wrap(err, "looking for the indexes of table %s", t.Table)
	}
	have := make(map[string][]string)
	var am, name string
	_, err = pgx.ForEachRow(rows, []any{&am, &name}, func() error {
		have[am] = append(have[am], name)
		return nil
	})
	return have, pg.Wrap(err, "looking for the indexes of table %s", t.Table)
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

// partitionIndex returns the name of the k-th index of a partition: partition_label.
// Where that is longer than PostgreSQL keeps, the number of the partition, which its
// name ends in, goes to the end together with k: cut off, it would leave all
// partitions with the same names.
func partitionIndex(partition, label string, k int) string {
	if len(partition)+len("_")+len(label) <= job.MaxIdentifier {
		return partition + "_" + label
	}
	at := strings.LastIndexByte(partition, '_')
	return objectName(partition[:at], label, partition[at+1:]+"_"+strconv.Itoa(k))
}

// rebuildableIndexes returns the statements that drop the indexes which can be missing
// while the table is filled, and those that make them again, comments included: not
// of indexes with something that these would not bring back, as their tablespace.
func (t relation) rebuildableIndexes(ctx context.Context, q pg.Querier) (drop, build []string, err error) {
	rows, err := q.Query(ctx, `
		select format('drop index %I.%I', n.nspname, c.relname), pg_get_indexdef(c.oid),
		       coalesce(format('comment on index %I.%I is %L', n.nspname, c.relname, obj_description(c.oid, 'pg_class')), '')
		from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
		where i.indrelid = $1 and c.reltablespace = 0 and i.indisvalid and not i.indisunique and not i.indisexclusion and not i.indisclustered and not i.indisreplident
		  and not exists (select from pg_constraint where conindid = c.oid)
		  and not exists (select from pg_depend where refclassid = 'pg_class'::regclass and refobjid = c.oid)
		  and not exists (select from pg_attribute where attrelid = c.oid and attstattarget >= 0)
		order by c.oid`, t.oid)
	if err != nil {
		return nil, nil, pg.Wrap(err, "looking for the indexes of table %s", t.Table)
	}
	var d, b, comment string
	_, err = pgx.ForEachRow(rows, []any{&d, &b, &comment}, func() error {
		drop, build = append(drop, d), append(build, b)
		if comment != "" {
			build = append(build, comment)
		}
		return nil
	})
	return drop, build, pg.Wrap(err, "looking for the indexes of table %s", t.Table)
}

// indexes returns the indexes of the table, the primary key first, then by name.
func (t relation) indexes(ctx context.Context, q pg.Querier, idColumn string) ([]plan.AppendIndex, error) {
	rows, err := q.Query(ctx, `
		with recursive tree (root, oid) as (
			select indexrelid, indexrelid from pg_index where indrelid = $1 and indislive
			union all select t.root, h.inhrelid from tree t join pg_inherits h on h.inhparent = t.oid),
		sums as (
			select t.root, sum(pg_relation_size(c.oid)) as bytes, sum(greatest(c.reltuples, 0)) filter (where c.relkind = 'i') as rows
			from tree t join pg_class c on c.oid = t.oid group by t.root)
		select c.relname, m.amname,
		       (select string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' order by k) from generate_series(1, i.indnkeyatts) k),
		       exists (select from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x')),
		       coalesce(s.bytes, 0)::bigint, coalesce(s.rows, 0)::bigint, coalesce(a.attname = $2, false)
		from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam join sums s on s.root = i.indexrelid
		left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
		order by i.indisprimary desc, c.relname`, t.oid, idColumn)
	if err != nil {
		return nil, pg.Wrap(err, "looking up the indexes of table %s", t.Table)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i plan.AppendIndex, err error) {
		err = row.Scan(&i.Name, &i.Method, &i.Columns, &i.Constraint, &i.Bytes, &i.Rows, &i.InOrder)
		return i, err
	})
	return list, pg.Wrap(err, "looking up the indexes of table %s", t.Table)
}
