package loader

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// appendIndexes returns the indexes of the table, the primary key first, then by name.
func appendIndexes(ctx context.Context, q pg.Querier, t catalog.Relation, idColumn string) ([]plan.AppendIndex, error) {
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
		order by i.indisprimary desc, c.relname`, t.OID, idColumn)
	if err != nil {
		return nil, pg.Wrap(err, "looking up the indexes of table %s", t.Table)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i plan.AppendIndex, err error) {
		err = row.Scan(&i.Name, &i.Method, &i.Columns, &i.Constraint, &i.Bytes, &i.Rows, &i.InOrder)
		return i, err
	})
	return list, pg.Wrap(err, "looking up the indexes of table %s", t.Table)
}
