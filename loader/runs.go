package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// NoRunError reports a number that the ledger does not know.
type NoRunError struct {
	Schema string // of the ledger
	ID     int64
}

func (e *NoRunError) Error() string {
	return fmt.Sprintf("the ledger in schema %s knows no run %d", e.Schema, e.ID)
}

// runsCommand returns the command that does something with a run, for messages.
func runsCommand(verb string, id int64, ledgerSchema string) string {
	s := fmt.Sprintf("'loadgrid runs %s %d", verb, id)
	if ledgerSchema != DefaultLedgerSchema {
		s += " --ledger-schema " + ledgerSchema
	}
	return s + "'"
}

// Runs returns all runs of a ledger, the newest first. Where there is no
// ledger, there are none.
func Runs(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string) ([]RunInfo, error) {
	l := newLedger(ledgerSchema)
	if there, err := l.exists(ctx, pool); err != nil || !there {
		return nil, err
	}
	return l.query(ctx, pool, "order by r.id desc")
}

// FindRun returns a run by its number, or a *NoRunError.
func FindRun(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, id int64) (RunInfo, error) {
	l := newLedger(ledgerSchema)
	there, err := l.exists(ctx, pool)
	if err != nil {
		return RunInfo{}, err
	}
	if there {
		run, found, err := l.run(ctx, pool, id)
		if err == nil && found {
			err = l.area(ctx, pool, &run)
		}
		if err != nil || found {
			return run, err
		}
	}
	return RunInfo{}, &NoRunError{ledgerSchema, id}
}

// StateError reports a run that is not in the state that is asked for.
type StateError struct {
	ID    int64
	State string
	Only  string // what only an unfinished run can be
}

func (e *StateError) Error() string {
	return fmt.Sprintf("run %d is %s: only an unfinished run can be %s", e.ID, e.State, e.Only)
}

// DropRun gives up an unfinished run: its staging table goes, and the ledger
// notes it as dropped. A run that is alive is a *LockedError, one that is not
// unfinished a *StateError.
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
	if run.State != StateLoading {
		return &StateError{id, run.State, "dropped"}
	}
	return dropRun(ctx, lock.conn, newLedger(ledgerSchema), run)
}

// dropRun removes what an unfinished run left. The caller holds the table's lock.
func dropRun(ctx context.Context, db interface {
	Begin(context.Context) (pgx.Tx, error)
}, l ledger, run RunInfo) error {
	staging := Table{run.Table.Schema, run.staging}
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		// A transaction of the run may still be in work, with a table that is not
		// to be seen yet: its row in the ledger holds the run's until it ends.
		if err := l.settled(ctx, tx, run.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "drop table if exists "+staging.sql()); err != nil {
			return err
		}
		return l.dropped(ctx, tx, run.ID)
	})
	return serverError(err, "dropping staging table %s of run %d", staging, run.ID)
}
