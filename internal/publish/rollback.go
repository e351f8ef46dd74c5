package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/internal/unchanged"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Rollback is the result of a rollback.
type Rollback struct {
	Table   job.Table `json:"table"`
	Version int64     `json:"version"` // version that the table shows now: the run that loaded it
	// Kept is the table that keeps the previous version, and KeptVersion is the run that loaded that version.
	// They are empty if there was no table.
	Kept        job.Table `json:"kept"`
	KeptVersion int64     `json:"kept_version,omitempty"`
}

// Restorer makes a table show the rows of an earlier run again, from the kept version.
type Restorer struct {
	Pool     *pgxpool.Pool
	Lock     *tablelock.Lock // lock of the table
	Observer *observe.Observer
	Ledger   ledger.Ledger
	Run      ledger.RunInfo // the run whose version is kept
	For      time.Duration  // how long to wait for others to release the table
}

// Rollback shows the version of the run, and keeps the version that the table showed before. It is one
// transaction and copies no rows.
func (r Restorer) Rollback(ctx context.Context) (done Rollback, err error) {
	var parent catalog.Relation

	err = r.Observer.Retry(ctx, r.For, "rollback", func() error {
		if err := r.Lock.Ensure(ctx); err != nil {
			return err
		}

		// An earlier try may have been committed although its answer was lost.
		if run, _, err := r.Ledger.Find(ctx, r.Lock.Conn(), r.Run.ID); err != nil || run.Shown {
			return err
		}

		err := pgx.BeginFunc(ctx, r.Lock.Conn(), func(tx pgx.Tx) (err error) {
			done, parent, err = r.rollbackTx(ctx, tx)
			return err
		})

		return pg.Wrap(pg.MarkConnClosed(r.Lock.Conn().Conn(), err), "rolling table %s back to run %d", r.Run.Table, r.Run.ID)
	})

	if err == nil && parent.OID != 0 {
		if err := build.Analyze(ctx, r.Pool, parent); err != nil {
			warnStatistics(r.Observer, err)
		}
	}

	return done, err
}

// rollbackTx archives the present version of the table, restores the kept one, and records both in the ledger. It
// returns the table if it is partitioned.
func (r Restorer) rollbackTx(ctx context.Context, tx pgx.Tx) (done Rollback, parent catalog.Relation, err error) {
	done = Rollback{Table: r.Run.Table, Version: r.Run.TableVersion}

	spread, err := distribution.IsNameDistributed(ctx, tx, job.Table{Schema: r.Run.Table.Schema, Name: r.Run.KeptAs})
	if err == nil {
		err = distribution.SetLocal(ctx, tx, spread, lockSetting())
	}
	if err != nil {
		return done, parent, err
	}

	kept, partitioned, err := r.keptVersion(ctx, tx)
	if err != nil {
		return done, parent, err
	}

	t := catalog.Relation{Table: r.Run.Table}
	if err := t.Find(ctx, tx); err != nil {
		return done, parent, err
	}

	switch {
	case t.OID == 0: // somebody dropped it
		t.OID = kept.OID
		err = restoreTable(ctx, tx, kept, t.Table)
	case partitioned:
		err = r.exchangePartitions(ctx, tx, t, kept, &done)
	default:
		err = r.exchangeTables(ctx, tx, t, kept, &done)
		t.OID = kept.OID
	}
	if err != nil {
		return done, parent, err
	}

	if partitioned {
		parent = t
	}

	if err := r.Ledger.MarkReplaced(ctx, tx, t.Table); err != nil {
		return done, parent, err
	}

	return done, parent, r.Ledger.MarkRestored(ctx, tx, t.Table, r.Run.TableVersion, t.OID)
}

// exchangeTables renames both tables.
func (r Restorer) exchangeTables(ctx context.Context, tx pgx.Tx, t, kept catalog.Relation, done *Rollback) error {
	version, err := r.checkShown(ctx, tx, t, "r", done.Version)
	if err != nil {
		return err
	}

	var depends *geomgen.ParamError
	if err := t.CheckDependents(ctx, tx, catalog.DropDependents); errors.As(err, &depends) {
		return fmt.Errorf("table %s %s", t.Table, depends.Reason)
	} else if err != nil {
		return err
	}

	archived, err := r.archive(ctx, tx, t, version, archiveTable, done)
	if err != nil {
		return err
	}

	if err := catalog.CopyGrants(ctx, tx, archived, kept.Table); err != nil {
		return err
	}

	return restoreTable(ctx, tx, kept, t.Table)
}

// exchangePartitions moves the partitions of both tables. The parent stays.
func (r Restorer) exchangePartitions(ctx context.Context, tx pgx.Tx, t, kept catalog.Relation, done *Rollback) error {
	version, err := r.checkShown(ctx, tx, t, "p", done.Version)
	if err != nil {
		return err
	}

	if _, err := r.archive(ctx, tx, t, version, archivePartitions, done); err != nil {
		return err
	}

	// The parent gets the spatial indexes that the partitions of the other version have. Otherwise, they would be
	// built while readers wait.
	maker, found, err := r.Ledger.Find(ctx, tx, r.Run.TableVersion)
	if err == nil && found {
		err = t.AlignIndexes(ctx, tx, job.Job{GeomColumn: maker.Job.GeomColumn}, maker.Job.Index)
	}
	if err != nil {
		return err
	}

	if err := restorePartitions(ctx, tx, kept, t); err != nil {
		return err
	}

	// The parent's key still names the run that was archived.
	if err := commentKey(ctx, tx, r.Ledger, t, r.Run.Version, r.Run.TableVersion); err != nil {
		return err
	}

	return r.Ledger.RecordVersionMark(ctx, tx, r.Run.TableVersion, t.OID)
}

