package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// checkPartitioned refuses a partitioned table under which the partitions of the
// job could not be put, or with partitions that could not be taken away.
func (l *load) checkPartitioned(ctx context.Context, conn pg.Querier, owned bool) error {
	t, j := l.target, l.plan.Job
	var byID bool
	err := conn.QueryRow(ctx, `
		select p.partstrat = 'r' and p.partnatts = 1 and coalesce(a.attname = $2, false)
		from pg_partitioned_table p left join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
		where p.partrelid = $1`, t.OID, j.IDColumn).Scan(&byID)
	if err != nil {
		return pg.Wrap(err, "looking up how table %s is partitioned", t.Table)
	}
	if !byID {
		return t.Refuse("is not partitioned by range of %s: choose another name", j.IDColumn)
	}
	if j.Partitions == 0 {
		return nil // rows are added, as anybody may
	}
	if !owned {
		return t.NotOwned("changing the partitions of")
	}
	if err := checkOwner(ctx, conn, t); err != nil {
		return err
	}
	if err := checkConstraints(ctx, conn, t, j); err != nil {
		return err
	}
	if l.others, err = t.OtherIndexes(ctx, conn, j.GeomColumn); err != nil {
		return err
	}
	if j.IfExists == job.Append {
		// A partition must have what its parent has.
		have, err := t.SpatialIndexes(ctx, conn, j.GeomColumn)
		if err != nil {
			return err
		}
		l.index = indexOf(have["gist"] != nil, have["brin"] != nil)
		return nil
	}
	return l.checkPartitionDependents(ctx, conn)
}

// checkConstraints refuses a parent with checks, or columns that must not be null,
// that a new partition would lack: it could not be attached.
func checkConstraints(ctx context.Context, q pg.Querier, t catalog.Relation, job job.Job) error {
	var found *string
	err := q.QueryRow(ctx, `
		select string_agg(what, ', ') from (
			select 'check ' || quote_ident(conname) as what from pg_constraint where conrelid = $1 and contype = 'c' and not connoinherit
			union all
			select 'not null on ' || quote_ident(attname) from pg_attribute
			where attrelid = $1 and attnum > 0 and not attisdropped and attnotnull and attname <> $2) c`, t.OID, job.IDColumn).Scan(&found)
	if err != nil {
		return pg.Wrap(err, "looking for the constraints of table %s", t.Table)
	}
	if found != nil {
		return t.Refuse("has constraints that new partitions would lack: %s: drop them before, and make them again after", *found)
	}
	return nil
}

func indexOf(gist, brin bool) job.Index {
	switch {
	case gist && brin:
		return job.IndexBoth
	case gist:
		return job.IndexGiST
	case brin:
		return job.IndexBRIN
	}
	return job.IndexNone
}

// checkPartitionDependents refuses partitions that something depends on by
// itself, and a table that foreign keys point to: their rows cannot go.
func (l *load) checkPartitionDependents(ctx context.Context, conn pg.Querier) error {
	if err := l.target.CheckForeignKeys(ctx, conn); err != nil {
		return err
	}
	parts, err := l.target.Partitions(ctx, conn)
	if err != nil {
		return err
	}
	oids := make([]uint32, len(parts))
	for i, p := range parts {
		oids[i] = p.OID
	}
	names, err := catalog.Dependents(ctx, conn, oids)
	if err != nil {
		return pg.Wrap(err, "looking for what depends on the partitions of table %s", l.target)
	}
	if len(names) > 0 {
		return l.target.Refuse("cannot be replaced, since these depend on a partition of it by itself: %s: %s", strings.Join(names, ", "), catalog.DropDependents)
	}
	return nil
}

// checkRanges refuses new partitions whose ranges of cell_id would lie across
// those of the partitions that the table has.
func (l *load) checkRanges(ctx context.Context, conn pg.Querier) error {
	parts, err := l.target.Partitions(ctx, conn)
	if err != nil {
		return err
	}
	for i := range l.plan.Chunks {
		from, to := l.plan.Bounds(l.plan.Chunk(i))
		if p := findOverlap(parts, from, to); p != nil {
			return &geomgen.ParamError{Param: "partitions", Value: fmt.Sprint(l.plan.Job.Partitions), Reason: fmt.Sprintf(
				"a new partition for %s from %d to %d would lie across %s of table %s: leave partitions out, and the rows go into those that are there",
				l.plan.Job.IDColumn, from, to, p.Table, l.target)}
		}
	}
	return nil
}

// findOverlap returns a partition that is for some of the ids from one to before
// another, nil where none is.
func findOverlap(parts []catalog.Partition, from, to int64) *catalog.Partition {
	for _, p := range parts {
		if (p.To == nil || *p.To > from) && (p.From == nil || *p.From < to) {
			return &p
		}
	}
	return nil
}

// createMissingPartitions makes partitions of the target for those rows of the staging table
// that none of its partitions is for: one for each gap between their ranges.
func (l *load) createMissingPartitions(ctx context.Context, tx pgx.Tx) error {
	parts, err := l.target.Partitions(ctx, tx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(parts, func(p catalog.Partition) bool { return p.Bounds == "DEFAULT" }) {
		return nil
	}
	id := pgx.Identifier{l.plan.Job.IDColumn}.Sanitize()
	var ranges [][2]int64
	var after *int64 // the end of the range before the gap
	for i := 0; i <= len(parts); i++ {
		var before *int64
		if i < len(parts) {
			before = parts[i].From
		}
		var first, last *int64
		err := tx.QueryRow(ctx, "select min("+id+"), max("+id+") from "+l.staging.SQL()+
			" where ($1::bigint is null or "+id+" >= $1) and ($2::bigint is null or "+id+" < $2)", after, before).Scan(&first, &last)
		if err != nil {
			return pg.Wrap(err, "looking for rows that no partition of table %s is for", l.target)
		}
		if first != nil && (i == 0 && (before != nil || len(parts) == 0) || i > 0 && after != nil) {
			ranges = append(ranges, [2]int64{*first, *last + 1})
		}
		if i < len(parts) {
			after = parts[i].To
		}
	}
	if len(ranges) == 0 {
		return nil
	}
	names, err := l.freeNames(ctx, tx, len(ranges), len(parts), nil)
	if err != nil {
		return err
	}
	var sql []string
	for i, r := range ranges {
		sql = append(sql, fmt.Sprintf("create table %s partition of %s (%s) for values from (%d) to (%d)",
			catalog.QuoteTable(names[i]), l.target.SQL(), catalog.BoundsCheckSQL(l.plan.Job, r[0], r[1]), r[0], r[1]))
	}
	_, err = tx.Exec(ctx, strings.Join(sql, "; "))
	return pg.Wrap(err, "making partitions of table %s for the new rows", l.target)
}
