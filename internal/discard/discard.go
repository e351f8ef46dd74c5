// Package discard owns the removal of what runs have left: unfinished runs, versions that
// are kept, and staging tables that no run knows.
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

// lockTimeout is how long a drop waits for others who have a table: more of them queue
// behind it meanwhile.
const lockTimeout = 2 * time.Second

// chunksTimeout is how long it waits for a transaction that writes a chunk of the run: its
// backend may be at work on an index, though its client is gone.
const chunksTimeout = 10 * time.Minute

func lockSetting() setting.Parameter {
	return setting.Parameter{Name: "lock_timeout", Value: fmt.Sprint(lockTimeout.Milliseconds())}
}

// Run gives up a run that has not ended, and the version of the table where that of an
// ended one is kept. A run that is alive is a *tablelock.LockedError, one of which nothing
// is left except what readers see a *ledger.StateError. The observer's log gets what it
// waits for, and what it leaves: see Unfinished.
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

	// Again, now that nobody else can change it.
	if run, err = l.FindRun(ctx, pool, id); err != nil {
		return err
	}

	if run.State == ledger.StateLoading {
		return Unfinished(ctx, lock.Conn(), o.Log, l, run)
	}

	return dropKept(ctx, lock.Conn(), l, run)
}

// dropKept drops the version of a run where it is kept. One that others have stays, since
// the ledger would not know it any more.
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

// explainLock names who has a table that could not be had in time.
func explainLock(ctx context.Context, q pg.Querier, t job.Table, err error) error {
	var failed *pg.ServerError
	if !pg.HasCode(err, pgerrcode.LockNotAvailable) || !errors.As(err, &failed) {
		return err
	}

	holders := catalog.Relation{Table: t}.Holders(ctx, q)

	return &pg.ServerError{Doing: failed.Doing, Err: failed.Err,
		Advice: fmt.Sprintf("%s holds it: wait until it ends, or end it, and run the same command again", holders)}
}

// Unfinished removes what an unfinished run left. The caller holds the table's lock. It
// waits for transactions of the run that are still in work. A staging table that somebody
// else has stays there, and the log says so: no run in the ledger knows it then, so that
// Orphans drops it.
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

// conn is a connection, or a pool of them.
type conn interface {
	pg.Querier
	pg.Beginner
}

// chunksError reports a transaction that writes a chunk of the run.
type chunksError struct{ error }

func (e *chunksError) Unwrap() error { return e.error }

// dropUnfinished is one try. It returns the tables that others have.
func dropUnfinished(ctx context.Context, db conn, l ledger.Ledger, run ledger.RunInfo) (left []job.Table, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := setting.SetLocal(ctx, tx, lockSetting()); err != nil {
			return err
		}

		// A transaction of the run may still be in work, with a table that is not
		// to be seen yet: its row in the ledger holds the run's until it ends.
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

// stagedTables returns the staging table of a run where it is there, and partitions that are
// made and not filled.
func stagedTables(ctx context.Context, q pg.Querier, run ledger.RunInfo) ([]string, error) {
	rows, err := q.Query(ctx, stagedTablesSQL, run.Table.Schema, run.Staging)
	if err != nil {
		return nil, err
	}

	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// dropTable drops a table, unless others have it for longer than lockTimeout.
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

// warnLeft says that a table stays, who has it, and what becomes of it.
func warnLeft(ctx context.Context, q pg.Querier, log *slog.Logger, what string, t job.Table) {
	log.Warn(what, "staging", t.String(), "holder", catalog.Relation{Table: t}.Holders(ctx, q),
		"advice", "the next load of the table drops it, or you drop it with: drop table "+catalog.QuoteTable(t))
}

const orphansSQL = `
	select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname = $1 and starts_with(c.relname, $2) and c.relkind in ('r', 'p') and not c.relispartition
	  and pg_has_role(c.relowner, 'USAGE')`

// Orphans drops staging tables for a table that no run in the ledger knows:
// of a ledger that was taken down, or came back from a backup, in the meantime, or that
// somebody had when their run was dropped. One that somebody has now stays, and the log
// says so. The caller holds the table's lock, and the ledger knows no unfinished run of it.
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
