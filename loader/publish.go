package loader

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// publishLockTimeout is how long publish lets readers queue behind it before it
// steps back and tries again later.
const publishLockTimeout = 2 * time.Second

func publishLock() pg.Setting {
	return pg.Setting{Name: "lock_timeout", Value: fmt.Sprint(publishLockTimeout.Milliseconds())}
}

// publish makes the finished table visible, in one transaction together with
// its state in the ledger: readers see what was there before, or all of it. It
// runs on the connection that holds the table's lock, so that a run which has
// lost the lock cannot publish.
func (l *load) publish(ctx context.Context) error {
	err := l.retry(ctx, l.options.PublishFor, "publish", func() error {
		if err := l.ensureLock(ctx); err != nil {
			return err
		}
		// An earlier try may have been committed although its answer was lost.
		run, found, err := l.ledger.Find(ctx, l.lock.conn, l.run)
		if err != nil {
			return err
		}
		if !found || run.State == ledger.StateDropped {
			return fmt.Errorf("run %d was dropped from the ledger in the meantime", l.run)
		}
		if run.State == ledger.StatePublished {
			return nil
		}
		return l.publishTx(ctx)
	})
	if err == nil {
		l.restoreSession(ctx)
		l.analyzeParent(ctx)
		l.prune(ctx)
		l.pruneRuns(ctx)
	}
	return err
}

// analyzeParent gathers the statistics of a parent that has new partitions. They
// have theirs; the parent's are for joins, and would keep readers waiting inside
// the transaction that publishes. It is best effort: the table is published.
func (l *load) analyzeParent(ctx context.Context) {
	if !l.partitioned || l.target.OID == 0 {
		return
	}
	var err error
	if l.plan.Method == plan.MethodPartitions {
		err = l.analyzePartitioned(ctx, l.target)
	} else {
		err = l.exec(ctx, "analyze "+l.target.SQL())
	}
	if err != nil {
		l.log.Warn("the table is published, but its statistics as a whole are those from before: run ANALYZE on it", "error", pg.Message(err))
	}
}

func (l *load) publishTx(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, l.lock.conn, func(tx pgx.Tx) error {
		if err := pg.SetLocal(ctx, tx, publishLock()); err != nil {
			return err
		}
		if err := l.target.CheckSame(ctx, tx); err != nil {
			return err
		}
		if l.target.OID != 0 && !l.appends() {
			if err := l.target.LockExclusive(ctx, tx); err != nil {
				return err
			}
		}
		if err := l.checkUnchanged(ctx, tx); err != nil {
			return err
		}
		if err := l.checkWhole(ctx, tx); err != nil {
			return err
		}
		version := l.run
		if l.appends() {
			shown, found, err := l.ledger.ShownVersion(ctx, tx, l.target.Table, l.target.OID)
			if err != nil {
				return err
			}
			if found {
				version = shown
			}
		}
		oid, err := l.show(ctx, tx)
		if err != nil {
			return err
		}
		if version == l.run {
			if err := l.ledger.MarkReplaced(ctx, tx, l.target.Table); err != nil {
				return err
			}
		}
		// First, so that the step may ask for the table's grid.
		if err := l.ledger.MarkPublished(ctx, tx, l.run, oid, version, l.plan.Rows-l.summary.RowsSkipped); err != nil {
			return err
		}
		if err := l.runAfter(ctx, tx, oid); err != nil {
			return err
		}
		return l.recordTableState(ctx, tx, oid)
	})
	return pg.Wrap(pg.MarkConnClosed(l.lock.conn.Conn(), err), "publishing table %s", l.target)
}

// show puts the rows where readers see them, and returns the table that has them.
func (l *load) show(ctx context.Context, tx pgx.Tx) (oid uint32, err error) {
	switch {
	case l.plan.Method == plan.MethodPartitions && l.target.OID != 0:
		return l.target.OID, l.swapPartitions(ctx, tx)
	case l.appends():
		return l.target.OID, l.appendRows(ctx, tx)
	case l.truncates():
		return l.target.OID, l.truncateRows(ctx, tx)
	}
	return l.staging.OID, l.swapTable(ctx, tx)
}

// checkUnchanged sees to it that the table is still what was checked before the
// load: else columns that somebody has added would be lost, or a view would follow
// the old table.
func (l *load) checkUnchanged(ctx context.Context, tx pgx.Tx) error {
	if l.target.OID == 0 {
		return nil
	}
	columns, err := l.target.ColumnTypes(ctx, tx)
	if err != nil {
		return err
	}
	if other := catalog.DiffColumns(columns, l.columns); other != "" {
		return fmt.Errorf("table %s is not as it was when the run began (%s): somebody altered it; run the same command again if that is as it should be", l.target, other)
	}
	if l.partitioned || l.fills() {
		return nil
	}
	return l.target.CheckDependents(ctx, tx, catalog.DropDependents)
}

