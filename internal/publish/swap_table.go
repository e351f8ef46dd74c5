package publish

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/adopt"
	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// SwapTable gives the staging table the name of the table. That table may not exist, or it is a plain one, which
// is dropped or kept as a version.
type SwapTable struct {
	Target target.Target
	Ledger ledger.Ledger
}

// Needs returns all work.
func (t SwapTable) Needs(w build.Work) build.Work { return w }

// AnalyzeParent does nothing: the staging table has its statistics.
func (t SwapTable) AnalyzeParent(context.Context, *pgxpool.Pool) error { return nil }

// Prepare only checks: the new table still has another name.
func (t SwapTable) Prepare(ctx context.Context, tx pgx.Tx, s Staged) (Staged, error) {
	return s, s.checkWhole(ctx, tx, t.Ledger)
}

// Lock also refuses a table if something has come to depend on it, because that would follow the old table.
func (t SwapTable) Lock(ctx context.Context, tx pgx.Tx) error {
	err := t.Target.LockToReplace(ctx, tx)
	if err != nil || t.Target.OID == 0 {
		return err
	}

	return t.Target.CheckDependents(ctx, tx, catalog.DropDependents)
}

// Apply removes the old table, if there is one, and gives the new one its name, owner, grants and comments.
func (t SwapTable) Apply(ctx context.Context, tx pgx.Tx, s Staged) (Applied, error) {
	applied := Applied{OID: s.OID, Version: s.Run}

	if t.Target.OID != 0 {
		if err := catalog.CopyGrants(ctx, tx, t.Target.Relation, s.Table); err != nil {
			return applied, err
		}

		if err := t.retire(ctx, tx, s.Plan.Job); err != nil {
			return applied, err
		}
	}

	if err := giveBackToAutovacuum(ctx, tx, t.Target.Table, s); err != nil {
		return applied, err
	}

	if err := catalog.RenameAll(ctx, tx, t.renamings(s)); err != nil {
		return applied, err
	}

	return applied, commentKey(ctx, tx, t.Ledger, t.Target.Relation, s.ProgramVersion, s.Run)
}

// retire drops the old table, or keeps it as a version.
func (t SwapTable) retire(ctx context.Context, tx pgx.Tx, j job.Job) error {
	if j.Keep == 0 {
		_, err := tx.Exec(ctx, "drop table "+t.Target.SQL())
		return pg.Wrap(err, "dropping the old table %s", t.Target)
	}

	return keepShown(ctx, tx, t.Ledger, t.Target.Relation, j, archiveTable)
}

// giveBackToAutovacuum lets autovacuum process the staging table, or its partitions, which get their names at the
// same time.
func giveBackToAutovacuum(ctx context.Context, tx pgx.Tx, t job.Table, s Staged) error {
	if s.Layout.Partitioned {
		parts, err := s.Partitions(ctx, tx)
		if err != nil {
			return err
		}

		return catalog.RenamePartitions(ctx, tx, t, parts, 0)
	}

	_, err := tx.Exec(ctx, "alter table "+s.SQL()+" reset (autovacuum_enabled)")

	return pg.Wrap(err, "enabling autovacuum on %s", s.Table)
}

// renamings returns the new names of the staging table and its indexes.
func (t SwapTable) renamings(s Staged) []catalog.Renaming {
	indexes := func(table job.Table) []catalog.IndexDef {
		defs := append(catalog.SpatialIndexes(table, s.Plan.Job, s.Index), catalog.CodeIndexes(table, s.Plan.Job)...)
		return append(defs, catalog.KeyIndex(table, s.Plan.Job))
	}

	list := []catalog.Renaming{{Kind: "table", Old: s.Table, Wanted: t.Target.Name}}
	wanted := indexes(t.Target.Table)

	for i, d := range indexes(s.Table) {
		old := job.Table{Schema: t.Target.Schema, Name: d.Name}
		list = append(list, catalog.Renaming{Kind: "index", Old: old, Wanted: wanted[i].Name})
	}

	return list
}

// keepShown archives the present version of a table before the job j replaces it, and records that in the ledger.
func keepShown(ctx context.Context, tx pgx.Tx, l ledger.Ledger, t catalog.Relation, j job.Job, archive archiver) error {
	version, found, err := l.ShownVersion(ctx, tx, t.Table, t.OID)
	if err == nil && !found {
		err = fmt.Errorf("the ledger in schema %s no longer knows which run's rows table %s shows", l.Schema, t)
	}

	if !found && pg.SQLState(err) == "" {
		if lost, lostErr := adopt.Lost(ctx, tx, l, t); lostErr != nil {
			err = lostErr
		} else if lost {
			version, err = adopt.Table(ctx, tx, l, t, j)
		}
	}

	if err != nil {
		return err
	}

	kept, err := archive(ctx, tx, t, version)
	if err != nil {
		return err
	}

	return l.MarkKept(ctx, tx, t.Table, ledger.VersionAt(version, kept))
}
