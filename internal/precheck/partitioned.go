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

// checkPartitioned refuses a partitioned table to which the job's partitions could not be attached, or whose
// partitions could not be removed.
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
		return nil // rows are added, which needs no ownership
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
		// A partition must have all indexes of its parent.
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

// checkConstraints refuses a parent with checks or not-null columns that a new partition would lack, because it
// could not be attached.
func checkConstraints(ctx context.Context, q pg.Querier, t catalog.Relation, j job.Job) error {
	var found *string
	err := q.QueryRow(ctx, constraintsSQL, t.OID, j.KeyColumns()).Scan(&found)
	if err != nil {
		return pg.Wrap(err, "looking for the constraints of table %s", t.Table)
	}

	if found != nil {
		return t.Refuse("has constraints that new partitions would lack: %s: drop them first, and create them again afterwards", *found)
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

// checkPartitionDependents refuses partitions on which something depends directly, and a table that foreign keys
// reference: their rows cannot be removed.
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
		return c.target.Refuse("cannot be replaced, because these depend directly on one of its partitions: %s: %s", strings.Join(names, ", "), catalog.DropDependents)
	}

	return nil
}

// checkRanges refuses new partitions whose ranges of cell_id would overlap partitions of the table.
func (c *checker) checkRanges(ctx context.Context) error {
	parts, err := c.target.Partitions(ctx, c.db)
	if err != nil {
		return err
	}

	for i := range c.plan.Chunks {
		from, to := c.plan.Bounds(c.plan.Chunk(i))
		if p := findOverlap(parts, from, to); p != nil {
			return &geomgen.ParamError{Param: "partitions", Value: fmt.Sprint(c.plan.Job.Partitions), Reason: fmt.Sprintf(
				"a new partition for %s from %d to %d would overlap %s of table %s: leave partitions out to put the rows into the existing ones",
				c.plan.Job.IDColumn, from, to, p.Table, c.target)}
		}
	}

	return nil
}

// findOverlap returns a partition for some of the ids in [from, to), or nil if there is none.
func findOverlap(parts []catalog.Partition, from, to int64) *catalog.Partition {
	for _, p := range parts {
		if (p.To == nil || *p.To > from) && (p.From == nil || *p.From < to) {
			return &p
		}
	}

	return nil
}
