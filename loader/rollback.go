package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Rollback is what RollbackRun did.
type Rollback struct {
	Table   job.Table `json:"table"`
	Version int64     `json:"version"` // that the table shows now: the run that made it
	// Kept names the table that keeps what was shown before, and KeptVersion the run
	// that made that. Where there was no table, they are empty.
	Kept        job.Table `json:"kept"`
	KeptVersion int64     `json:"kept_version,omitempty"`
}

// RollbackRun gives a table the rows of an earlier run again, from the version of it
// that Job.Keep has kept, and keeps in turn what the table has shown until then. It
// is one transaction, and copies nothing. The table's owner, grants and comment stay
// as they are. A run whose version is not kept is a *StateError, a table that a run
// holds a *LockedError. log, which may be nil, gets what keeps it waiting.
func RollbackRun(ctx context.Context, pool *pgxpool.Pool, ledgerSchema string, id int64, log *slog.Logger) (done Rollback, err error) {
	run, err := ledger.New(ledgerSchema).FindRun(ctx, pool, id)
	if err != nil {
		return done, err
	}
	if run.KeptAs == "" {
		return done, &ledger.StateError{ID: id, State: run.Status(), Only: "rolled back to", Which: "a run whose version of the table is kept"}
	}
	if err := refusePooler(ctx, pool); err != nil {
		return done, err
	}
	l := newLoad(pool, &plan.Plan{Job: job.Job{LedgerSchema: ledgerSchema}}, Options{Log: log})
	l.target, l.run = catalog.Relation{Table: run.Table}, id
	if l.lock, err = lockTable(ctx, pool, run.Table); err != nil {
		return done, err
	}
	defer l.close(ctx)
	err = l.retry(ctx, l.options.PublishFor, "rollback", func() error {
		if err := l.ensureLock(ctx); err != nil {
			return err
		}
		// An earlier try may have been committed although its answer was lost.
		if run, _, err := l.ledger.Find(ctx, l.lock.conn, id); err != nil || run.Shown {
			return err
		}
		err := pgx.BeginFunc(ctx, l.lock.conn, func(tx pgx.Tx) (err error) {
			done, err = l.rollback(ctx, tx, run)
			return err
		})
		return pg.Wrap(pg.MarkConnClosed(l.lock.conn.Conn(), err), "rolling table %s back to run %d", run.Table, id)
	})
	if err == nil {
		l.analyzeParent(ctx)
	}
	return done, err
}

// rollback puts what the table shows away and what is kept in its place, with what
// the ledger says of both.
func (l *load) rollback(ctx context.Context, tx pgx.Tx, run ledger.RunInfo) (done Rollback, err error) {
	done = Rollback{Table: run.Table, Version: run.TableVersion}
	if err := pg.SetLocal(ctx, tx, publishLock()); err != nil {
		return done, err
	}
	kept, err := l.keptVersion(ctx, tx, run)
	if err != nil {
		return done, err
	}
	t := &l.target
	if err := t.Find(ctx, tx); err != nil {
		return done, err
	}
	switch {
	case t.OID == 0: // somebody has dropped it
		t.OID = kept.OID
		err = restoreTable(ctx, tx, kept, t.Table)
	case l.partitioned:
		err = l.exchangePartitions(ctx, tx, kept, run, &done)
	default:
		err = l.exchangeTables(ctx, tx, kept, &done)
	}
	if err != nil {
		return done, err
	}
	if err := l.ledger.MarkReplaced(ctx, tx, t.Table); err != nil {
		return done, err
	}
	return done, l.ledger.MarkRestored(ctx, tx, t.Table, run.TableVersion, t.OID)
}

// exchangeTables renames both tables.
func (l *load) exchangeTables(ctx context.Context, tx pgx.Tx, kept catalog.Relation, done *Rollback) error {
	stowed, err := l.archiveShown(ctx, tx, done)
	if err != nil {
		return err
	}
	if err := catalog.CopyGrants(ctx, tx, stowed, kept.Table); err != nil {
		return err
	}
	l.target.OID = kept.OID
	return restoreTable(ctx, tx, kept, l.target.Table)
}

