package loader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
)

// relation is the table as it was found on the server.
type relation struct {
	Table                 // with its schema
	geometrySchema string // where PostGIS lives
	oid            uint32 // 0: there is no such table
}

// find looks for a relation with the target's name.
func (t *relation) find(ctx context.Context, conn querier) error {
	err := conn.QueryRow(ctx, `
		select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2`, t.Schema, t.Name).Scan(&t.oid)
	if errors.Is(err, pgx.ErrNoRows) {
		t.oid = 0
		return nil
	}
	return serverError(err, "looking for table %s", t.Table)
}

// checkTarget refuses a table that is there already, where the job's choice does
// not allow it or could not be carried out at the end.
func (l *load) checkTarget(ctx context.Context, conn querier) error {
	t, job := &l.target, l.plan.Job
	if t.oid == 0 {
		return t.checkName(ctx, conn)
	}
	if job.IfExists == Fail {
		return t.refuse("exists already: choose if-exists replace or append, or another name")
	}
	kind, isPartition, owned, err := t.describe(ctx, conn)
	if err != nil {
		return err
	}
	l.partitioned = kind == "p"
	switch {
	case kind != "r" && kind != "p":
		return t.refuse("is not a table but %s: choose another name", relationKind(kind))
	case isPartition:
		return t.refuse("is a partition or a child of another table: choose another name")
	case kind == "r" && job.Partitions > 0:
		return t.refuse("is a plain table, and a job with partitions cannot take its place or be added to it: leave partitions out, choose another name, or drop the table")
	case kind == "p" && job.Partitions == 0 && job.IfExists == Replace:
		return t.refuse("is partitioned: give partitions, so that the new ones go under the same table, choose another name, or drop the table")
	}
	before, err := l.ledger.publishedBy(ctx, conn, t.Table, t.oid)
	if err != nil {
		return err
	}
	if l.columns, err = t.columnTypes(ctx, conn); err != nil {
		return err
	}
	stays := l.partitioned || l.fills()
	if other := diffColumns(l.columns, expectedTypes(job)); other != "" && (before == nil || stays) {
		return t.refuse("exists with other columns: %s", other)
	}
	if l.partitioned {
		if err := l.checkPartitioned(ctx, conn, owned); err != nil {
			return err
		}
	}
	if job.IfExists == Append {
		return l.checkAddTo(ctx, conn, before)
	}
	if l.truncates() {
		return l.checkTruncate(ctx, conn)
	}
	if !owned {
		return t.notOwned("replacing")
	}
	if err := t.checkOwner(ctx, conn); err != nil {
		return err
	}
	if err := l.checkKeep(ctx, conn); err != nil {
		return err
	}
	if l.partitioned {
		return nil // what depends on it stays with it
	}
	return t.checkDependents(ctx, conn, truncateInstead)
}

// checkKeep sees to it that what the table shows has a name to be kept under.
func (l *load) checkKeep(ctx context.Context, conn querier) error {
	if l.plan.Job.Keep == 0 {
		return nil
	}
	refuse := func(format string, args ...any) error {
		return &geomgen.ParamError{Param: "keep", Value: fmt.Sprint(l.plan.Job.Keep), Reason: fmt.Sprintf(format, args...)}
	}
	version, found, err := l.ledger.shownVersion(ctx, conn, l.target.Table, l.target.oid)
	if err != nil {
		return err
	}
	if !found {
		return refuse("table %s was not published by a run that the ledger in schema %s knows, so there is no run to roll back to: leave keep out this once, or rename the table",
			l.target, l.ledger.schema)
	}
	kept := relation{Table: versionName(l.target.Table, version)}
	if err := kept.find(ctx, conn); err != nil {
		return err
	}
	if kept.oid != 0 {
		return refuse("table %s is in the way of keeping what table %s shows: rename or drop it", kept, l.target)
	}
	return kept.checkName(ctx, conn)
}

func (t *relation) refuse(format string, args ...any) error {
	return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: fmt.Sprintf(format, args...)}
}

func (t *relation) notOwned(doing string) error {
	return &ServerError{Doing: doing + " table " + t.String(),
		Err: errors.New("it belongs to another role (SQLSTATE 42501)"), Advice: "connect as its owner"}
}

