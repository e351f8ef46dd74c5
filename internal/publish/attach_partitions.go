package publish

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// AttachPartitions attaches the partitions of the staging table to the existing parent, next to the partitions
// that it has.
type AttachPartitions struct {
	Target target.Target
	Ledger ledger.Ledger
}

// Needs returns no statistics: see SwapPartitions.
func (t AttachPartitions) Needs(w build.Work) build.Work {
	w.Analyze = false
	return w
}

// AnalyzeParent gathers the statistics of the parent.
func (t AttachPartitions) AnalyzeParent(ctx context.Context, pool *pgxpool.Pool) error {
	return build.AnalyzePartitioned(ctx, pool, t.Target.Relation)
}

// Prepare detaches the partitions from the staging table.
func (t AttachPartitions) Prepare(ctx context.Context, tx pgx.Tx, s Staged) (Staged, error) {
	return s.takeOut(ctx, tx, t.Ledger)
}

// Lock does not block readers and writers.
func (t AttachPartitions) Lock(ctx context.Context, tx pgx.Tx) error {
	return t.Target.LockToAdd(ctx, tx)
}

// Apply attaches the partitions. Their numbers follow those of the existing ones.
func (t AttachPartitions) Apply(ctx context.Context, tx pgx.Tx, s Staged) (applied Applied, err error) {
	applied.OID = t.Target.OID

	if applied.Version, err = shownVersion(ctx, tx, t.Ledger, t.Target.Relation, s.Run); err != nil {
		return applied, err
	}

	old, err := t.Target.Partitions(ctx, tx)
	if err != nil {
		return applied, err
	}

	return applied, attach(ctx, tx, t.Ledger, t.Target.Relation, s, len(old))
}

// takeOut checks that the staging table is complete, detaches its partitions, and drops it.
func (s Staged) takeOut(ctx context.Context, tx pgx.Tx, l ledger.Ledger) (Staged, error) {
	if _, err := tx.Exec(ctx, "lock table "+s.SQL()+" in access exclusive mode"); err != nil {
		return s, pg.Wrap(err, "locking staging table %s", s.Table)
	}

	err := s.checkWhole(ctx, tx, l)
	if err == nil {
		s.parts, err = s.Partitions(ctx, tx)
	}
	if err != nil {
		return s, err
	}

	var sql []string
	for _, p := range s.parts {
		sql = append(sql, "alter table "+s.SQL()+" detach partition "+p.SQL())
	}

	err = pipeline.Exec(ctx, tx, append(sql, "drop table "+s.SQL())...)

	return s, pg.Wrap(err, "detaching %d partitions from staging table %s", len(s.parts), s.Table)
}

// attach attaches partitions from the staging table to a parent, and numbers them, starting at first.
func attach(ctx context.Context, tx pgx.Tx, l ledger.Ledger, t catalog.Relation, s Staged, first int) error {
	var sql []string
	for _, p := range s.parts {
		sql = append(sql, "alter table "+t.SQL()+" attach partition "+p.SQL()+" "+p.Bounds)
	}

	if err := pipeline.Exec(ctx, tx, sql...); err != nil {
		return pg.Wrap(err, "moving %d partitions to table %s", len(s.parts), t)
	}

	if err := catalog.RenamePartitions(ctx, tx, t.Table, s.parts, first); err != nil {
		return err
	}

	if err := t.SetPartitionOwner(ctx, tx); err != nil {
		return err
	}

	return commentKey(ctx, tx, l, t, s.ProgramVersion, s.Run)
}
