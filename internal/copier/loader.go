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

// Loader is how the rows of a plan get into a staging table: the plan's method, with
// what follows from it.
type Loader interface {
	// CreateSQL are the statements that make the staging table before the first chunk. There are
	// none where the transaction of a chunk does that.
	CreateSQL() []string

	// Left says what is left to build once all chunks are committed. resumed says
	// whether an earlier attempt has committed some of them.
	Left(resumed bool) build.Work

	// Layout says how the staging table holds its rows.
	Layout() catalog.Layout

	// prepare is the statement that makes the table of a chunk in a transaction before the
	// chunk's, empty where there is no need to. It may run again.
	prepare(c plan.Chunk) string

	// place returns the table that a chunk goes into, and, where the chunk's own
	// transaction makes it, the statement for that: then no other can see its rows,
	// and they may be frozen at once.
	place(c plan.Chunk) (into job.Table, create string, frozen bool)

	// finish does what belongs to a chunk beside its rows, in its transaction.
	finish(ctx context.Context, tx pgx.Tx, into job.Table, c plan.Chunk) error

	// rowsPerDone is how many rows that are sent count as one that is done.
	rowsPerDone() int64
}

// Staging is what the staging table is to be.
type Staging struct {
	Table  catalog.Relation
	Index  job.Index          // the spatial indexes that it gets
	Others []catalog.IndexDef // which more its partitions get, as those of the table that is there
	// Distribution is how it is spread over a cluster.
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

// indexes returns the indexes of a plain table beside its key.
func indexes(p *plan.Plan, t Staging) []catalog.IndexDef {
	return append(catalog.SpatialIndexes(t.Table.Table, p.Job, t.Index), catalog.CodeIndexes(t.Table.Table, p.Job)...)
}

// frozen makes and fills a plain table in one transaction, with COPY FREEZE.
type frozen struct {
	plan     *plan.Plan
	staging  Staging
	settings setting.Server
}

// CreateSQL is empty: the only chunk makes the table.
func (l frozen) CreateSQL() []string { return nil }

// Left is the keys, indexes and statistics: COPY has frozen the rows, and their pages too
// where the server does that.
func (l frozen) Left(bool) build.Work {
	return build.Work{Freeze: !l.settings.CopyMarksPages(), Key: true, Indexes: indexes(l.plan, l.staging), Analyze: true}
}

// Layout is a plain table.
func (l frozen) Layout() catalog.Layout { return catalog.Layout{Tables: 1} }

func (l frozen) prepare(plan.Chunk) string { return "" }

func (l frozen) place(plan.Chunk) (job.Table, string, bool) {
	return l.staging.Table.Table, l.staging.Table.CreateSQL(l.plan.Job), true
}

func (l frozen) finish(context.Context, pgx.Tx, job.Table, plan.Chunk) error { return nil }
func (l frozen) rowsPerDone() int64                                          { return 1 }

// chunked fills a plain table over several streams, a chunk a transaction.
type chunked struct {
	plan    *plan.Plan
	staging Staging
}

// CreateSQL makes the table that all chunks share, and spreads it over the cluster before it has
// rows.
func (l chunked) CreateSQL() []string {
	sql := []string{l.staging.Table.CreateSQL(l.plan.Job)}
	if d := l.staging.Distribution; d.Distributed() {
		sql = append(sql, d.SQL(l.staging.Table.Table))
	}

	return sql
}

// Left is all that there is to build.
func (l chunked) Left(bool) build.Work {
	return build.Work{Freeze: true, Key: true, Indexes: indexes(l.plan, l.staging), Analyze: true}
}

// Layout is a plain table.
func (l chunked) Layout() catalog.Layout { return catalog.Layout{Tables: 1} }

func (l chunked) prepare(plan.Chunk) string { return "" }

func (l chunked) place(plan.Chunk) (job.Table, string, bool) {
	return l.staging.Table.Table, "", false
}

func (l chunked) finish(context.Context, pgx.Tx, job.Table, plan.Chunk) error { return nil }
func (l chunked) rowsPerDone() int64                                          { return 1 }

// partitioned makes and fills each partition in one transaction, with COPY FREEZE, its
// indexes and its statistics. An unlogged one is made in a transaction of its own: a crash
// while one that has made an unlogged table is open keeps PostgreSQL from starting again.
type partitioned struct {
	plan     *plan.Plan
	staging  Staging
	settings setting.Server
}

// CreateSQL makes the parent. Each chunk makes its partition.
func (l partitioned) CreateSQL() []string {
	return l.staging.Table.CreatePartitionedSQL(l.plan.Job, l.staging.Index)
}

// Left is the statistics of the whole, and the pages that COPY has not frozen: those of unlogged
// partitions, and all of a server whose COPY does not mark them.
func (l partitioned) Left(resumed bool) build.Work {
	freeze := l.plan.Job.Unlogged || !l.settings.CopyMarksPages()

	return build.Work{Freeze: freeze, Counted: !resumed, Analyze: true, Partitioned: true} // each was counted when it was built
}

// Layout is a partition for each chunk.
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

// partition returns the name of a chunk's partition, and the statement that makes it where
// it is not there.
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

// rowsPerDone counts half of a row when it is copied: its partition is then indexed in the
// same transaction.
func (l partitioned) rowsPerDone() int64 { return 2 }
