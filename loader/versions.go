package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// archiveVersion puts what table t shows under the name of its version, in the transaction
// that then shows another. A plain table is renamed. Of a partitioned one the
// partitions go under a parent of their own, with the same columns, keys, indexes
// and grants: the parent that is there stays, and with it what depends on it.
func archiveVersion(ctx context.Context, tx pgx.Tx, t catalog.Relation, partitioned bool, version int64) (kept catalog.Relation, err error) {
	kept = catalog.Relation{Table: ledger.VersionName(t.Table, version)}
	if err := kept.Find(ctx, tx); err != nil {
		return kept, err
	}
	if kept.OID != 0 {
		return kept, fmt.Errorf("table %s is in the way of keeping version %d of table %s: rename or drop it", kept, version, t.Table)
	}
	if !partitioned {
		kept.OID = t.OID
		return kept, catalog.RenameTable(ctx, tx, t.Table, kept.Name)
	}
	var key string
	if err := tx.QueryRow(ctx, "select pg_get_partkeydef($1)", t.OID).Scan(&key); err != nil {
		return kept, pg.Wrap(err, "looking up how table %s is partitioned", t.Table)
	}
	if _, err := tx.Exec(ctx, "create table "+kept.SQL()+" (like "+t.SQL()+" including all) partition by "+key); err != nil {
		return kept, pg.Wrap(err, "making table %s, which keeps version %d of %s", kept, version, t.Table)
	}
	if err := kept.Find(ctx, tx); err != nil {
		return kept, err
	}
	if err := catalog.MovePartitions(ctx, tx, t, kept); err != nil {
		return kept, err
	}
	if err := catalog.SecureRows(ctx, tx, t, kept.Table); err != nil {
		return kept, err
	}
	return kept, catalog.CopyGrants(ctx, tx, t, kept.Table)
}

// restoreTable gives a table that stow has put away, and its partitions, the name t,
// which no table has.
func restoreTable(ctx context.Context, tx pgx.Tx, kept catalog.Relation, t job.Table) error {
	parts, err := kept.Partitions(ctx, tx)
	if err != nil {
		return err
	}
	if err := catalog.RenamePartitionsAfter(ctx, tx, parts, kept.Name, t.Name); err != nil {
		return err
	}
	return catalog.RenameTable(ctx, tx, kept.Table, t.Name)
}

// restorePartitions gives t, which has no partitions at this moment, those that stow
// has put away, and drops the parent that they have had meanwhile.
func restorePartitions(ctx context.Context, tx pgx.Tx, kept, t catalog.Relation) error {
	if err := catalog.MovePartitions(ctx, tx, kept, t); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "drop table "+kept.SQL()); err != nil {
		return pg.Wrap(err, "dropping table %s, whose partitions are those of %s again", kept, t.Table)
	}
	return t.SetPartitionOwner(ctx, tx)
}

// prune drops the versions of the table that are more than the job keeps. It is
// best effort: the table is published, and the next run tries again.
func (l *load) prune(ctx context.Context) {
	if l.plan.Job.Keep == 0 {
		return
	}
	versions, err := l.ledger.KeptVersions(ctx, l.lock.conn, l.target.Table)
	if err != nil {
		l.log.Warn("versions of the table that are too old may still be there", "error", pg.Message(err))
		return
	}
	for i := l.plan.Job.Keep; i < len(versions); i++ {
		if err := dropVersion(ctx, l.lock.conn, l.ledger, l.target.Table, versions[i]); err != nil {
			l.log.Warn("a version of the table that is too old is still there", "table", versions[i].Kept.String(), "error", pg.Message(err))
		}
	}
}

// dropVersion drops the table that keeps a version of t. One that somebody has put
// in its place is not touched. The caller holds the lock of t.
func dropVersion(ctx context.Context, db pg.Beginner, l ledger.Ledger, t job.Table, v ledger.Version) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := pg.SetLocal(ctx, tx, publishLock()); err != nil {
			return err
		}
		kept := catalog.Relation{Table: v.Kept}
		if err := kept.Find(ctx, tx); err != nil {
			return err
		}
		if kept.OID != 0 && kept.OID == v.OID {
			if _, err := tx.Exec(ctx, "drop table "+kept.SQL()); err != nil {
				return err
			}
		}
		return l.MarkDropped(ctx, tx, t, v.ID)
	})
	return pg.Wrap(err, "dropping table %s, which keeps version %d of %s", v.Kept, v.ID, t)
}
