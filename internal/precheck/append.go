package precheck

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// checkAddTo checks that the rows can be added to the table. before is the job that loaded it.
func (c *checker) checkAddTo(ctx context.Context, before *job.Job) error {
	t := c.target.Relation

	if err := checkAppend(t, c.plan.Job, before); err != nil {
		return err
	}

	if c.plan.Method == plan.MethodPartitions {
		return c.checkRanges(ctx)
	}

	if c.plan.Job.OnConflict == job.ConflictSkip {
		return checkKey(ctx, c.db, t, c.plan.Job.KeyColumns())
	}

	return checkOverlap(ctx, c.db, t, c.plan)
}

// checkAppend checks that the table has cells of the same grid. Otherwise, its ids would mean other places.
func checkAppend(t catalog.Relation, j job.Job, before *job.Job) error {
	if before == nil {
		return &geomgen.ParamError{Param: "table", Value: t.String(),
			Reason: "the ledger does not know this table, so its grid is unknown: load it with loadgrid first, or choose another name"}
	}

	if before.Grid != j.Grid {
		return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: fmt.Sprintf(
			"holds another grid (%s cells, origin %g,%g, cell size %g,%g, rotated by %g degrees, SRID %d), in which the same ids mean other places",
			before.Grid.Shape, before.Grid.X0, before.Grid.Y0, before.Grid.DX, before.Grid.DY, before.Grid.Rotate, before.Grid.SRID)}
	}

	if before.Code != j.Code || before.CodeOrder != j.CodeOrder {
		have := "no codes from loadgrid"
		if before.Code != "" {
			have = "codes " + string(before.Code)
			if before.CodeOrder == geomgen.EastFirst {
				have += ", east first"
			}
		}

		return &geomgen.ParamError{Param: "code", Value: string(j.Code), Reason: "table " + t.String() + " has " + have + ": added cells must have the same codes"}
	}

	return nil
}

// checkInsert checks that the role can read the table and add to it.
func checkInsert(ctx context.Context, conn pg.Querier, t catalog.Relation) error {
	var may bool
	err := conn.QueryRow(ctx, "select has_table_privilege($1::oid, 'SELECT') and has_table_privilege($1::oid, 'INSERT')", t.OID).Scan(&may)
	if err == nil && !may {
		err = &pg.ServerError{Doing: "appending to table " + t.String(), Err: errors.New("the role cannot read it or cannot add to it (SQLSTATE 42501)"),
			Advice: "grant select, insert on " + t.SQL() + " to it"}
	}

	return pg.Wrap(err, "looking up privileges on table %s", t.Table)
}

// checkOverlap refuses cells that are in the table already, before any work is done. It reads the table once;
// publishing checks again.
func checkOverlap(ctx context.Context, conn pg.Querier, t catalog.Relation, p *plan.Plan) error {
	both, err := overlap(ctx, conn, t, p)
	if err != nil || both == 0 {
		return err
	}

	what := "cells"
	if p.Job.Pairs() {
		what = "pairs of a cell and a feature"
	}

	return &geomgen.ParamError{Param: "table", Value: t.String(), Reason: fmt.Sprintf(
		"holds %d of the %d "+what+" already: choose other cells, on-conflict skip to leave the existing ones as they are, or if-exists replace", both, p.Rows)}
}

// keySQL looks for a unique index on exactly the given columns.
const keySQL = `
	select exists (select from pg_index i where i.indrelid = $1 and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null
	  and i.indnkeyatts = $3 and $3 = (select count(*) from pg_attribute a where a.attrelid = i.indrelid
	      and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1]) and a.attname = any ($2)))`

// checkKey checks that the table has a key on its ids. Without one, the server cannot recognize existing cells,
// and publishing could not skip them. ON CONFLICT has the same conditions: the index must be valid, and neither
// partial nor deferrable.
func checkKey(ctx context.Context, conn pg.Querier, t catalog.Relation, key []string) error {
	var has bool
	if err := conn.QueryRow(ctx, keySQL, t.OID, key, len(key)).Scan(&has); err != nil {
		return pg.Wrap(err, "looking for the key of table %s", t)
	}

	if !has {
		return t.Refuse("has no primary key or unique index on only %s, by which on-conflict skip finds existing cells: add one", strings.Join(key, " and "))
	}

	return nil
}

// overlap returns how many of the plan's cells are in the table. It checks the rectangle around them, and cell by
// cell if an area selects them.
func overlap(ctx context.Context, conn pg.Querier, t catalog.Relation, p *plan.Plan) (both int64, err error) {
	const where = " where col >= $1 and col < $2 and row >= $3 and row < $4"
	bounds := []any{p.Cells.MinCol, p.Cells.MaxCol, p.Cells.MinRow, p.Cells.MaxRow}
	err = conn.QueryRow(ctx, "select count(*) from "+t.SQL()+where, bounds...).Scan(&both)
	if err == nil && both > 0 && p.Job.Pairs() {
		return overlapOfPairs(ctx, conn, t, p)
	}
	if err != nil || both == 0 || p.Rows == p.Cells.Count() {
		return both, pg.Wrap(err, "looking for cells that are in table %s already", t)
	}

	rows, err := conn.Query(ctx, "select col, row from "+t.SQL()+where, bounds...)
	if err != nil {
		return 0, pg.Wrap(err, "looking for cells that are in table %s already", t)
	}

	both = 0
	var c geomgen.Cell
	_, err = pgx.ForEachRow(rows, []any{&c.Col, &c.Row}, func() error {
		if p.Contains(c) {
			both++
		}

		return nil
	})

	return both, pg.Wrap(err, "looking for cells that are in table %s already", t)
}

// overlapOfPairs returns how many of the plan's pairs are in the table. It compares names as texts. If the server
// writes numbers or times differently, publishing finds those pairs.
func overlapOfPairs(ctx context.Context, conn pg.Querier, t catalog.Relation, p *plan.Plan) (both int64, err error) {
	features := map[string]int32{}
	for i, name := range p.FeatureNames() {
		features[name] = int32(i)
	}

	name := pgx.Identifier{p.Job.Each.Name}.Sanitize() + "::text"
	rows, err := conn.Query(ctx, "select col, row, "+name+" from "+t.SQL()+" where col >= $1 and col < $2 and row >= $3 and row < $4 and "+name+" = any ($5)",
		p.Cells.MinCol, p.Cells.MaxCol, p.Cells.MinRow, p.Cells.MaxRow, slices.Collect(maps.Keys(features)))
	if err != nil {
		return 0, pg.Wrap(err, "looking for pairs that are in table %s already", t)
	}

	var c geomgen.Cell
	var text string
	_, err = pgx.ForEachRow(rows, []any{&c.Col, &c.Row, &text}, func() error {
		if feature, ok := features[text]; ok && p.ContainsPair(c, feature) {
			both++
		}
		return nil
	})

	return both, pg.Wrap(err, "looking for pairs that are in table %s already", t)
}