// exchangePartitions moves the partitions of both tables: the parent stays.
func (l *load) exchangePartitions(ctx context.Context, tx pgx.Tx, kept catalog.Relation, run ledger.RunInfo, done *Rollback) error {
	if _, err := l.archiveShown(ctx, tx, done); err != nil {
		return err
	}
	if err := l.alignWith(ctx, tx, run.TableVersion); err != nil {
		return err
	}
	if err := restorePartitions(ctx, tx, kept, l.target); err != nil {
		return err
	}
	// The key of the parent, which has stayed, names the run that was put away.
	l.run, l.options.Version = run.TableVersion, run.Version
	return l.commentKey(ctx, tx)
}

// keptVersion returns the table that keeps the version of a run, and notes whether
// that is partitioned.
func (l *load) keptVersion(ctx context.Context, tx pgx.Tx, run ledger.RunInfo) (kept catalog.Relation, err error) {
	versions, err := l.ledger.KeptVersions(ctx, tx, run.Table)
	if err != nil {
		return kept, err
	}
	for _, v := range versions {
		if v.ID != run.TableVersion {
			continue
		}
		kept = catalog.Relation{Table: v.Kept}
		if err := kept.Find(ctx, tx); err != nil {
			return kept, err
		}
		if kept.OID != v.OID {
			return kept, fmt.Errorf("table %s, which kept the rows of run %d, was dropped or replaced by somebody", v.Kept, run.ID)
		}
		if emptied, err := kept.Emptied(ctx, tx); err != nil {
			return kept, err
		} else if emptied {
			return kept, fmt.Errorf("table %s has lost its rows: it is unlogged, and was emptied by a crash of the server", v.Kept)
		}
		kind, _, _, err := kept.Describe(ctx, tx)
		l.partitioned = kind == "p"
		return kept, err
	}
	return kept, &ledger.StateError{ID: run.ID, State: "not kept any more", Only: "rolled back to", Which: "a run whose version of the table is kept"}
}

// alignWith gives the parent, whose partitions are put away, the spatial indexes that
// the partitions of another version have: it would have them built otherwise, while
// readers wait.
func (l *load) alignWith(ctx context.Context, tx pgx.Tx, version int64) error {
	run, found, err := l.ledger.Find(ctx, tx, version)
	if err != nil || !found {
		return err
	}
	l.plan.Job.GeomColumn, l.index = run.Job.GeomColumn, run.Job.Index
	return l.alignIndexes(ctx, tx)
}

// archiveShown puts away what the table shows, which must be of the kind of what is kept.
func (l *load) archiveShown(ctx context.Context, tx pgx.Tx, done *Rollback) (stowed catalog.Relation, err error) {
	t := &l.target
	now, _, _, err := t.Describe(ctx, tx)
	if err != nil {
		return stowed, err
	}
	kind := "r"
	if l.partitioned {
		kind = "p"
	}
	if now != kind {
		return stowed, fmt.Errorf("table %s is %s, what is kept of it as %s is %s: rename the table", t.Table, layoutName(now), ledger.VersionName(t.Table, done.Version), layoutName(kind))
	}
	if err := t.LockExclusive(ctx, tx); err != nil {
		return stowed, err
	}
	version, found, err := l.ledger.ShownVersion(ctx, tx, t.Table, t.OID)
	if err != nil {
		return stowed, err
	}
	if !found {
		return stowed, fmt.Errorf("table %s was not published by a run that the ledger in schema %s knows: rename it or drop it before", t.Table, l.ledger.Schema)
	}
	if !l.partitioned {
		var depends *geomgen.ParamError
		if err := t.CheckDependents(ctx, tx, catalog.DropDependents); errors.As(err, &depends) {
			return stowed, fmt.Errorf("table %s %s", t.Table, depends.Reason)
		} else if err != nil {
			return stowed, err
		}
	}
	if stowed, err = archiveVersion(ctx, tx, *t, l.partitioned, version); err != nil {
		return stowed, err
	}
	done.Kept, done.KeptVersion = stowed.Table, version
	return stowed, l.ledger.MarkKept(ctx, tx, t.Table, ledger.VersionAt(version, stowed))
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
