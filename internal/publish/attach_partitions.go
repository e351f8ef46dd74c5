package publish

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// AttachPartitions puts the partitions of the staging table under the parent that is
// there, beside those that it has.
type AttachPartitions struct {
	Target target.Target
	Ledger ledger.Ledger
}

// Needs is no statistics: see SwapPartitions.
func (t AttachPartitions) Needs(w build.Work) build.Work {
	w.Analyze = false
	return w
}

// AnalyzeParent gathers the statistics of the parent.
func (t AttachPartitions) AnalyzeParent(ctx context.Context, pool *pgxpool.Pool) error {
	return build.AnalyzePartitioned(ctx, pool, t.Target.Relation)
}

// Lock lets readers and writers go on.
func (t AttachPartitions) Lock(ctx context.Context, tx pgx.Tx) error {
	return t.Target.LockToAdd(ctx, tx)
}

// Apply attaches the partitions. Their numbers follow those that are there.
func (t AttachPartitions) Apply(ctx context.Context, tx pgx.Tx, s Staged) (applied Applied, err error) {
	applied.OID = t.Target.OID

	if applied.Version, err = shownVersion(ctx, tx, t.Ledger, t.Target.Relation, s.Run); err != nil {
		return applied, err
	}

	old, err := t.Target.Partitions(ctx, tx)
	if err != nil {
		return applied, err
	}

	parts, err := takeOut(ctx, tx, s)
	if err != nil {
		return applied, err
	}

	return applied, attach(ctx, tx, t.Ledger, t.Target.Relation, s, parts, len(old))
}

// takeOut takes the partitions out of the staging table, which is dropped. Readers of the
// table need not wait for that.
func takeOut(ctx context.Context, tx pgx.Tx, s Staged) ([]catalog.Partition, error) {
	parts, err := s.Partitions(ctx, tx)
	if err != nil {
		return nil, err
	}

	var sql []string
	for _, p := range parts {
		sql = append(sql, "alter table "+s.SQL()+" detach partition "+p.SQL())
	}

	_, err = tx.Exec(ctx, strings.Join(append(sql, "drop table "+s.SQL()), "; "))

	return parts, pg.Wrap(err, "taking %d partitions out of staging table %s", len(parts), s.Table)
}

// attach puts partitions that were taken out of the staging table under a parent, and
// numbers them from first on.
func attach(ctx context.Context, tx pgx.Tx, l ledger.Ledger, t catalog.Relation, s Staged, parts []catalog.Partition, first int) error {
	var sql []string
	for _, p := range parts {
		sql = append(sql, "alter table "+t.SQL()+" attach partition "+p.SQL()+" "+p.Bounds)
	}

	if _, err := tx.Exec(ctx, strings.Join(sql, "; ")); err != nil {
		return pg.Wrap(err, "moving %d partitions to table %s", len(parts), t)
	}

	if err := catalog.RenamePartitions(ctx, tx, t.Table, parts, first); err != nil {
		return err
	}

	if err := t.SetPartitionOwner(ctx, tx); err != nil {
		return err
	}

	return commentKey(ctx, tx, l, t, s.ProgramVersion, s.Run)
}
