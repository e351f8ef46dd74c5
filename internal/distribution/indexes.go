package distribution

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
)

// IndexSize is what the shards of an index have together.
type IndexSize struct {
	Bytes int64
	Rows  int64 // entries, an estimate of the nodes'
}

// The index of a shard is called after that of the table, with the number of the shard behind it.
// What a node executes resolves in pg_catalog: its sessions have a search_path of their own. Citus
// puts the name of the shard into it with format, so %L quotes it as a literal.
const indexSizesSQL = `
	select left(x.key, length(x.key) - length(s.shardid::text) - 1), sum((x.value ->> 0)::float8)::bigint, sum(greatest((x.value ->> 1)::float8, 0))::bigint
	from pg_catalog.run_command_on_shards($1::oid::regclass, $$
		select coalesce(pg_catalog.json_object_agg(c.relname, pg_catalog.json_build_array(pg_catalog.pg_relation_size(c.oid), c.reltuples)), '{}')
		from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) i.indexrelid
		where i.indrelid operator(pg_catalog.=) %L::pg_catalog.regclass$$) s
	cross join lateral json_each(s.result::json) x
	where s.success group by 1`

// IndexSizes returns the sizes of the indexes of a distributed table by their names. One whose
// name is as long as PostgreSQL keeps it may be missing.
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
