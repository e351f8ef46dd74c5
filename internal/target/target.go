// Package target owns the state of the table that readers see before a load, and the check in the
// publish transaction that it has not changed.
package target

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/partitiontree"
	"github.com/loadgrid/loadgrid/internal/pg"
)

// Target is the table that readers see, as checked before the load. Its OID is 0 if there is none.
type Target struct {
	catalog.Relation
	Partitioned bool
	Columns     []string               // with their types
	Members     []partitiontree.Member // partitions and subpartitions
}

// Look records the state of the table before the load.
func (t *Target) Look(ctx context.Context, q pg.Querier) (err error) {
	if t.Columns, err = t.ColumnTypes(ctx, q); err != nil {
		return err
	}

	t.Members, err = partitiontree.Read(ctx, q, t.Relation)

	return err
}

// LockToReplace locks out all other sessions, and checks that the table has not changed. Anything
// that somebody has added to it since would be dropped or emptied with it.
func (t Target) LockToReplace(ctx context.Context, tx pgx.Tx) error {
	if t.OID == 0 {
		return nil
	}

	if err := t.LockExclusive(ctx, tx); err != nil {
		return err
	}

	if err := t.checkPlace(ctx, tx); err != nil {
		return err
	}

	if err := t.checkColumns(ctx, tx); err != nil {
		return err
	}

	return t.checkPartitions(ctx, tx, true)
}

// LockToAdd checks that no part of the table is gone. Readers and writers continue. If the role may
// lock the table, nobody can attach or detach a partition or run VACUUM until the end of the
// transaction. Meeting a VACUUM that holds this lock only after the rows were added would lose them
// all.
func (t Target) LockToAdd(ctx context.Context, tx pgx.Tx) error {
	may, err := t.Maintained(ctx, tx)
	mode := "row exclusive"
	if may {
		mode = "share update exclusive"
	}

	if err == nil {
		_, err = tx.Exec(ctx, "lock table "+t.SQL()+" in "+mode+" mode")
	}

	if err != nil {
		return pg.Wrap(err, "locking table %s to add to it", t)
	}

	if err := t.CheckSame(ctx, tx); err != nil { // from here on, no other table can get its name
		return err
	}

	if err := t.checkColumns(ctx, tx); err != nil {
		return err
	}

	return t.checkPartitions(ctx, tx, false)
}

// Maintained reports whether the role owns the table and may lock it. In that case the run
// maintains its statistics.
func (t Target) Maintained(ctx context.Context, tx pgx.Tx) (owned bool, err error) {
	err = tx.QueryRow(ctx, "select pg_has_role(relowner, 'USAGE') and has_table_privilege(oid, 'UPDATE') from pg_class where oid = $1", t.OID).Scan(&owned)
	return owned, pg.Wrap(err, "looking up the owner of table %s", t)
}

// changed returns the error for a table that has changed.
func (t Target) changed(what string) error {
	return fmt.Errorf("table %s has changed since the run began (%s): somebody altered it; if that is intended, run the same command again", t, what)
}

// checkPlace refuses a table that has become a partition of another one, or has children, which
// would be dropped or emptied with it.
func (t Target) checkPlace(ctx context.Context, tx pgx.Tx) error {
	_, isPartition, _, err := t.Describe(ctx, tx)
	if err == nil && isPartition {
		return t.changed("it is a partition or a child of another table, or has children")
	}

	return err
}

// checkColumns checks that the columns are those from before the load: columns that somebody has
// added would be lost.
func (t Target) checkColumns(ctx context.Context, tx pgx.Tx) error {
	columns, err := t.ColumnTypes(ctx, tx)
	if err != nil {
		return err
	}

	if other := catalog.DiffColumns(columns, t.Columns); other != "" {
		return t.changed(other)
	}

	return nil
}

// checkPartitions checks that the partitions from before the load are still present. Unless
// noOthers is true, there may be more.
func (t Target) checkPartitions(ctx context.Context, tx pgx.Tx, noOthers bool) error {
	if !t.Partitioned {
		return nil
	}

	now, err := partitiontree.Read(ctx, tx, t.Relation)
	if err != nil {
		return err
	}

	changes, added, err := partitiontree.Diff(ctx, tx, t.Members, now)
	if err != nil {
		return err
	}

	if noOthers {
		changes = append(changes, added...)
	}

	if len(changes) > 0 {
		return t.changed(partitiontree.ListChanges(changes))
	}

	return nil
}
