// Package target owns what was known of the table that readers see before a load, and the
// check in the publish transaction that it is still so.
package target

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/partitiontree"
	"github.com/loadgrid/loadgrid/internal/pg"
)

// Target is the table that readers see, as it was checked before the load. Its OID is 0
// where there is none.
type Target struct {
	catalog.Relation
	Partitioned bool
	Columns     []string               // with their types
	Members     []partitiontree.Member // partitions, and those of partitions
}

// Look notes what the table is like before the load.
func (t *Target) Look(ctx context.Context, q pg.Querier) (err error) {
	if t.Columns, err = t.ColumnTypes(ctx, q); err != nil {
		return err
	}

	t.Members, err = partitiontree.Read(ctx, q, t.Relation)

	return err
}

// LockToReplace keeps everybody else from the table, and sees to it that it is what it was: what
// somebody has added to it since would be dropped with it, or emptied.
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

// LockToAdd sees to it that nothing of the table is gone. Readers and writers go on. Where
// the role may lock the table, nobody attaches a partition, detaches one or runs VACUUM until
// the end of the transaction: met only after the rows were added, a VACUUM that holds this
// lock would throw them all away again.
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

	if err := t.CheckSame(ctx, tx); err != nil { // its name cannot become another's from here on
		return err
	}

	if err := t.checkColumns(ctx, tx); err != nil {
		return err
	}

	return t.checkPartitions(ctx, tx, false)
}

// Maintained reports whether the role owns the table, and may lock it: it sees to its
// statistics then.
func (t Target) Maintained(ctx context.Context, tx pgx.Tx) (owned bool, err error) {
	err = tx.QueryRow(ctx, "select pg_has_role(relowner, 'USAGE') and has_table_privilege(oid, 'UPDATE') from pg_class where oid = $1", t.OID).Scan(&owned)
	return owned, pg.Wrap(err, "looking up the owner of table %s", t)
}

// changed returns the error of a table that is not what it was.
func (t Target) changed(what string) error {
	return fmt.Errorf("table %s has changed since the run began (%s): somebody altered it; if that is intended, run the same command again", t, what)
}

// checkPlace refuses a table that has become a partition of another, or has children: they
// would be dropped or emptied with it.
func (t Target) checkPlace(ctx context.Context, tx pgx.Tx) error {
	_, isPartition, _, err := t.Describe(ctx, tx)
	if err == nil && isPartition {
		return t.changed("it is a partition or a child of another table, or has children")
	}

	return err
}

// checkColumns sees to it that the columns are still those that were checked before the
// load: what somebody has added would be lost.
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

// checkPartitions sees to it that the partitions are those that were there before the load.
// Others may have come where they all stay.
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
