package loader

import (
	"context"
	"errors"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// checkTarget refuses a table that is there already, where the job's choice does
// not allow it or could not be carried out at the end.
func (l *load) checkTarget(ctx context.Context, conn pg.Querier) error {
	t, j := l.target, l.plan.Job
	if t.OID == 0 {
		return t.CheckName(ctx, conn)
	}
	if j.IfExists == job.Fail {
		return t.Refuse("exists already: choose if-exists replace or append, or another name")
	}
	kind, isPartition, owned, err := t.Describe(ctx, conn)
	if err != nil {
		return err
	}
	l.partitioned = kind == "p"
	switch {
	case kind != "r" && kind != "p":
		return t.Refuse("is not a table but %s: choose another name", catalog.RelationKind(kind))
	case isPartition:
		return t.Refuse("is a partition or a child of another table: choose another name")
	case kind == "r" && j.Partitions > 0:
		return t.Refuse("is a plain table, and a job with partitions cannot take its place or be added to it: leave partitions out, choose another name, or drop the table")
	case kind == "p" && j.Partitions == 0 && j.IfExists == job.Replace:
		return t.Refuse("is partitioned: give partitions, so that the new ones go under the same table, choose another name, or drop the table")
	}
	before, err := l.ledger.PublishedBy(ctx, conn, t.Table, t.OID)
	if err != nil {
		return err
	}
	if l.columns, err = t.ColumnTypes(ctx, conn); err != nil {
		return err
	}
	stays := l.partitioned || l.fills()
	if other := catalog.DiffColumns(l.columns, expectedTypes(j)); other != "" && (before == nil || stays) {
		return t.Refuse("exists with other columns: %s", other)
	}
	if l.partitioned {
		if err := l.checkPartitioned(ctx, conn, owned); err != nil {
			return err
		}
	}
	if j.IfExists == job.Append {
		return l.checkAddTo(ctx, conn, before)
	}
	if l.truncates() {
		return l.checkTruncate(ctx, conn)
	}
	if !owned {
		return t.NotOwned("replacing")
	}
	if err := checkOwner(ctx, conn, t); err != nil {
		return err
	}
	if err := l.checkKeep(ctx, conn); err != nil {
		return err
	}
	if l.partitioned {
		return nil // what depends on it stays with it
	}
	return t.CheckDependents(ctx, conn, catalog.TruncateInstead)
}

// checkKeep sees to it that what the table shows has a name to be kept under.
func (l *load) checkKeep(ctx context.Context, conn pg.Querier) error {
	if l.plan.Job.Keep == 0 {
		return nil
	}
	refuse := func(format string, args ...any) error {
		return &geomgen.ParamError{Param: "keep", Value: fmt.Sprint(l.plan.Job.Keep), Reason: fmt.Sprintf(format, args...)}
	}
	version, found, err := l.ledger.ShownVersion(ctx, conn, l.target.Table, l.target.OID)
	if err != nil {
		return err
	}
	if !found {
		return refuse("table %s was not published by a run that the ledger in schema %s knows, so there is no run to roll back to: leave keep out this once, or rename the table",
			l.target, l.ledger.Schema)
	}
	kept := catalog.Relation{Table: ledger.VersionName(l.target.Table, version)}
	if err := kept.Find(ctx, conn); err != nil {
		return err
	}
	if kept.OID != 0 {
		return refuse("table %s is in the way of keeping what table %s shows: rename or drop it", kept, l.target)
	}
	return kept.CheckName(ctx, conn)
}

// checkAddTo sees to it that the rows can be added to the table.
func (l *load) checkAddTo(ctx context.Context, conn pg.Querier, before *job.Job) error {
	if err := checkAppend(l.target, l.plan.Job, before); err != nil {
		return err
	}
	if err := checkInsert(ctx, conn, l.target); err != nil {
		return err
	}
	if l.plan.Method == plan.MethodPartitions {
		return l.checkRanges(ctx, conn)
	}
	if l.plan.Job.OnConflict == job.ConflictSkip {
		return checkKey(ctx, conn, l.target, l.plan.Job.IDColumn)
	}
	return checkOverlap(ctx, conn, l.target, l.plan)
}

// checkAppend sees to it that the table holds cells of the same grid: else the
// ids would name other places.
func checkAppend(t catalog.Relation, job job.Job, before *job.Job) error {
	if before == nil {
		return &geomgen.ParamError{Param: "table", Value: t.String(),
			Reason: "the ledger does not know this table, so nothing tells that it holds the same grid: load it with loadgrid first, or choose another name"}
	}
	if before.Grid != job.Grid {
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: fmt.Sprintf(
			"holds another grid (%s cells, origin %g,%g, cell size %g,%g, turned by %g degrees, SRID %d), in which the same ids name other places",
			before.Grid.Shape, before.Grid.X0, before.Grid.Y0, before.Grid.DX, before.Grid.DY, before.Grid.Rotate, before.Grid.SRID)}
	}
	if before.Code != job.Code || before.CodeOrder != job.CodeOrder {
		have := "no codes of loadgrid's"
		if before.Code != "" {
			have = "codes " + string(before.Code)
			if before.CodeOrder == geomgen.EastFirst {
				have += ", east first"
			}
		}
		return &geomgen.ParamError{Param: "code", Value: string(job.Code), Reason: "table " + t.String() + " has " + have + ": cells that are added must be named alike"}
	}
	return nil
}

// checkInsert sees to it that the role may read the table and add to it.
func checkInsert(ctx context.Context, conn pg.Querier, t catalog.Relation) error {
	var may bool
	err := conn.QueryRow(ctx, "select has_table_privilege($1::oid, 'SELECT') and has_table_privilege($1::oid, 'INSERT')", t.OID).Scan(&may)
	if err == nil && !may {
		err = &pg.ServerError{Doing: "appending to table " + t.String(), Err: errors.New("the role may not read it or not add to it (SQLSTATE 42501)"),
			Advice: "grant select, insert on " + t.SQL() + " to it"}
	}
	return pg.Wrap(err, "looking up privileges on table %s", t.Table)
}

// expectedTypes returns what columnTypes finds on a table that the job made.
func expectedTypes(job job.Job) []string {
	want := []string{job.IDColumn + " int8", "col int4", "row int4", job.GeomColumn + " " + job.GeometryType()}
	for _, c := range job.OtherColumns() {
		want = append(want, c.Name+" "+c.SQLType)
	}
	return want
}
