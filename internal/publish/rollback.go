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

// Rollback is what a rollback did.
type Rollback struct {
	Table   job.Table `json:"table"`
	Version int64     `json:"version"` // that the table shows now: the run that made it
	// Kept names the table that keeps what was shown before, and KeptVersion the run
	// that made that. Where there was no table, they are empty.
	Kept        job.Table `json:"kept"`
	KeptVersion int64     `json:"kept_version,omitempty"`
}

// Restorer gives a table the rows of an earlier run again, from the version of it that
// was kept.
type Restorer struct {
	Pool     *pgxpool.Pool
	Lock     *tablelock.Lock // of the table
	Observer *observe.Observer
	Ledger   ledger.Ledger
	Run      ledger.RunInfo // whose version is kept
	For      time.Duration  // how long it waits for others to leave the table
}

// Rollback shows the version of the run, and keeps in turn what the table has shown
// until then. It is one transaction, and copies nothing.
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

// rollbackTx archives what the table shows and restores what is kept, with what the
// ledger says of both. It returns the table where it is partitioned.
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
	case t.OID == 0: // somebody has dropped it
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

// exchangePartitions moves the partitions of both tables: the parent stays.
func (r Restorer) exchangePartitions(ctx context.Context, tx pgx.Tx, t, kept catalog.Relation, done *Rollback) error {
	version, err := r.checkShown(ctx, tx, t, "p", done.Version)
	if err != nil {
		return err
	}

	if _, err := r.archive(ctx, tx, t, version, archivePartitions, done); err != nil {
		return err
	}

	// The parent gets the spatial indexes that the partitions of the other version have:
	// it would have them built otherwise, while readers wait.
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

	// The key of the parent, which has stayed, names the run that was archived.
	if err := commentKey(ctx, tx, r.Ledger, t, r.Run.Version, r.Run.TableVersion); err != nil {
		return err
	}

	return r.Ledger.RecordVersionMark(ctx, tx, r.Run.TableVersion, t.OID)
}

// keptVersion returns the table that keeps the version of the run, and whether it is
// partitioned. It is locked, and has what its runs have left.
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
			return kept, false, fmt.Errorf("table %s has lost its rows: it is unlogged, and was emptied by a crash of the server", v.Kept)
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

	return kept, false, &ledger.StateError{ID: r.Run.ID, State: "not kept any more", Only: "rolled back to", Which: "a run whose version of the table is kept"}
}

// checkShown locks the table, which must be of the kind of what is kept, and returns the
// version that it shows.
func (r Restorer) checkShown(ctx context.Context, tx pgx.Tx, t catalog.Relation, kind string, keptVersion int64) (version int64, err error) {
	now, _, _, err := t.Describe(ctx, tx)
	if err != nil {
		return 0, err
	}

	if now != kind {
		return 0, fmt.Errorf("table %s is %s, what is kept of it as %s is %s: rename the table",
			t.Table, layoutName(now), ledger.VersionName(t.Table, keptVersion), layoutName(kind))
	}

	if err := t.LockExclusive(ctx, tx); err != nil {
		return 0, err
	}

	version, found, err := r.Ledger.ShownVersion(ctx, tx, t.Table, t.OID)
	if err == nil && !found {
		err = fmt.Errorf("table %s was not published by a run that the ledger in schema %s knows: rename it or drop it before", t.Table, r.Ledger.Schema)
	}

	return version, err
}

// archive keeps what the table shows.
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

// RollbackRun takes the table's lock, and gives the table the rows of an earlier run again:
// see Restorer. A run whose version is not kept is a *ledger.StateError, a table that a run
// holds a *tablelock.LockedError.
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

// settle waits until all nodes of a Citus cluster have the names of a table, where the table has rows on
// other nodes. The rollback is committed.
func settle(ctx context.Context, pool *pgxpool.Pool, o *observe.Observer, name job.Table) error {
	distributed, err := distribution.IsNameDistributed(ctx, pool, name)
	if err != nil || !distributed {
		return err
	}

	return citus.Settle(ctx, pool, o)
}