// checkAddTo sees to it that the rows can be added to the table.
func (l *load) checkAddTo(ctx context.Context, conn querier, before *Job) error {
	if err := l.target.checkAppend(l.plan.Job, before); err != nil {
		return err
	}
	if err := l.target.checkInsert(ctx, conn); err != nil {
		return err
	}
	if l.plan.Method == MethodPartitions {
		return l.checkRanges(ctx, conn)
	}
	if l.plan.Job.OnConflict == ConflictSkip {
		return l.target.checkKey(ctx, conn, l.plan.Job.IDColumn)
	}
	return l.target.checkOverlap(ctx, conn, l.plan)
}

// checkAppend sees to it that the table holds cells of the same grid: else the
// ids would name other places.
func (t *relation) checkAppend(job Job, before *Job) error {
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
func (t *relation) checkInsert(ctx context.Context, conn querier) error {
	var may bool
	err := conn.QueryRow(ctx, "select has_table_privilege($1::oid, 'SELECT') and has_table_privilege($1::oid, 'INSERT')", t.oid).Scan(&may)
	if err == nil && !may {
		err = &ServerError{Doing: "appending to table " + t.String(), Err: errors.New("the role may not read it or not add to it (SQLSTATE 42501)"),
			Advice: "grant select, insert on " + t.sql() + " to it"}
	}
	return serverError(err, "looking up privileges on table %s", t.Table)
}

func (t *relation) describe(ctx context.Context, conn querier) (kind string, isPartition, owned bool, err error) {
	err = conn.QueryRow(ctx, `
		select c.relkind::text, exists (select from pg_inherits where inhrelid = c.oid or inhparent = c.oid and c.relkind <> 'p'),
		       pg_has_role(c.relowner, 'USAGE')
		from pg_class c where c.oid = $1`, t.oid).Scan(&kind, &isPartition, &owned)
	return kind, isPartition, owned, serverError(err, "looking up table %s", t.Table)
}

func relationKind(kind string) string {
	switch kind {
	case "v":
		return "a view"
	case "m":
		return "a materialized view"
	case "f":
		return "a foreign table"
	case "S":
		return "a sequence"
	case "i", "I":
		return "an index"
	case "c":
		return "a composite type"
	}
	return "something else"
}

// columnTypes returns "name type" for each column of the table.
func (t *relation) columnTypes(ctx context.Context, conn querier) ([]string, error) {
	rows, err := conn.Query(ctx, `
		select a.attname || ' ' || case y.typname when 'geometry' then
		           regexp_replace(format_type(a.atttypid, a.atttypmod), '^.*geometry', 'geometry')
		       else y.typname end
		from pg_attribute a join pg_type y on y.oid = a.atttypid
		where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`, t.oid)
	if err != nil {
		return nil, serverError(err, "looking up the columns of table %s", t.Table)
	}
	have, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return have, serverError(err, "looking up the columns of table %s", t.Table)
}

// expectedTypes returns what columnTypes finds on a table that the job made.
func expectedTypes(job Job) []string {
	want := []string{job.IDColumn + " int8", "col int4", "row int4", job.GeomColumn + " " + job.geometryType()}
	for _, c := range job.otherColumns() {
		want = append(want, c.name+" "+c.sqlType)
	}
	return want
}

// geometryType returns the type of the geometry, without PostGIS's schema.
func (j Job) geometryType() string {
	kind := "Polygon"
	switch j.Geometry {
	case geomgen.AsMultiPolygon:
		kind = "MultiPolygon"
	case geomgen.AsPoint:
		kind = "Point"
	}
	if j.Grid.SRID == 0 {
		return "geometry(" + kind + ")"
	}
	return fmt.Sprintf("geometry(%s,%d)", kind, j.Grid.SRID)
}

// diffColumns says what have lacks of want and has beyond it, "" when they are equal
// but for their order.
func diffColumns(have, want []string) string {
	var parts []string
	for _, w := range want {
		if !slices.Contains(have, w) {
			parts = append(parts, "it lacks "+w)
		}
	}
	for _, h := range have {
		if !slices.Contains(want, h) {
			parts = append(parts, "it has "+h)
		}
	}
	return strings.Join(parts, ", ")
}

// checkName refuses the name of a new table that a type has: a table is a type, too.
func (t *relation) checkName(ctx context.Context, conn querier) error {
	var taken bool
	err := conn.QueryRow(ctx, `
		select exists (select from pg_type y join pg_namespace n on n.oid = y.typnamespace
		where n.nspname = $1 and y.typname = $2 and left(y.typname, 1) <> '_')`, t.Schema, t.Name).Scan(&taken)
	if err != nil {
		return serverError(err, "looking for types called %s", t.Table)
	}
	if taken {
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: "is the name of a type: choose another name"}
	}
	return nil
}
