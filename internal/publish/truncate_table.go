package publish

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// TruncateTable empties an existing table and fills it with the rows of the staging table. The table stays, with
// the views on it and the indexes that users created. Readers wait meanwhile.
type TruncateTable struct {
	Target target.Target
	Ledger ledger.Ledger
}

// Needs returns only the key: see AppendRows.
func (t TruncateTable) Needs(w build.Work) build.Work { return keyAlone(w) }

// AnalyzeParent does nothing: the table is a plain one.
func (t TruncateTable) AnalyzeParent(context.Context, *pgxpool.Pool) error { return nil }

// Prepare only checks: the rows stay where they are.
func (t TruncateTable) Prepare(ctx context.Context, tx pgx.Tx, s Staged) (Staged, error) {
	return s, s.checkWhole(ctx, tx, t.Ledger)
}

// Lock blocks everybody else.
func (t TruncateTable) Lock(ctx context.Context, tx pgx.Tx) error {
	return t.Target.LockToReplace(ctx, tx)
}

// Apply moves the rows of the staging table into the table, all in this transaction, and drops the staging table.
// Indexes that no constraint needs are built over the new rows at the end: filling a spatial index row by row
// takes several times as long.
func (t TruncateTable) Apply(ctx context.Context, tx pgx.Tx, s Staged) (Applied, error) {
	applied := Applied{OID: t.Target.OID, Version: s.Run}

	owned, err := t.owned(ctx, tx)
	if err != nil {
		return applied, err
	}

	var drop, rebuild []string
	if owned {
		if drop, rebuild, err = t.Target.RebuildableIndexes(ctx, tx); err != nil {
			return applied, err
		}
	}

	if err := t.fill(ctx, tx, s, drop); err != nil {
		return applied, err
	}

	if err := setting.SetLocal(ctx, tx, s.Settings.SortMemory(s.Plan.Rows, catalog.SortedBox, 1)); err != nil {
		return applied, err
	}

	for _, sql := range rebuild {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return applied, pg.Wrap(err, "building the indexes of table %s: %s", t.Target, sql)
		}
	}

	if err := maintain(ctx, tx, t.Target); err != nil {
		return applied, err
	}

	if owned {
		if err := commentKey(ctx, tx, t.Ledger, t.Target.Relation, s.ProgramVersion, s.Run); err != nil {
			return applied, err
		}
	}

	return applied, dropStaging(ctx, tx, s)
}

// fill replaces the rows, without the dropped indexes.
func (t TruncateTable) fill(ctx context.Context, tx pgx.Tx, s Staged, drop []string) error {
	// The lock comes first. The wait for it is as short as readers may have to queue.
	if err := pipeline.Exec(ctx, tx, append([]string{"truncate table " + t.Target.SQL()}, drop...)...); err != nil {
		return pg.Wrap(err, "emptying table %s", t.Target)
	}

	columns := catalog.ColumnList(s.Plan.Job.Columns())
	tag, err := tx.Exec(ctx, "insert into "+t.Target.SQL()+" ("+columns+") select "+columns+" from "+s.SQL()+
		" order by "+catalog.ColumnList(s.Plan.Job.KeyColumns()))
	if err != nil {
		return pg.Wrap(err, "filling table %s", t.Target)
	}

	if n := tag.RowsAffected(); n != s.Plan.Rows {
		return fmt.Errorf("filling table %s: %d rows planned, %d inserted", t.Target, s.Plan.Rows, n)
	}

	return nil
}

func (t TruncateTable) owned(ctx context.Context, tx pgx.Tx) (owned bool, err error) {
	err = tx.QueryRow(ctx, "select pg_has_role(relowner, 'USAGE') from pg_class where oid = $1", t.Target.OID).Scan(&owned)
	return owned, pg.Wrap(err, "looking up the owner of table %s", t.Target)
}
