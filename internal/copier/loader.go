package copier

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Loader puts the rows of a plan into a staging table: it implements the plan's method.
type Loader interface {
	// CreateSQL returns the statements that create the staging table before the first chunk. It is empty if the
	// transaction of a chunk does that.
	CreateSQL() []string

	// Left returns what is left to build once all chunks are committed. resumed reports whether an earlier
	// attempt committed some of them.
	Left(resumed bool) build.Work

	// Layout returns how the staging table holds its rows.
	Layout() catalog.Layout

	// prepare returns the statement that creates the table of a chunk in a transaction before the chunk's, or ""
	// if there is none. The statement may run again.
	prepare(c plan.Chunk) string

	// place returns the table for a chunk and, if the chunk's own transaction creates it, the statement for that.
	// No other transaction can then see its rows, so they may be frozen at once.
	place(c plan.Chunk) (into job.Table, create string, frozen bool)

	// finish completes a chunk after its rows, in its transaction.
	finish(ctx context.Context, tx pgx.Tx, into job.Table, c plan.Chunk) error

	// rowsPerDone returns how many sent rows count as one finished row.
	rowsPerDone() int64
}

// Staging describes the staging table.
type Staging struct {
	Table  catalog.Relation
	Index  job.Index          // its spatial indexes
	Others []catalog.IndexDef // other indexes of its partitions, as in the existing table
	// Distribution is how the table is distributed over a cluster.
	Distribution distribution.Distribution
}

// NewLoader chooses the loader for a plan's method.
func NewLoader(p *plan.Plan, t Staging, settings setting.Server) Loader {
	switch p.Method {
	case plan.MethodFrozen:
		return frozen{p, t, settings}
	case plan.MethodPartitions:
		return partitioned{p, t, settings}
	}

	return chunked{p, t}
}

// indexes returns the indexes of a plain table, without its key.
func indexes(p *plan.Plan, t Staging) []catalog.IndexDef {
	return append(catalog.SpatialIndexes(t.Table.Table, p.Job, t.Index), catalog.CodeIndexes(t.Table.Table, p.Job)...)
}

// frozen creates and fills a plain table in one transaction, with COPY FREEZE.
type frozen struct {
	plan     *plan.Plan
	staging  Staging
	settings setting.Server
}

// CreateSQL is empty: the only chunk creates the table.
func (l frozen) CreateSQL() []string { return nil }

// Left returns the keys, indexes and statistics. COPY has frozen the rows and, if the server supports it, marked
// their pages, too.
func (l frozen) Left(bool) build.Work {
	return build.Work{Freeze: !l.settings.CopyMarksPages(), Key: true, Indexes: indexes(l.plan, l.staging), Analyze: true}
}

// Layout returns a plain table.
func (l frozen) Layout() catalog.Layout { return catalog.Layout{Tables: 1} }

func (l frozen) prepare(plan.Chunk) string { return "" }

func (l frozen) place(plan.Chunk) (job.Table, string, bool) {
	return l.staging.Table.Table, l.staging.Table.CreateSQL(l.plan.Job), true
}

func (l frozen) finish(context.Context, pgx.Tx, job.Table, plan.Chunk) error { return nil }
func (l frozen) rowsPerDone() int64                                          { return 1 }

// chunked fills a plain table over several streams, one transaction per chunk.
type chunked struct {
	plan    *plan.Plan
	staging Staging
}

// CreateSQL creates the table that all chunks share. It distributes the empty table over the cluster.
func (l chunked) CreateSQL() []string {
	sql := []string{l.staging.Table.CreateSQL(l.plan.Job)}
	if d := l.staging.Distribution; d.Distributed() {
		sql = append(sql, d.SQL(l.staging.Table.Table))
	}

	return sql
}

// Left returns everything that can be built.
func (l chunked) Left(bool) build.Work {
	return build.Work{Freeze: true, Key: true, Indexes: indexes(l.plan, l.staging), Analyze: true}
}

// Layout returns a plain table.
func (l chunked) Layout() catalog.Layout { return catalog.Layout{Tables: 1} }

func (l chunked) prepare(plan.Chunk) string { return "" }

func (l chunked) place(plan.Chunk) (job.Table, string, bool) {
	return l.staging.Table.Table, "", false
}

func (l chunked) finish(context.Context, pgx.Tx, job.Table, plan.Chunk) error { return nil }
func (l chunked) rowsPerDone() int64                                          { return 1 }

// partitioned creates and fills each partition in one transaction, with COPY FREEZE, its indexes and its
// statistics. It creates an unlogged partition in a separate transaction: if the server crashes while a
// transaction that created an unlogged table is open, PostgreSQL cannot start again.
type partitioned struct {
	plan     *plan.Plan
	staging  Staging
	settings setting.Server
}

// CreateSQL creates the parent. Each chunk creates its partition.
func (l partitioned) CreateSQL() []string {
	return l.staging.Table.CreatePartitionedSQL(l.plan.Job, l.staging.Index)
}

// Left returns the statistics of the whole table, and freezing what COPY did not freeze: unlogged partitions, and
// all pages of a server whose COPY does not mark them.
func (l partitioned) Left(resumed bool) build.Work {
	freeze := l.plan.Job.Unlogged || !l.settings.CopyMarksPages()

	return build.Work{Freeze: freeze, Counted: !resumed, Analyze: true, Partitioned: true} // each partition was counted when it was built
}

// Layout returns one partition per chunk.
func (l partitioned) Layout() catalog.Layout {
	return catalog.Layout{Partitioned: true, Tables: l.plan.Chunks}
}

func (l partitioned) prepare(c plan.Chunk) string {
	if !l.plan.Job.Unlogged {
		return ""
	}

	_, create := l.partition(c)

	return create
}

func (l partitioned) place(c plan.Chunk) (into job.Table, create string, frozen bool) {
	into, create = l.partition(c)
	if l.plan.Job.Unlogged {
		return into, "", false
	}

	return into, create, true
}

// partition returns the name of a chunk's partition, and the statement that creates it if it does not exist.
func (l partitioned) partition(c plan.Chunk) (into job.Table, create string) {
	from, to := l.plan.Bounds(c)
	into = l.staging.Table.StagedPartition(c.No)

	return into, l.staging.Table.CreatePartitionSQL(l.plan.Job, into, from, to)
}

func (l partitioned) finish(ctx context.Context, tx pgx.Tx, into job.Table, c plan.Chunk) error {
	others := append(catalog.SpatialIndexes(into, l.plan.Job, l.staging.Index), l.staging.Others...)
	memory := l.settings.SortMemory(c.Rows, catalog.SortedBox, int64(l.plan.Streams))

	err := build.Partition(ctx, tx, into, c.Rows, catalog.KeyIndex(into, l.plan.Job), others, memory, setting.OneWorker())
	if err != nil {
		return err
	}

	from, to := l.plan.Bounds(c)
	_, err = tx.Exec(ctx, fmt.Sprintf("alter table %s attach partition %s for values from (%d) to (%d)",
		l.staging.Table.SQL(), catalog.QuoteTable(into), from, to))

	return pg.Wrap(err, "attaching partition %s", into)
}

// rowsPerDone counts a copied row as half done: its partition is then indexed in the same transaction.
func (l partitioned) rowsPerDone() int64 { return 2 }
