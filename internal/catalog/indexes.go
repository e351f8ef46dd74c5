package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

const otherIndexesSQL = `
	with others as (
		select c.oid, i.indisunique, m.amname, pg_get_indexdef(c.oid) as def,
		       'CREATE ' || case when i.indisunique then 'UNIQUE ' else '' end || 'INDEX ' || quote_ident(c.relname) || ' ON ONLY '
		       || quote_ident(n.nspname) || '.' || quote_ident(t.relname) || ' USING ' || quote_ident(m.amname) || ' ' as head
		from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
		join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
		where i.indrelid = $1 and not exists (select from pg_constraint where conindid = c.oid)
		  and not (m.amname in ('gist', 'brin') and i.indnatts = 1 and i.indpred is null
		           and i.indkey[0] = (select attnum from pg_attribute where attrelid = $1 and attname = $2)))
	select indisunique, amname, substr(def, length(head) + 1),
	       coalesce((select pg_get_userbyid(relowner) from pg_class where oid = $1 and pg_get_userbyid(relowner) <> current_user), '')
	from others where starts_with(def, head) order by oid`

// OtherIndexes returns the indexes of the parent that users created: those that neither belong to a constraint
// nor are on the geometry alone, without their names. If a partition gets them before it is attached, readers
// need not wait for that.
func (t Relation) OtherIndexes(ctx context.Context, q pg.Querier, geomColumn string) ([]IndexDef, error) {
	rows, err := q.Query(ctx, otherIndexesSQL, t.OID, geomColumn)
	if err != nil {
		return nil, pg.Wrap(err, "looking for the indexes of table %s", t.Table)
	}

	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d IndexDef, err error) {
		err = row.Scan(&d.unique, &d.Method, &d.Using, &d.Owner)
		return d, err
	})

	return list, pg.Wrap(err, "looking for the indexes of table %s", t.Table)
}

// SpatialIndexNames returns the names of the indexes on the geometry alone, by access method.
func (t Relation) SpatialIndexNames(ctx context.Context, q pg.Querier, column string) (map[string][]string, error) {
	rows, err := q.Query(ctx, `
		select m.amname, c.relname from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
		join pg_attribute a on a.attrelid = i.indrelid and a.attname = $2
		where i.indrelid = $1 and i.indnatts = 1 and i.indkey[0] = a.attnum and i.indpred is null order by c.oid`, t.OID, column)
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

const rebuildableIndexesSQL = `
	select format('drop index %I.%I', n.nspname, c.relname), pg_get_indexdef(c.oid),
	       coalesce(format('comment on index %I.%I is %L', n.nspname, c.relname, obj_description(c.oid, 'pg_class')), '')
	from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
	where i.indrelid = $1 and c.reltablespace = 0 and i.indisvalid and not i.indisunique and not i.indisexclusion and not i.indisclustered and not i.indisreplident
	  and not exists (select from pg_constraint where conindid = c.oid)
	  and not exists (select from pg_depend where refclassid = 'pg_class'::regclass and refobjid = c.oid)
	  and not exists (select from pg_attribute where attrelid = c.oid and attstattarget >= 0)
	order by c.oid`

// RebuildableIndexes returns the statements that drop the indexes which are not needed while the table is filled,
// and the statements that create them again, including comments. It leaves out indexes with properties that the
// statements would not restore, such as their tablespace.
func (t Relation) RebuildableIndexes(ctx context.Context, q pg.Querier) (drop, build []string, err error) {
	rows, err := q.Query(ctx, rebuildableIndexesSQL, t.OID)
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
