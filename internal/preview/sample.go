package preview

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/loader/plan"
)

const estimatedRowsSQL = catalog.WithTree + `
	select coalesce(sum(case when c.reltuples > 0 then c.reltuples else pg_relation_size(c.oid) / $2 end), 0)::bigint
	from tables t join pg_class c on c.oid = t.oid where c.relkind in ('r', 'm')`

// countRows counts up to where a sample is taken, and then takes the server's
// estimate: where a table was never analyzed, from the size of its file.
func (p *Preview) countRows(ctx context.Context, tx pgx.Tx) error {
	err := tx.QueryRow(ctx, "select count(*) from (select 1 from "+catalog.QuoteTable(p.Table)+" limit $1) s", previewCells+1).Scan(&p.Rows)
	if err != nil || p.Rows <= previewCells {
		return err
	}

	p.Sample = true

	t := catalog.Relation{Table: p.Table}
	if err := t.Find(ctx, tx); err != nil {
		return err
	}

	if p.distributed, err = distribution.IsDistributed(ctx, tx, t.OID); err != nil {
		return err
	}

	var estimate int64
	if p.distributed {
		estimate, err = distribution.EstimatedRows(ctx, tx, t)
	} else {
		err = tx.QueryRow(ctx, estimatedRowsSQL, t.OID, int64(plan.BoxRowBytes)).Scan(&estimate)
	}

	p.Rows = max(p.Rows, estimate)

	return err
}

// query returns the statement that reads the given columns of a table, or of a
// sample of it, and tells whether it is the whole table.
func (p *Preview) query(ctx context.Context, tx pgx.Tx, columns string) (sql string, whole bool, err error) {
	sql = "select " + columns + " from " + catalog.QuoteTable(p.Table)
	if !p.Sample {
		return sql, true, nil
	}

	var key *string
	var kind string
	err = tx.QueryRow(ctx, `
		select (select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
		        where i.indrelid = c.oid and i.indisprimary and i.indnkeyatts = 1 and a.atttypid in ('int4'::regtype, 'int8'::regtype)),
		       c.relkind::text from pg_class c where c.oid = $1::text::regclass`, catalog.QuoteTable(p.Table)).Scan(&key, &kind)

	switch {
	case err != nil:
		return "", false, err
	case key != nil && !p.distributed: // each block would need a query to all nodes
		p.Even = true
		return p.byKey(columns, pgx.Identifier{*key}.Sanitize()), false, nil
	}

	// The client thins out what comes: of pages that lie together, too, some rows each.
	if share := 100 * 20 * float64(previewCells) / float64(p.Rows); share < 100 && (kind == "r" || kind == "p" || kind == "m") {
		return sql + fmt.Sprintf(" tablesample system (%g) repeatable (1)", share), false, nil
	}

	return sql, true, nil // views cannot be sampled
}

// Without "t." and "k.", order by would mean a result of that name: an integer key would be sorted for each block.
const byKeySQL = `
	with recursive block (id) as (
	  (select t.%[1]s::bigint from %[2]s t order by t.%[1]s limit 1)
	  union all
	  select (select t.%[1]s::bigint from %[2]s t where t.%[1]s > block.id / %[4]d * %[4]d + %[6]d order by t.%[1]s limit 1)
	  from block where block.id is not null
	)
	select c.g, c.v, c.t from block cross join lateral (
	  (select %[3]s from %[2]s k where k.%[1]s >= block.id / %[4]d * %[4]d + %[5]d and k.%[1]s <= block.id / %[4]d * %[4]d + %[6]d
	   order by k.%[1]s limit 1)
	  union all
	  (select %[3]s from %[2]s k where k.%[1]s = block.id)
	  limit 1
	) c where block.id is not null`

// byKey returns a statement that reads one row of each block of keys, from the middle
// of the block where there is one. The middle of a block of 4^k cell_ids is in its
// middle on the map, too. It looks up as many keys as there are blocks, however large
// the table is, and jumps over blocks without rows. It computes no key beyond the block of the largest key, where
// bigint may end.
func (p *Preview) byKey(columns, key string) string {
	step := int64(1)
	for p.Rows/step > previewCells {
		step *= 4
	}

	return fmt.Sprintf(byKeySQL, key, catalog.QuoteTable(p.Table), columns, step, step/2, step-1)
}

// sampler keeps up to most cells of a sequence whose length is not known: one of each
// group of rows that follow each other, which spreads them evenly where neighbours in
// the table are neighbours in space. Chance decides which one, so that it is not the same
// column of a grid in each row. The same sequence always gives the same cells.
type sampler struct {
	every int64 // rows in a group
	most  int   // even
	seen  int64 // rows so far
	cells []Cell
}

// wants tells whether the next row is to be kept.
func (t *sampler) wants() bool {
	n := t.seen
	t.seen++
	return n%t.every == int64(splitmix64(uint64(n/t.every))%uint64(t.every))
}

// add keeps the cell of a row. When there are too many, two groups become one.
func (t *sampler) add(c Cell) {
	t.cells = append(t.cells, c)
	if len(t.cells) <= t.most {
		return
	}

	half := t.cells[:0]

	for i := 0; i < len(t.cells); i += 2 {
		half = append(half, t.cells[min(i+int(splitmix64(uint64(i))%2), len(t.cells)-1)])
	}

	clear(t.cells[len(half):])
	t.cells, t.every = half, 2*t.every
}

// splitmix64 is the finalizer of SplitMix64: numbers that look drawn by lot.
func splitmix64(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
