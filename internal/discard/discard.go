// Package discard owns the removal of leftovers of runs: unfinished runs, kept versions, and
// staging tables of no known run.
package discard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// lockTimeout is how long a drop waits for sessions that use a table. Meanwhile, more sessions
// queue behind the drop.
const lockTimeout = 2 * time.Second

// chunksTimeout is how long a drop waits for a transaction that writes a chunk of the run. The
// backend may be busy with an index although its client is gone.
const chunksTimeout = 10 * time.Minute

func lockSetting() setting.Parameter {
	return setting.Parameter{Name: "lock_timeout", Value: fmt.Sprint(lockTimeout.Milliseconds())}
}

// Run discards an unfinished run, or the kept version of an ended one. If the run is alive, the
// error is a *tablelock.LockedError. If nothing is left of it, or only the table that readers see,
// the error is a *ledger.StateError. The observer's log shows what Run waits for and what it
// leaves: see Unfinished.
func Run(ctx context.Context, pool *pgxpool.Pool, o *observe.Observer, l ledger.Ledger, id int64) error {
	run, err := l.FindRun(ctx, pool, id)
	if err != nil {
		return err
	}

	lock, _, err := tablelock.Wait(ctx, pool, o, run.Table, 0)
	if err != nil {
		return err
	}
	defer lock.Close(ctx)

	// Look again, now that nobody else can change it.
	if run, err = l.FindRun(ctx, pool, id); err != nil {
		return err
	}

	if run.State == ledger.StateLoading {
		return Unfinished(ctx, lock.Conn(), o.Log, l, run)
	}

	return dropKept(ctx, lock.Conn(), l, run)
}

// dropKept drops the kept version of a run. If other sessions use the table, it stays, because the
// ledger would no longer know it.
func dropKept(ctx context.Context, conn *pgxpool.Conn, l ledger.Ledger, run ledger.RunInfo) error {
	if run.KeptAs != "" {
		versions, err := l.KeptVersions(ctx, conn, run.Table)
		if err != nil {
			return err
		}

		for _, v := range versions {
			if v.ID == run.TableVersion {
				return explainLock(ctx, conn, v.Kept, publish.DropVersion(ctx, conn, l, run.Table, v))
			}
		}
	}

	return &ledger.StateError{ID: run.ID, State: run.Status(), Only: "dropped",
		Which: "an unfinished run, or one whose version of the table is kept,"}
}

// explainLock names the sessions that held a table past the time-out.
func explainLock(ctx context.Context, q pg.Querier, t job.Table, err error) error {
	var failed *pg.ServerError
	if !pg.HasCode(err, pgerrcode.LockNotAvailable) || !errors.As(err, &failed) {
		return err
	}

	holders := catalog.Relation{Table: t}.Holders(ctx, q)

	return &pg.ServerError{Doing: failed.Doing, Err: failed.Err,
		Advice: fmt.Sprintf("%s holds it: wait until it ends, or end it, and run the same command again", holders)}
}

// Unfinished removes what an unfinished run left. The caller holds the table's lock. Unfinished
// waits for transactions of the run that are still in progress. If another session uses a staging
// table, the table stays, and the log reports it. The ledger then has no run for it, so Orphans
// drops it later.
func Unfinished(ctx context.Context, db conn, log *slog.Logger, l ledger.Ledger, run ledger.RunInfo) error {
	if err := run.CheckStaging(); err != nil {
		return err
	}

	staging := job.Table{Schema: run.Table.Schema, Name: run.Staging}

	for began, waiting := time.Now(), false; ; {
		left, err := dropUnfinished(ctx, db, l, run)

		if errors.As(err, new(*chunksError)) && time.Since(began) < chunksTimeout {
			if !waiting {
				log.Info("waiting for a transaction that writes a chunk of the run", "unfinished_run", run.ID, "holder", l.ChunkHolder(ctx, db, run.ID))
				waiting = true
			}

			continue
		}

		for _, t := range left {
			warnLeft(ctx, db, log, "the run is dropped, but its staging table is still there, because another session holds it", t)
		}

		return pg.Wrap(err, "dropping staging table %s of run %d", staging, run.ID)
	}
}