// keptVersion returns the table that keeps the version of the run, and whether it is partitioned. It locks the
// table and checks that it still has the rows of its runs.
func (r Restorer) keptVersion(ctx context.Context, tx pgx.Tx) (kept catalog.Relation, partitioned bool, err error) {
	versions, err := r.Ledger.KeptVersions(ctx, tx, r.Run.Table)
	if err != nil {
		return kept, false, err
	}

	for _, v := range versions {
		if v.ID != r.Run.TableVersion {
			continue
		}

		kept = catalog.Relation{Table: v.Kept}
		if err := kept.Find(ctx, tx); err != nil {
			return kept, false, err
		}

		if is, err := isKept(ctx, tx, r.Ledger, r.Run.Table, v, kept); err != nil {
			return kept, false, err
		} else if !is {
			return kept, false, fmt.Errorf("table %s, which kept the rows of run %d, was dropped or replaced by somebody", v.Kept, r.Run.ID)
		}

		if emptied, err := distribution.Emptied(ctx, tx, kept); err != nil {
			return kept, false, err
		} else if emptied {
			return kept, false, fmt.Errorf("table %s has lost its rows: it is unlogged, and a server crash emptied it", v.Kept)
		}

		if err := kept.LockExclusive(ctx, tx); err != nil {
			return kept, false, err
		}

		if err := unchanged.CheckKept(ctx, tx, r.Ledger, r.Run.Table, v.ID, kept); err != nil {
			return kept, false, err
		}

		kind, _, _, err := kept.Describe(ctx, tx)

		return kept, kind == "p", err
	}

	return kept, false, &ledger.StateError{ID: r.Run.ID, State: "no longer kept", Only: "rolled back to", Which: "a run whose version of the table is kept"}
}

// checkShown locks the table and returns the version that it shows. The table must be of the same kind as the
// kept one.
func (r Restorer) checkShown(ctx context.Context, tx pgx.Tx, t catalog.Relation, kind string, keptVersion int64) (version int64, err error) {
	now, _, _, err := t.Describe(ctx, tx)
	if err != nil {
		return 0, err
	}

	if now != kind {
		return 0, fmt.Errorf("table %s is %s, but its kept version %s is %s: rename the table",
			t.Table, layoutName(now), ledger.VersionName(t.Table, keptVersion), layoutName(kind))
	}

	if err := t.LockExclusive(ctx, tx); err != nil {
		return 0, err
	}

	version, found, err := r.Ledger.ShownVersion(ctx, tx, t.Table, t.OID)
	if err == nil && !found {
		err = fmt.Errorf("table %s was not published by a run in the ledger in schema %s: rename it or drop it first", t.Table, r.Ledger.Schema)
	}

	return version, err
}

// archive keeps the present version of the table.
func (r Restorer) archive(ctx context.Context, tx pgx.Tx, t catalog.Relation, version int64, archive archiver, done *Rollback) (catalog.Relation, error) {
	archived, err := archive(ctx, tx, t, version)
	if err != nil {
		return archived, err
	}

	done.Kept, done.KeptVersion = archived.Table, version

	return archived, r.Ledger.MarkKept(ctx, tx, t.Table, ledger.VersionAt(version, archived))
}

func layoutName(kind string) string {
	switch kind {
	case "r":
		return "plain"
	case "p":
		return "partitioned"
	}

	return catalog.RelationKind(kind)
}

// RollbackRun takes the table's lock, and makes the table show the rows of an earlier run again: see Restorer. If
// the run's version is not kept, the error is a *ledger.StateError. If a run holds the table, the error is a
// *tablelock.LockedError.
func RollbackRun(ctx context.Context, pool *pgxpool.Pool, l ledger.Ledger, id int64, o *observe.Observer) (done Rollback, err error) {
	run, err := l.FindRun(ctx, pool, id)
	if err != nil {
		return done, err
	}

	if run.KeptAs == "" {
		return done, &ledger.StateError{ID: id, State: run.Status(), Only: "rolled back to", Which: "a run whose version of the table is kept"}
	}

	if err := tablelock.RefusePooler(ctx, pool); err != nil {
		return done, err
	}

	lock, _, err := tablelock.Wait(ctx, pool, o, run.Table, 0)
	if err != nil {
		return done, err
	}
	defer lock.Close(ctx)

	done, err = Restorer{Pool: pool, Lock: lock, Observer: o, Ledger: l, Run: run, For: DefaultFor}.Rollback(ctx)
	if err != nil {
		return done, err
	}

	return done, settle(ctx, pool, o, run.Table)
}

// settle waits until all nodes of a Citus cluster have the new names of a table with rows on other nodes. The
// rollback is committed.
func settle(ctx context.Context, pool *pgxpool.Pool, o *observe.Observer, name job.Table) error {
	distributed, err := distribution.IsNameDistributed(ctx, pool, name)
	if err != nil || !distributed {
		return err
	}

	return citus.Settle(ctx, pool, o)
}
