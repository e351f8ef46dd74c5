// Package discard owns the removal of what runs have left: unfinished runs, versions that
// are kept, and staging tables that no run knows.
package discard

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Run gives up a run that has not ended, and the version of the table where that of an
// ended one is kept. A run that is alive is a *tablelock.LockedError, one of which nothing
// is left except what readers see a *ledger.StateError.
func Run(ctx context.Context, pool *pgxpool.Pool, l ledger.Ledger, id int64) error {
	run, err := l.FindRun(ctx, pool, id)
	if err != nil {
		return err
	}

	lock, err := tablelock.Acquire(ctx, pool, slog.New(slog.DiscardHandler), run.Table)
	if err != nil {
		return err
	}
	defer lock.Close(ctx)

	// Again, now that nobody else can change it.
	if run, err = l.FindRun(ctx, pool, id); err != nil {
		return err
	}

	if run.State == ledger.StateLoading {
		return Unfinished(ctx, lock.Conn(), l, run)
	}

	return dropKept(ctx, lock.Conn(), l, run)
}

// dropKept drops the version of a run where it is kept.
func dropKept(ctx context.Context, conn *pgxpool.Conn, l ledger.Ledger, run ledger.RunInfo) error {
	if run.KeptAs != "" {
		versions, err := l.KeptVersions(ctx, conn, run.Table)
		if err != nil {
			return err
		}

		for _, v := range versions {
			if v.ID == run.TableVersion {
				return publish.DropVersion(ctx, conn, l, run.Table, v)
			}
		}
	}

	return &ledger.StateError{ID: run.ID, State: run.Status(), Only: "dropped",
		Which: "an unfinished run, or one whose version of the table is kept,"}
}

// Unfinished removes what an unfinished run left. The caller holds the table's lock.
func Unfinished(ctx context.Context, db pg.Beginner, l ledger.Ledger, run ledger.RunInfo) error {
	staging := job.Table{Schema: run.Table.Schema, Name: run.Staging}

	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		// A transaction of the run may still be in work, with a table that is not
		// to be seen yet: its row in the ledger holds the run's until it ends.
		if err := l.WaitForChunks(ctx, tx, run.ID); err != nil {
			return err
		}

		if _, err := tx.Exec(ctx, "drop table if exists "+catalog.QuoteTable(staging)); err != nil {
			return err
		}

		return l.MarkRunDropped(ctx, tx, run.ID)
	})

	return pg.Wrap(err, "dropping staging table %s of run %d", staging, run.ID)
}

const orphansSQL = `
	select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname = $1 and starts_with(c.relname, $2) and c.relkind in ('r', 'p') and not c.relispartition
	  and pg_has_role(c.relowner, 'USAGE')`

// Orphans drops staging tables for a table that no run in the ledger knows:
// of a ledger that was taken down, or came back from a backup, in the meantime. The
// caller holds the table's lock, and the ledger knows no unfinished run of it.
func Orphans(ctx context.Context, conn *pgxpool.Conn, log *slog.Logger, table catalog.Relation, l ledger.Ledger) error {
	const looking = "looking for staging tables that no run knows"

	rows, err := conn.Query(ctx, orphansSQL, table.Schema, table.StagingPrefixOf(l.Schema))
	if err != nil {
		return pg.Wrap(err, looking)
	}

	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return pg.Wrap(err, looking)
	}

	for _, name := range names {
		orphan := job.Table{Schema: table.Schema, Name: name}
		log.Warn("dropping a staging table that no run in the ledger knows", "staging", orphan.String())

		if _, err := conn.Exec(ctx, "drop table if exists "+catalog.QuoteTable(orphan)); err != nil {
			return pg.Wrap(err, "dropping staging table %s, which no run in the ledger knows", orphan)
		}
	}

	return nil
}