// conn is a connection or a pool.
type conn interface {
	pg.Querier
	pg.Beginner
}

// chunksError reports a transaction that writes a chunk of the run.
type chunksError struct{ error }

func (e *chunksError) Unwrap() error { return e.error }

// dropUnfinished tries once. It returns the tables that other sessions use.
func dropUnfinished(ctx context.Context, db conn, l ledger.Ledger, run ledger.RunInfo) (left []job.Table, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := setting.SetLocal(ctx, tx, lockSetting()); err != nil {
			return err
		}

		// A transaction of the run may still be in progress, with a table that is not visible yet.
		// Its row in the ledger locks the run's row until it ends.
		err := l.WaitForChunks(ctx, tx, run.ID)
		if pg.HasCode(err, pgerrcode.LockNotAvailable) {
			return &chunksError{err}
		} else if err != nil {
			return err
		}

		names, err := stagedTables(ctx, tx, run)
		if err != nil {
			return err
		}

		for _, name := range names {
			t := job.Table{Schema: run.Table.Schema, Name: name}

			dropped, err := dropTable(ctx, tx, t)
			if err != nil {
				return err
			}

			if !dropped {
				left = append(left, t)
			}
		}

		return l.MarkRunDropped(ctx, tx, run.ID)
	})

	return left, err
}

const stagedTablesSQL = `
	select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname = $1 and (c.relname = $2::text or starts_with(c.relname, $2::text || '_p')) and c.relkind in ('r', 'p') and not c.relispartition`

// stagedTables returns the staging table of a run, if it exists, and partitions that were created
// but not filled.
func stagedTables(ctx context.Context, q pg.Querier, run ledger.RunInfo) ([]string, error) {
	rows, err := q.Query(ctx, stagedTablesSQL, run.Table.Schema, run.Staging)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// dropTable drops a table, unless other sessions use it for longer than lockTimeout.
func dropTable(ctx context.Context, db pg.Beginner, t job.Table) (dropped bool, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := setting.SetLocal(ctx, tx, lockSetting()); err != nil {
			return err
		}

		_, err := tx.Exec(ctx, "drop table if exists "+catalog.QuoteTable(t))

		return err
	})
	if pg.HasCode(err, pgerrcode.LockNotAvailable) {
		return false, nil
	}

	return err == nil, err
}

// warnLeft logs that a table stays, who uses it, and how it will be dropped.
func warnLeft(ctx context.Context, q pg.Querier, log *slog.Logger, what string, t job.Table) {
	log.Warn(what, "staging", t.String(), "holder", catalog.Relation{Table: t}.Holders(ctx, q),
		"advice", "the next load of the table drops it, or you drop it with: drop table "+catalog.QuoteTable(t))
}

const orphansSQL = `
	select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname = $1 and starts_with(c.relname, $2) and c.relkind in ('r', 'p') and not c.relispartition
	  and pg_has_role(c.relowner, 'USAGE')`

// Orphans drops the staging tables of a table that belong to no run in the ledger. The ledger may
// have been removed or restored from a backup in the meantime, or a session used the table when its
// run was dropped. If a session uses one now, it stays, and the log reports it. The caller holds
// the table's lock, and the ledger has no unfinished run of the table.
func Orphans(ctx context.Context, db conn, log *slog.Logger, table catalog.Relation, l ledger.Ledger) error {
	const looking = "looking for staging tables of no known run"

	rows, err := db.Query(ctx, orphansSQL, table.Schema, table.StagingPrefixOf(l.Schema))
	if err != nil {
		return pg.Wrap(err, looking)
	}

	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return pg.Wrap(err, looking)
	}

	for _, name := range names {
		orphan := job.Table{Schema: table.Schema, Name: name}

		dropped, err := dropTable(ctx, db, orphan)

		switch {
		case err != nil:
			return pg.Wrap(err, "dropping staging table %s, which belongs to no run in the ledger", orphan)
		case !dropped:
			warnLeft(ctx, db, log, "a staging table of no run in the ledger is still there, because another session holds it", orphan)
		default:
			log.Warn("dropped a staging table of no run in the ledger", "staging", orphan.String())
		}
	}

	return nil
}
