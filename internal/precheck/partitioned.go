package precheck

import (
	"context"
	"fmt"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// checkPartitioned refuses a partitioned table under which the partitions of the
// job could not be put, or with partitions that could not be taken away.
func (c *checker) checkPartitioned(ctx context.Context, owned bool) error {
	t, j := c.target.Relation, c.plan.Job
	var byID bool
	err := c.db.QueryRow(ctx, `
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

	if err := checkOwner(ctx, c.db, t); err != nil {
		return err
	}

	if err := checkConstraints(ctx, c.db, t, j); err != nil {
		return err
	}

	if c.others, err = t.OtherIndexes(ctx, c.db, j.GeomColumn); err != nil {
		return err
	}

	if j.IfExists == job.Append {
		// A partition must have what its parent has.
		have, err := t.SpatialIndexNames(ctx, c.db, j.GeomColumn)
		if err != nil {
			return err
		}

		c.index = indexOf(have["gist"] != nil, have["brin"] != nil)

		return nil
	}

	return c.checkPartitionDependents(ctx)
}

const constraintsSQL = `
	select string_agg(what, ', ') from (
		select 'check ' || quote_ident(conname) as what from pg_constraint where conrelid = $1 and contype = 'c' and not connoinherit
		union all
		select 'not null on ' || quote_ident(attname) from pg_attribute
		where attrelid = $1 and attnum > 0 and not attisdropped and attnotnull and attname <> all ($2)) c`

// checkConstraints refuses a parent with checks, or columns that must not be null,
// that a new partition would lack: it could not be attached.
func checkConstraints(ctx context.Context, q pg.Querier, t catalog.Relation, j job.Job) error {
	var found *string
	err := q.QueryRow(ctx, constraintsSQL, t.OID, j.KeyColumns()).Scan(&found)
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
func (c *checker) checkPartitionDependents(ctx context.Context) error {
	if err := c.target.CheckForeignKeys(ctx, c.db); err != nil {
		return err
	}

	parts, err := c.target.Partitions(ctx, c.db)
	if err != nil {
		return err
	}

	oids := make([]uint32, len(parts))

	for i, p := range parts {
		oids[i] = p.OID
	}

	names, err := catalog.Dependents(ctx, c.db, oids)
	if err != nil {
		return pg.Wrap(err, "looking for what depends on the partitions of table %s", c.target)
	}

	if len(names) > 0 {
		return c.target.Refuse("cannot be replaced, since these depend on a partition of it by itself: %s: %s", strings.Join(names, ", "), catalog.DropDependents)
	}

	return nil
}

// checkRanges refuses new partitions whose ranges of cell_id would lie across
// those of the partitions that the table has.
func (c *checker) checkRanges(ctx context.Context) error {
	parts, err := c.target.Partitions(ctx, c.db)
	if err != nil {
		return err
	}

	for i := range c.plan.Chunks {
		from, to := c.plan.Bounds(c.plan.Chunk(i))
		if p := findOverlap(parts, from, to); p != nil {
			return &geomgen.ParamError{Param: "partitions", Value: fmt.Sprint(c.plan.Job.Partitions), Reason: fmt.Sprintf(
				"a new partition for %s from %d to %d would lie across %s of table %s: leave partitions out, and the rows go into those that are there",
				c.plan.Job.IDColumn, from, to, p.Table, c.target)}
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
