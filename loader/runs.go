package loader

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

func (e *NoRunError) Error() string {
	return fmt.Sprintf("the ledger in schema %s knows no run %d", e.Schema, e.ID)
}

func (e *NoLedgerError) Error() string {
	return fmt.Sprintf("there is no ledger in schema %s of database %s: the first load makes it, and --ledger-schema names another", e.Schema, e.Database)
}

// Runs returns runs of a ledger, the newest first. Where there is no ledger, the error
// is a *NoLedgerError.
func Runs(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, f RunFilter) ([]RunInfo, error) {
	l := newLedger(ledgerSchema)
	if err := l.find(ctx, pool); err != nil {
		return nil, err
	}
	runs, err := l.query(ctx, pool, "where ($1 = '' or r.table_name = $1) and ($2 = '' or r.schema_name = $2) order by r.id desc limit nullif($3, 0)",
		f.Table.Name, f.Table.Schema, f.Limit)
	if err != nil {
		return nil, err
	}
	return runs, l.histories(ctx, pool, runs)
}

// FindRun returns a run by its number, or a *NoRunError, or a *NoLedgerError.
func FindRun(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, id int64) (RunInfo, error) {
	l := newLedger(ledgerSchema)
	if err := l.find(ctx, pool); err != nil {
		return RunInfo{}, err
	}
	run, found, err := l.run(ctx, pool, id)
	if err != nil || !found {
		return run, cmp.Or(err, error(&NoRunError{ledgerSchema, id}))
	}
	if err := l.area(ctx, pool, &run); err != nil {
		return run, err
	}
	runs := []RunInfo{run}
	err = l.histories(ctx, pool, runs)
	return runs[0], err
}

func (e *StateError) Error() string {
	which := e.Which
	if which == "" {
		which = "an unfinished run"
	}
	return fmt.Sprintf("run %d is %s: only %s can be %s", e.ID, e.State, which, e.Only)
}

// DropRun gives up an unfinished run: its staging table goes, and the ledger
// notes it as dropped. Of a run whose version of the table is kept it drops that.
// A run that is alive is a *LockedError, one of which nothing is left but what
// readers see a *StateError.
func DropRun(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, id int64) error {
	run, err := FindRun(ctx, pool, ledgerSchema, id)
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
	if run, err = FindRun(ctx, pool, ledgerSchema, id); err != nil {
		return err
	}
	l := newLedger(ledgerSchema)
	if run.State == StateLoading {
		return dropRun(ctx, lock.conn, l, run)
	}
	versions := []version{}
	if run.KeptAs != "" {
		if versions, err = l.keptVersions(ctx, lock.conn, run.Table); err != nil {
			return err
		}
	}
	for _, v := range versions {
		if v.id == run.TableVersion {
			return dropVersion(ctx, lock.conn, l, run.Table, v)
		}
	}
	return &StateError{ID: id, State: run.Status(), Only: "dropped", Which: "an unfinished run, or one whose version of the table is kept,"}
}

// dropRun removes what an unfinished run left. The caller holds the table's lock.
func dropRun(ctx context.Context, db pg.Beginner, l ledger, run RunInfo) error {
	staging := job.Table{Schema: run.Table.Schema, Name: run.staging}
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		// A transaction of the run may still be in work, with a table that is not
		// to be seen yet: its row in the ledger holds the run's until it ends.
		if err := l.waitForChunks(ctx, tx, run.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "drop table if exists "+catalog.QuoteTable(staging)); err != nil {
			return err
		}
		return l.markRunDropped(ctx, tx, run.ID)
	})
	return pg.Wrap(err, "dropping staging table %s of run %d", staging, run.ID)
}
