package distribution

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
)

// IndexSize is the total of an index over its shards.
type IndexSize struct {
	Bytes int64
	Rows  int64 // entries, as the nodes estimate them
}

// The name of a shard's index is the name of the table's index plus the number of the shard. Names
// in a statement for a node resolve in pg_catalog, because the node's sessions have their own
// search_path. Citus inserts the shard's name with format, so %L quotes it as a literal.
const indexSizesSQL = `
	select left(x.key, length(x.key) - length(s.shardid::text) - 1), sum((x.value ->> 0)::float8)::bigint, sum(greatest((x.value ->> 1)::float8, 0))::bigint
	from pg_catalog.run_command_on_shards($1::oid::regclass, $$
		select coalesce(pg_catalog.json_object_agg(c.relname, pg_catalog.json_build_array(pg_catalog.pg_relation_size(c.oid), c.reltuples)), '{}')
		from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) i.indexrelid
		where i.indrelid operator(pg_catalog.=) %L::pg_catalog.regclass$$) s
	cross join lateral json_each(s.result::json) x
	where s.success group by 1`

// IndexSizes returns the sizes of the indexes of a distributed table, by name. An index may be
// missing if its name has the maximum length in PostgreSQL.
func IndexSizes(ctx context.Context, q pg.Querier, t catalog.Relation) (map[string]IndexSize, error) {
	rows, err := q.Query(ctx, indexSizesSQL, t.OID)
	if err != nil {
		return nil, pg.Wrap(err, "asking the nodes for the indexes of table %s", t.Table)
	}

	sizes := map[string]IndexSize{}
	var name string
	var size IndexSize
	_, err = pgx.ForEachRow(rows, []any{&name, &size.Bytes, &size.Rows}, func() error {
		sizes[name] = size
		return nil
	})

	return sizes, pg.Wrap(err, "asking the nodes for the indexes of table %s", t.Table)
}
