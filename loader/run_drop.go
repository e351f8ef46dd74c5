package loader

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// DropRun gives up an unfinished run: its staging table goes, and the ledger
// notes it as dropped. Of a run whose version of the table is kept it drops that.
// A run that is alive is a *LockedError, one of which nothing is left but what
// readers see a *StateError.
func DropRun(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, id int64) error {
	l := ledger.New(ledgerSchema)
	run, err := l.FindRun(ctx, pool, id)
	if err != nil {
		return err
	}
	lock, err := lockTable(ctx, pool, run.Table)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		lock.release(ctx)
	}()
	// Again, now that nobody else can change it.
	if run, err = l.FindRun(ctx, pool, id); err != nil {
		return err
	}
	if run.State == ledger.StateLoading {
		return dropRun(ctx, lock.conn, l, run)
	}
	versions := []ledger.Version{}
	if run.KeptAs != "" {
		if versions, err = l.KeptVersions(ctx, lock.conn, run.Table); err != nil {
			return err
		}
	}
	for _, v := range versions {
		if v.ID == run.TableVersion {
			return dropVersion(ctx, lock.conn, l, run.Table, v)
		}
	}
	return &ledger.StateError{ID: id, State: run.Status(), Only: "dropped", Which: "an unfinished run, or one whose version of the table is kept,"}
}

// dropRun removes what an unfinished run left. The caller holds the table's lock.
func dropRun(ctx context.Context, db pg.Beginner, l ledger.Ledger, run ledger.RunInfo) error {
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
