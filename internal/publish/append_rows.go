package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/ownpath"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// ErrCellsExist reports cells to append that are in the table already.
var ErrCellsExist = errors.New("cells are in the table already")

// AppendRows adds the rows of the staging table to an existing table, and drops the staging table.
type AppendRows struct {
	Target target.Target
	Ledger ledger.Ledger
	// Skip leaves existing cells as they are. Otherwise, they are ErrCellsExist.
	Skip bool
}

// Needs returns neither freezing nor indexes other than the key, which makes rows unique and counts them.
func (t AppendRows) Needs(w build.Work) build.Work { return keyAlone(w) }

// AnalyzeParent gathers the statistics of a partitioned table. A plain table has them already.
func (t AppendRows) AnalyzeParent(ctx context.Context, pool *pgxpool.Pool) error {
	if !t.Target.Partitioned {
		return nil
	}

	return build.Analyze(ctx, pool, t.Target.Relation)
}

// Prepare only checks: the rows stay where they are.
func (t AppendRows) Prepare(ctx context.Context, tx pgx.Tx, s Staged) (Staged, error) {
	return s, s.checkWhole(ctx, tx, t.Ledger)
}

// Lock does not block readers and writers.
func (t AppendRows) Lock(ctx context.Context, tx pgx.Tx) error { return t.Target.LockToAdd(ctx, tx) }

// Apply inserts the rows, all in this transaction.
func (t AppendRows) Apply(ctx context.Context, tx pgx.Tx, s Staged) (applied Applied, err error) {
	applied.OID = t.Target.OID

	if applied.Version, err = shownVersion(ctx, tx, t.Ledger, t.Target.Relation, s.Run); err != nil {
		return applied, err
	}

	existing, err := t.countExisting(ctx, tx, s)
	if err != nil {
		return applied, pg.Wrap(err, "looking for cells that are in table %s already", t.Target)
	}

	if existing > 0 && !t.Skip {
		return applied, fmt.Errorf("%d of %d %w, nothing was added: on-conflict skip would leave them as they are", existing, s.Plan.Rows, ErrCellsExist)
	}

	if t.Target.Partitioned {
		if err := t.Target.CreateMissingPartitions(ctx, tx, s.Relation, s.Plan.Job); err != nil {
			return applied, err
		}
	}

	owned, err := t.Target.Maintained(ctx, tx)
	if err != nil {
		return applied, err
	}

	if owned {
		if err := t.renewComment(ctx, tx, s, applied.Version); err != nil {
			return applied, err
		}
	}

	var tag pgconn.CommandTag
	err = ownpath.With(ctx, tx, func() (err error) { // for triggers of the table
		tag, err = tx.Exec(ctx, t.insertSQL(s, existing > 0))
		return err
	})
	if err != nil {
		return applied, pg.Wrap(err, "adding the rows to table %s", t.Target)
	}

	applied.Skipped, applied.Inserted = s.Plan.Rows-tag.RowsAffected(), true
	if err := t.checkAdded(ctx, tx, s, applied.Skipped); err != nil {
		return applied, err
	}

	if err := maintain(ctx, tx, t.Target); err != nil {
		return applied, err
	}

	return applied, dropStaging(ctx, tx, s)
}

// countExisting counts the cells of the staging table that are in the table.
func (t AppendRows) countExisting(ctx context.Context, tx pgx.Tx, s Staged) (n int64, err error) {
	key := catalog.ColumnList(s.Plan.Job.KeyColumns())
	err = tx.QueryRow(ctx, "select count(*) from "+s.SQL()+" s join "+t.Target.SQL()+" t using ("+key+")").Scan(&n)

	return n, err
}

// insertSQL adds the rows in the order of their ids. some is true if some of them exist.
func (t AppendRows) insertSQL(s Staged, some bool) string {
	columns := catalog.ColumnList(s.Plan.Job.Columns())
	key := s.Plan.Job.KeyColumns()

	sql := "insert into " + t.Target.SQL() + " (" + columns + ") select " + columns + " from " + s.SQL() + " s"
	if some {
		sql += " where not exists (select from " + t.Target.SQL() + " t where " + equalSQL(key) + ")"
	}

	sql += " order by " + catalog.ColumnList(key)
	if t.Skip { // others may add the same cell at this moment
		sql += " on conflict (" + catalog.ColumnList(key) + ") do nothing"
	}

	return sql
}

// equalSQL is true for a row of t and a row of s with equal columns.
func equalSQL(columns []string) string {
	conditions := make([]string, len(columns))
	for i, c := range columns {
		name := pgx.Identifier{c}.Sanitize()
		conditions[i] = "t." + name + " operator(pg_catalog.=) s." + name
	}

	return strings.Join(conditions, " and ")
}

// checkAdded checks that all cells are in the table now: the new ones, and the skipped ones.
func (t AppendRows) checkAdded(ctx context.Context, tx pgx.Tx, s Staged, skipped int64) error {
	if skipped == 0 {
		return nil
	}

	if !t.Skip {
		return fmt.Errorf("adding to table %s: %d rows planned, %d inserted", t.Target, s.Plan.Rows, s.Plan.Rows-skipped)
	}

	there, err := t.countExisting(ctx, tx, s)
	if err != nil {
		return pg.Wrap(err, "counting the cells of table %s", t.Target)
	}

	if there != s.Plan.Rows {
		return fmt.Errorf("adding to table %s: %d rows planned, %d of them are there", t.Target, s.Plan.Rows, there)
	}

	return nil
}

// renewComment replaces a key comment that an older loadgrid wrote without its ledger. The new comment identifies
// the table wherever it is restored.
func (t AppendRows) renewComment(ctx context.Context, tx pgx.Tx, s Staged, version int64) error {
	has, err := t.Ledger.HasMark(ctx, tx, t.Target.OID)
	if err != nil || has || version == s.Run {
		return err
	}

	if err := commentKey(ctx, tx, t.Ledger, t.Target.Relation, s.ProgramVersion, version); err != nil {
		return err
	}

	return t.Ledger.RecordVersionMark(ctx, tx, version, t.Target.OID)
}
