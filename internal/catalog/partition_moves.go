package catalog

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/loader/job"
)

const partitionOwnerSQL = `
	select coalesce(array_agg(format('alter table %I.%I owner to %I', n.nspname, c.relname, pg_get_userbyid(p.relowner))), '{}')
	from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_class c on c.oid = i.inhrelid
	join pg_namespace n on n.oid = c.relnamespace
	where p.oid = $1 and c.relowner <> p.relowner`

// SetPartitionOwner gives all partitions the owner of their parent.
func (t Relation) SetPartitionOwner(ctx context.Context, tx pgx.Tx) error {
	var sql []string
	err := tx.QueryRow(ctx, partitionOwnerSQL, t.OID).Scan(&sql)
	if err == nil {
		err = pipeline.Exec(ctx, tx, sql...)
	}

	return pg.Wrap(err, "giving the partitions the owner of table %s", t.Table)
}

// MovePartitions moves the partitions of one table to another, and renames them accordingly. Partitions from a
// run have a check of their bounds, so attaching them does not read them. A default partition comes last: it is
// read for each partition that is attached after it.
func MovePartitions(ctx context.Context, tx pgx.Tx, from, to Relation) error {
	parts, err := from.Partitions(ctx, tx)
	if err != nil || len(parts) == 0 {
		return err
	}

	var sql []string

	for _, p := range parts {
		sql = append(sql, "alter table "+from.SQL()+" detach partition "+p.SQL())
	}

	isDefault := func(p Partition) int {
		if p.Bounds == "DEFAULT" {
			return 1
		}

		return 0
	}

	slices.SortStableFunc(parts, func(a, b Partition) int { return isDefault(a) - isDefault(b) })

	for _, p := range parts {
		sql = append(sql, "alter table "+to.SQL()+" attach partition "+p.SQL()+" "+p.Bounds)
	}

	if err := pipeline.Exec(ctx, tx, sql...); err != nil {
		return pg.Wrap(err, "moving %d partitions from table %s to %s", len(parts), from.Table, to.Table)
	}

	return RenamePartitionsAfter(ctx, tx, parts, from.Name, to.Name)
}

// SecureRows gives a table the row security of another one, without its policies: only its owner then sees the
// rows, instead of everybody with a grant.
func SecureRows(ctx context.Context, tx pgx.Tx, from Relation, to job.Table) error {
	var enabled, forced bool
	err := tx.QueryRow(ctx, "select relrowsecurity, relforcerowsecurity from pg_class where oid = $1", from.OID).Scan(&enabled, &forced)
	if err == nil && enabled {
		_, err = tx.Exec(ctx, "alter table "+QuoteTable(to)+" enable row level security")
	}

	if err == nil && forced {
		_, err = tx.Exec(ctx, "alter table "+QuoteTable(to)+" force row level security")
	}

	return pg.Wrap(err, "giving table %s the row security of %s", to, from.Table)
}
