package publish

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// archiver moves the present version of a table to the name of that version, in the transaction that then shows
// another one.
type archiver func(ctx context.Context, tx pgx.Tx, t catalog.Relation, version int64) (kept catalog.Relation, err error)

// archiveTable renames a plain table.
func archiveTable(ctx context.Context, tx pgx.Tx, t catalog.Relation, version int64) (kept catalog.Relation, err error) {
	if kept, err = freeVersionName(ctx, tx, t, version); err != nil {
		return kept, err
	}

	kept.OID = t.OID

	return kept, catalog.RenameTable(ctx, tx, t.Table, kept.Name)
}

// archivePartitions moves the partitions of a table to a parent of their own, with the same columns, keys,
// indexes and grants. The existing parent stays, together with what depends on it.
func archivePartitions(ctx context.Context, tx pgx.Tx, t catalog.Relation, version int64) (kept catalog.Relation, err error) {
	if kept, err = freeVersionName(ctx, tx, t, version); err != nil {
		return kept, err
	}

	var key string
	if err := tx.QueryRow(ctx, "select pg_get_partkeydef($1)", t.OID).Scan(&key); err != nil {
		return kept, pg.Wrap(err, "looking up how table %s is partitioned", t.Table)
	}

	if _, err := tx.Exec(ctx, "create table "+kept.SQL()+" (like "+t.SQL()+" including all) partition by "+key); err != nil {
		return kept, pg.Wrap(err, "creating table %s, which keeps version %d of %s", kept, version, t.Table)
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

	if err := catalog.CopyKeyComment(ctx, tx, t, kept); err != nil {
		return kept, err
	}

	return kept, catalog.CopyGrants(ctx, tx, t, kept.Table)
}

// freeVersionName returns the name of a version. No table may have that name.
func freeVersionName(ctx context.Context, tx pgx.Tx, t catalog.Relation, version int64) (catalog.Relation, error) {
	kept := catalog.Relation{Table: ledger.VersionName(t.Table, version)}
	if err := kept.Find(ctx, tx); err != nil {
		return kept, err
	}

	if kept.OID != 0 {
		return kept, fmt.Errorf("table %s blocks keeping version %d of table %s: rename or drop it", kept, version, t.Table)
	}

	return kept, nil
}

// restoreTable gives an archived table, and its partitions, the name t, which no table has.
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

// restorePartitions attaches archived partitions to t, which has none at this moment, and drops the parent that
// kept them.
func restorePartitions(ctx context.Context, tx pgx.Tx, kept, t catalog.Relation) error {
	if err := catalog.MovePartitions(ctx, tx, kept, t); err != nil {
		return err
	}

	if _, err := tx.Exec(ctx, "drop table "+kept.SQL()); err != nil {
		return pg.Wrap(err, "dropping table %s, whose partitions belong to %s again", kept, t.Table)
	}

	return t.SetPartitionOwner(ctx, tx)
}

// dropOldVersions drops versions of the table beyond those that the job keeps. It is best effort: the table is
// published, and the next run tries again.
func (p Publisher) dropOldVersions(ctx context.Context, keep int) {
	conn, log := p.Lock.Conn(), p.Observer.Log

	versions, err := p.Ledger.KeptVersions(ctx, conn, p.Target.Table)
	if err != nil {
		log.Warn("old versions of the table may still exist", "error", pg.Message(err))
		return
	}

	for i := keep; i < len(versions); i++ {
		if err := DropVersion(ctx, conn, p.Ledger, p.Target.Table, versions[i]); err != nil {
			log.Warn("an old version of the table still exists", "table", versions[i].Kept.String(), "error", pg.Message(err))
		}
	}
}

// isKept reports whether the table under the name of a kept version is that version.
func isKept(ctx context.Context, tx pgx.Tx, l ledger.Ledger, t job.Table, v ledger.Version, found catalog.Relation) (bool, error) {
	if found.OID == 0 || v.Kept != ledger.VersionName(t, v.ID) { // no run has put it away under another name
		return false, nil
	}

	return l.IsVersion(ctx, tx, t, v.ID, found.OID)
}

// DropVersion drops the table that keeps a version of t. It does not touch a table that replaced the kept one.
// The caller holds the lock of t.
func DropVersion(ctx context.Context, db pg.Beginner, l ledger.Ledger, t job.Table, v ledger.Version) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		spread, err := distribution.IsNameDistributed(ctx, tx, v.Kept)
		if err == nil {
			err = distribution.SetLocal(ctx, tx, spread, lockSetting())
		}
		if err != nil {
			return err
		}

		kept := catalog.Relation{Table: v.Kept}
		if err := kept.Find(ctx, tx); err != nil {
			return err
		}

		is, err := isKept(ctx, tx, l, t, v, kept)
		if err != nil {
			return err
		}

		if is {
			if _, err := tx.Exec(ctx, "drop table "+kept.SQL()); err != nil {
				return err
			}
		}

		return l.MarkVersionDropped(ctx, tx, t, v.ID)
	})

	return pg.Wrap(err, "dropping table %s, which keeps version %d of %s", v.Kept, v.ID, t)
}
