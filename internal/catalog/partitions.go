package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Partition is a partition in the catalogue.
type Partition struct {
	job.Table
	OID      uint32
	Bounds   string // for values ...
	From, To *int64 // nil: not a range of integers, or open on this side
}

// Layout describes how a table holds its rows.
type Layout struct {
	Partitioned bool
	Tables      int64 // tables that hold rows: the table itself, or its partitions
}

// SQL returns the name, quoted for SQL.
func (p Partition) SQL() string { return QuoteTable(p.Table) }

// WithTree begins a statement about a table, whose oid is $1, and all of its partitions: they are the rows of
// tables (oid). A plain table is the only row.
const WithTree = `
	with recursive tables (oid) as (
		select $1::oid
		union all
		select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent
	)`

// It contains no backslash, because standard_conforming_strings may be off.
const partitionsSQL = `
	select oid, schema_name, name, bounds, (regexp_match(bounds, '^FOR VALUES FROM [(]''?(-?[0-9]+)''?[)]'))[1]::bigint as from_id,
	       (regexp_match(bounds, ' TO [(]''?(-?[0-9]+)''?[)]$'))[1]::bigint
	from (select c.oid, n.nspname as schema_name, c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bounds
	      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
	      where i.inhparent = $1) p
	order by from_id nulls first`

// Partitions returns the partitions of a table, in the order of their ranges.
func (t Relation) Partitions(ctx context.Context, q pg.Querier) ([]Partition, error) {
	rows, err := q.Query(ctx, partitionsSQL, t.OID)
	if err != nil {
		return nil, pg.Wrap(err, "looking for the partitions of %s", t.Table)
	}

	parts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Partition, err error) {
		err = row.Scan(&p.OID, &p.Schema, &p.Name, &p.Bounds, &p.From, &p.To)
		return p, err
	})

	return parts, pg.Wrap(err, "looking for the partitions of %s", t.Table)
}
