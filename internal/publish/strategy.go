package publish

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Strategy is how publishing makes the rows of a staging table visible: SwapTable, SwapPartitions,
// AttachPartitions, AppendRows or TruncateTable. Package precheck chooses it.
type Strategy interface {
	// Needs returns the part of the remaining work on the staging table that the strategy needs.
	Needs(build.Work) build.Work

	// Prepare checks that the staging table is complete, and does what is possible without blocking readers of
	// the table.
	Prepare(ctx context.Context, tx pgx.Tx, s Staged) (Staged, error)

	// Lock locks the existing table as far as Apply needs that, and checks that it is still the table that was
	// checked before the load.
	Lock(ctx context.Context, tx pgx.Tx) error

	// Apply makes the rows visible once the transaction is committed.
	Apply(ctx context.Context, tx pgx.Tx, s Staged) (Applied, error)

	// AnalyzeParent gathers the statistics of a table whose partitions have changed. Partitions have their own.
	// Those of the whole table are for joins, and gathering them in the publishing transaction would block
	// readers.
	AnalyzeParent(ctx context.Context, pool *pgxpool.Pool) error
}

// Staged is a staging table that is ready to be published.
type Staged struct {
	catalog.Relation
	Layout         catalog.Layout
	Plan           *plan.Plan
	Run            int64
	Index          job.Index // its spatial indexes
	Settings       setting.Server
	ProgramVersion string // of loadgrid

	parts []catalog.Partition // set once they are detached from the staging table: see takeOut
}

// Applied is the result of Apply.
type Applied struct {
	OID uint32 // of the table that has the rows
	// Version is the version of the table that contains the rows: the run's own, or the one that they were added
	// to.
	Version int64
	// Skipped is how many rows existed already. It is valid if Inserted is set.
	Skipped  int64
	Inserted bool
}

// shownVersion returns the version that rows are added to, or the run's own if the ledger knows none. It records
// in the ledger that the table shows that version.
func shownVersion(ctx context.Context, tx pgx.Tx, l ledger.Ledger, t catalog.Relation, run int64) (int64, error) {
	version, found, err := l.ShownVersion(ctx, tx, t.Table, t.OID)
	if err != nil || !found {
		return run, err
	}

	return version, l.Adopt(ctx, tx, t.Table, version, t.OID)
}

// checkWhole checks that nothing has emptied the staging table since its rows were counted: no part of it is
// missing, replaced or without a page. A server crash empties an unlogged table, and somebody may empty any
// table.
func (s Staged) checkWhole(ctx context.Context, tx pgx.Tx, l ledger.Ledger) error {
	if err := l.LockStaging(ctx, tx, s.Relation, "access share"); err != nil {
		return err
	}

	whole, err := s.isWhole(ctx, tx)

	switch {
	case err != nil:
		return pg.Wrap(err, "checking table %s", s.Table)
	case whole:
		return nil
	case s.Plan.Job.Unlogged:
		return build.ErrUnloggedLost
	}

	return &ledger.UnfinishedError{Run: s.Run, Schema: l.Schema,
		Err: fmt.Errorf("staging table %s is no longer complete, because somebody changed it, so its run cannot be finished", s.Table)}
}

// isWhole reports whether the staging table is as its stages left it. For a distributed table, the coordinator
// has no page, and a shard may have none because no row has its hash. Its rows are counted again.
func (s Staged) isWhole(ctx context.Context, tx pgx.Tx) (whole bool, err error) {
	err = tx.QueryRow(ctx, catalog.WithTree+`
		select count(*) = $2 and coalesce(bool_and(pg_relation_size(c.oid) > 0), false)
		from tables join pg_class c using (oid) where c.relkind = 'r'`, s.OID, s.Layout.Tables).Scan(&whole)
	switch {
	case err != nil:
		return false, err
	case whole:
		return s.hasPlannedBounds(ctx, tx)
	}

	distributed, err := distribution.IsDistributed(ctx, tx, s.OID)
	if err != nil || !distributed {
		return false, err
	}

	rows, err := distribution.CountRows(ctx, tx, s.Relation)

	return rows == s.Plan.Rows, err
}

// hasPlannedBounds reports whether the partitions of the staging table have the ranges of the plan: somebody may
// have replaced one of them.
func (s Staged) hasPlannedBounds(ctx context.Context, tx pgx.Tx) (bool, error) {
	if !s.Layout.Partitioned {
		return true, nil
	}

	parts, err := s.Partitions(ctx, tx)
	if err != nil || int64(len(parts)) != s.Plan.Chunks {
		return false, err
	}

	for i, p := range parts {
		from, to := s.Plan.Bounds(s.Plan.Chunk(int64(i)))
		if p.From == nil || p.To == nil || *p.From != from || *p.To != to {
			return false, nil
		}
	}

	return true, nil
}

// commentKey writes a comment on the primary key with the run that made the table, which identifies the table for
// the ledger. The table's own comment belongs to the user. The caller records the comment in the ledger.
func commentKey(ctx context.Context, tx pgx.Tx, l ledger.Ledger, t catalog.Relation, version string, run int64) error {
	var comment string
	err := tx.QueryRow(ctx, `
		select coalesce((select format('comment on constraint %I on %I.%I is %L', conname, $2::text, $3::text, `+
		l.KeyCommentSQL("$4::text", "$5::bigint")+`)
		                 from pg_constraint where conrelid = ($1::text)::regclass and contype = 'p'), '')`,
		t.SQL(), t.Schema, t.Name, version, run).Scan(&comment)
	if err == nil {
		_, err = tx.Exec(ctx, comment)
	}

	return pg.Wrap(err, "writing the comment on the primary key")
}

func keyAlone(w build.Work) build.Work {
	w.Freeze, w.Indexes = false, nil
	return w
}

const summarizeSQL = catalog.WithTree + `
	select brin_summarize_new_values(i.indexrelid) from tables t join pg_index i on i.indrelid = t.oid
	join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
	where m.amname = 'brin' and c.relkind = 'i' and pg_has_role(c.relowner, 'USAGE')`

// maintain updates what the server itself would update only later: statistics, because there are more rows than
// they know, and the summaries of BRIN indexes, because each query reads pages without a summary. The summaries
// need the table's owner; for other roles, autovacuum updates them. The overall statistics of a partitioned table
// are gathered after publishing.
func maintain(ctx context.Context, tx pgx.Tx, t target.Target) error {
	if _, err := tx.Exec(ctx, summarizeSQL, t.OID); err != nil {
		return pg.Wrap(err, "summarizing the BRIN indexes of table %s", t)
	}

	if t.Partitioned {
		return nil
	}

	_, err := tx.Exec(ctx, "analyze "+t.SQL())

	return pg.Wrap(err, "analyzing table %s", t)
}

func dropStaging(ctx context.Context, tx pgx.Tx, s Staged) error {
	_, err := tx.Exec(ctx, "drop table "+s.SQL())
	return pg.Wrap(err, "dropping staging table %s", s.Table)
}
