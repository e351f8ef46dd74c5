package uninstall

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

const stagingSQL = `
	select n.nspname, c.relname, c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relname ~ '^loadgrid_staging_[0-9a-f]{8}_[0-9a-f]{8}(_p[0-9]+)?$' and c.relkind in ('r', 'p') and not c.relispartition
	  and pg_has_role(c.relowner, 'USAGE')
	order by 1, 2`

const tablesSQL = `
	select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`

// staging returns the staging tables of a ledger's runs, including runs that it no longer knows: the names of
// the tables identify ledger and table. Staging tables of other ledgers are not included.
func staging(ctx context.Context, q pg.Querier, l ledger.Ledger, known runs) (list []Table, err error) {
	rows, err := q.Query(ctx, stagingSQL)
	if err != nil {
		return nil, pg.Wrap(err, "looking for staging tables")
	}

	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Table, err error) {
		err = row.Scan(&t.Table.Schema, &t.Table.Name, &t.oid)
		return t, err
	})
	if err != nil || len(found) == 0 {
		return nil, pg.Wrap(err, "looking for staging tables")
	}

	prefixes, err := stagingPrefixes(ctx, q, l, known)
	if err != nil {
		return nil, err
	}

	for _, t := range found {
		whole, _, _ := strings.Cut(t.Table.Name, "_p") // a partition's name ends in _pN; the name has no other p
		t.Of = prefixes[job.Table{Schema: t.Table.Schema, Name: prefixOf(t.Table.Name)}]
		t.Run = known.staging[job.Table{Schema: t.Table.Schema, Name: whole}]
		if t.Of.Name != "" {
			list = append(list, t)
		}
	}

	return list, nil
}

// prefixOf returns, from the name of a staging table, the prefix that all staging tables for the same table share.
func prefixOf(name string) string {
	const prefix = len("loadgrid_staging_01234567_")
	return name[:min(prefix, len(name))]
}

// stagingPrefixes maps the prefix of staging tables to their table, for each table in the ledger or the database.
func stagingPrefixes(ctx context.Context, q pg.Querier, l ledger.Ledger, known runs) (map[job.Table]job.Table, error) {
	rows, err := q.Query(ctx, tablesSQL)
	if err != nil {
		return nil, pg.Wrap(err, "looking for tables")
	}

	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t job.Table, err error) {
		err = row.Scan(&t.Schema, &t.Name)
		return t, err
	})
	if err != nil {
		return nil, pg.Wrap(err, "looking for tables")
	}

	prefixes := make(map[job.Table]job.Table)
	for _, t := range append(tables, known.tables...) {
		prefixes[job.Table{Schema: t.Schema, Name: catalog.Relation{Table: t}.StagingPrefixOf(l.Schema)}] = t
	}

	return prefixes, nil
}
