package loader

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// dropOrphans drops staging tables for the target that no run in the ledger knows:
// of a ledger that was taken down, or came back from a backup, in the meantime. The
// caller holds the table's lock, and the ledger knows no unfinished run of it.
func (l *load) dropOrphans(ctx context.Context) error {
	rows, err := l.lock.conn.Query(ctx, `
		select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and starts_with(c.relname, $2) and c.relkind in ('r', 'p') and not c.relispartition
		  and pg_has_role(c.relowner, 'USAGE')`, l.target.Schema, l.target.StagingPrefixOf(l.ledger.Schema))
	if err != nil {
		return pg.Wrap(err, "looking for staging tables that no run knows")
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return pg.Wrap(err, "looking for staging tables that no run knows")
	}
	for _, name := range names {
		orphan := job.Table{Schema: l.target.Schema, Name: name}
		l.log.Warn("dropping a staging table that no run in the ledger knows", "staging", orphan.String())
		if _, err := l.lock.conn.Exec(ctx, "drop table if exists "+catalog.QuoteTable(orphan)); err != nil {
			return pg.Wrap(err, "dropping staging table %s, which no run in the ledger knows", orphan)
		}
	}
	return nil
}