// swapTable puts the old table away, if there is one, and gives the new one its name.
func (l *load) swapTable(ctx context.Context, tx pgx.Tx) error {
	if l.target.OID != 0 {
		if err := catalog.CopyGrants(ctx, tx, l.target, l.staging.Table); err != nil {
			return err
		}
		if err := l.retireOld(ctx, tx); err != nil {
			return err
		}
	}
	if l.plan.Method == plan.MethodPartitions {
		if err := l.namePartitions(ctx, tx, 0); err != nil {
			return err
		}
	} else if _, err := tx.Exec(ctx, "alter table "+l.staging.SQL()+" reset (autovacuum_enabled)"); err != nil {
		return pg.Wrap(err, "giving %s back to autovacuum", l.staging.Table)
	}
	indexes := func(t job.Table) []catalog.IndexDef {
		defs := append(catalog.SpatialIndexes(t, l.plan.Job, l.index), catalog.CodeIndexes(t, l.plan.Job)...)
		return append(defs, catalog.KeyIndex(t, l.plan.Job))
	}
	list := []catalog.Renaming{{Kind: "table", Old: l.staging.Table, Wanted: l.target.Name}}
	wanted := indexes(l.target.Table)
	for i, d := range indexes(l.staging.Table) {
		list = append(list, catalog.Renaming{Kind: "index", Old: job.Table{Schema: l.target.Schema, Name: d.Name}, Wanted: wanted[i].Name})
	}
	if err := catalog.RenameAll(ctx, tx, list); err != nil {
		return err
	}
	return l.commentKey(ctx, tx)
}

// retireOld drops what the table shows, or keeps it as a version.
func (l *load) retireOld(ctx context.Context, tx pgx.Tx) error {
	if l.plan.Job.Keep == 0 {
		if l.partitioned {
			return l.dropPartitions(ctx, tx)
		}
		_, err := tx.Exec(ctx, "drop table "+l.target.SQL())
		return pg.Wrap(err, "dropping the old table %s", l.target)
	}
	version, found, err := l.ledger.ShownVersion(ctx, tx, l.target.Table, l.target.OID)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("the ledger in schema %s does not know any more which run's rows table %s shows", l.ledger.Schema, l.target)
	}
	kept, err := archiveVersion(ctx, tx, l.target, l.partitioned, version)
	if err != nil {
		return err
	}
	return l.ledger.MarkKept(ctx, tx, l.target.Table, ledger.VersionAt(version, kept))
}

// commentKey writes on the primary key who made the table: the table's own
// comment is the user's.
func (l *load) commentKey(ctx context.Context, tx pgx.Tx) error {
	var comment string
	err := tx.QueryRow(ctx, `
		select coalesce((select format('comment on constraint %I on %I.%I is %L', conname, $2::text, $3::text, $4::text)
		                 from pg_constraint where conrelid = ($1::text)::regclass and contype = 'p'), '')`,
		l.target.SQL(), l.target.Schema, l.target.Name, fmt.Sprintf("loadgrid %s, run %d", l.options.Version, l.run)).Scan(&comment)
	if err == nil {
		_, err = tx.Exec(ctx, comment)
	}
	return pg.Wrap(err, "writing the comment of the primary key")
}

// checkWhole sees to it that nothing has emptied the staging table since its rows
// were counted: no part of it is gone or without a page. A crash of the server
// does that to an unlogged table, and somebody may to any.
func (l *load) checkWhole(ctx context.Context, tx pgx.Tx) error {
	var whole bool
	parts := int64(1)
	if l.plan.Method == plan.MethodPartitions {
		parts = l.plan.Chunks
	}
	err := tx.QueryRow(ctx, `
		with recursive tables (oid) as (select $1::oid union all select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
		select count(*) = $2 and coalesce(bool_and(pg_relation_size(c.oid) > 0), false)
		from tables join pg_class c using (oid) where c.relkind = 'r'`, l.staging.OID, parts).Scan(&whole)
	if err != nil {
		return pg.Wrap(err, "looking at table %s", l.staging.Table)
	}
	if whole {
		return nil
	}
	if l.plan.Job.Unlogged {
		return errUnloggedLost
	}
	return fmt.Errorf("staging table %s is not whole any more: somebody changed it: drop the run with %s and start over",
		l.staging.Table, ledger.RunsCommand("drop", l.run, l.ledger.Schema))
}
