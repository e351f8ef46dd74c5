package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/loader/job"
)

// CreateMissingPartitions creates partitions of the table for rows of the staging table that fit no partition:
// one for each gap between the ranges.
func (t Relation) CreateMissingPartitions(ctx context.Context, tx pgx.Tx, staging Relation, j job.Job) error {
	parts, err := t.Partitions(ctx, tx)
	if err != nil {
		return err
	}

	if slices.ContainsFunc(parts, func(p Partition) bool { return p.Bounds == "DEFAULT" }) {
		return nil
	}

	ranges, err := t.missingRanges(ctx, tx, staging, j, parts)
	if err != nil || len(ranges) == 0 {
		return err
	}

	names, err := FreePartitionNames(ctx, tx, t.Table, len(ranges), len(parts), nil)
	if err != nil {
		return err
	}

	var sql []string
	for i, r := range ranges {
		sql = append(sql, fmt.Sprintf("create table %s partition of %s (%s) for values from (%d) to (%d)",
			QuoteTable(names[i]), t.SQL(), BoundsCheckSQL(j, r[0], r[1]), r[0], r[1]))
	}

	if err := pipeline.Exec(ctx, tx, sql...); err != nil {
		return pg.Wrap(err, "creating partitions of table %s for the new rows", t.Table)
	}

	// Expressions of their indexes run as their owner whenever autovacuum analyzes them. A superuser owns no
	// partition of another role's table; a member of the table's owner may.
	var super bool
	if err := tx.QueryRow(ctx, "select rolsuper from pg_roles where rolname = current_user").Scan(&super); err != nil || !super {
		return pg.Wrap(err, "looking up the role")
	}

	return t.SetPartitionOwner(ctx, tx)
}

// missingRanges returns the ranges of ids, including their first id and excluding their end, of rows in gaps
// between partitions.
func (t Relation) missingRanges(ctx context.Context, tx pgx.Tx, staging Relation, j job.Job, parts []Partition) (ranges [][2]int64, err error) {
	id := pgx.Identifier{j.IDColumn}.Sanitize()
	var after *int64 // end of the range before the gap

	for i := 0; i <= len(parts); i++ {
		var before *int64
		if i < len(parts) {
			before = parts[i].From
		}

		var first, last *int64
		err := tx.QueryRow(ctx, "select min("+id+"), max("+id+") from "+staging.SQL()+
			" where ($1::bigint is null or "+id+" >= $1) and ($2::bigint is null or "+id+" < $2)", after, before).Scan(&first, &last)
		if err != nil {
			return nil, pg.Wrap(err, "looking for rows that fit no partition of table %s", t.Table)
		}

		if first != nil && (i == 0 && (before != nil || len(parts) == 0) || i > 0 && after != nil) {
			ranges = append(ranges, [2]int64{*first, *last + 1})
		}

		if i < len(parts) {
			after = parts[i].To
		}
	}

	return ranges, nil
}
