package loader

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	geom "github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"github.com/loadgrid/loadgrid/geomgen"
)

// previewCells is how many cells a preview holds at most: more than a picture can
// show.
const previewCells = 50_000

// Preview is what a table holds, or a sample of it.
type Preview struct {
	Table  Table
	SRID   int32
	Column string // whose values they are, "" for none
	Rows   int64  // how many the table has; an estimate of the server's where Cells are a sample
	Sample bool   // Cells are not all
	Cells  []PreviewCell
}

// PreviewCell is a row of a table: its rings, of a point the point alone.
type PreviewCell struct {
	Rings [][]geomgen.Point
	Value *float64 // nil where it is null
}

// NewPreview reads a table's geometries, and the values of a numeric column: of
// coverage, if the table has it and no other is named. Of a table with more than
// 50,000 rows it reads a sample. It runs in a read-only transaction. A table or
// column that is not there is a *geomgen.ParamError.
func NewPreview(ctx context.Context, pool *pgxpool.Pool, table Table, column string) (*Preview, error) {
	var p *Preview
	err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		p, err = preview(ctx, tx, table, column)
		return err
	})
	var param *geomgen.ParamError
	if errors.As(err, &param) {
		return nil, err
	}
	return p, serverError(err, "reading table %s", table)
}

func preview(ctx context.Context, tx pgx.Tx, table Table, column string) (*Preview, error) {
	p := &Preview{Table: table, Column: column}
	if table.Schema == "" {
		err := tx.QueryRow(ctx, `
			select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
			where c.relname = $1 and pg_table_is_visible(c.oid)`, table.Name).Scan(&p.Table.Schema)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, &geomgen.ParamError{Param: "table", Value: table.String(), Reason: "is not there, in no schema of the search_path"}
		}
		if err != nil {
			return nil, err
		}
	}
	geometry, send, err := p.columns(ctx, tx)
	if err != nil {
		return nil, err
	}
	value := "null::float8"
	if p.Column != "" {
		value = pgx.Identifier{p.Column}.Sanitize() + "::float8"
	}
	sql := "select " + send + "(" + pgx.Identifier{geometry}.Sanitize() + "), " + value + " from " + p.Table.sql()
	if p.Sample {
		// Of views, too. An estimate that is out of date must not make it read all.
		sql += fmt.Sprintf(" where random() < %g limit %d", float64(previewCells)/float64(p.Rows), 2*previewCells)
	}
	if _, err := tx.Exec(ctx, "select setseed(0.5)"); err != nil { // the same picture each time
		return nil, err
	}
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	var b []byte
	var v *float64
	_, err = pgx.ForEachRow(rows, []any{&b, &v}, func() error {
		if b == nil {
			return nil
		}
		g, err := ewkb.Unmarshal(b)
		if err != nil {
			return fmt.Errorf("reading EWKB of %d bytes: %w", len(b), err)
		}
		if rings := ringsOf(g); len(rings) > 0 {
			p.SRID = int32(g.SRID())
			p.Cells = append(p.Cells, PreviewCell{rings, v})
		}
		return nil
	})
	return p, err
}

// columns looks up the geometry, the column with the values, and the number of
// rows. It returns the geometry's name, and the function that makes EWKB of it.
func (p *Preview) columns(ctx context.Context, tx pgx.Tx) (geometry, send string, err error) {
	rows, err := tx.Query(ctx, `
		select a.attname, y.typname, y.typcategory::text, n.nspname
		from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace cn on cn.oid = c.relnamespace
		join pg_type y on y.oid = a.atttypid join pg_namespace n on n.oid = y.typnamespace
		where cn.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum`, p.Table.Schema, p.Table.Name)
	if err != nil {
		return "", "", err
	}
	var name, kind, category, schema string
	numeric := map[string]bool{}
	all := 0
	_, err = pgx.ForEachRow(rows, []any{&name, &kind, &category, &schema}, func() error {
		all++
		numeric[name] = category == "N"
		if kind == "geometry" && geometry == "" {
			geometry, send = name, pgx.Identifier{schema, "st_asewkb"}.Sanitize()
		}
		return nil
	})
	switch {
	case err != nil:
		return "", "", err
	case all == 0:
		return "", "", &geomgen.ParamError{Param: "table", Value: p.Table.String(), Reason: "is not there"}
	case geometry == "":
		return "", "", &geomgen.ParamError{Param: "table", Value: p.Table.String(), Reason: "has no column of type geometry"}
	case p.Column == "" && numeric[coverageColumn]:
		p.Column = coverageColumn
	case p.Column != "":
		if isNumber, there := numeric[p.Column]; !isNumber {
			reason := "is no column of table " + p.Table.String()
			if there {
				reason = "is not numeric in table " + p.Table.String()
			}
			return "", "", &geomgen.ParamError{Param: "column", Value: p.Column, Reason: reason}
		}
	}
	return geometry, send, p.countRows(ctx, tx)
}

// countRows counts up to where a sample is taken, and then takes the server's
// estimate, or counts all where there is none.
func (p *Preview) countRows(ctx context.Context, tx pgx.Tx) error {
	err := tx.QueryRow(ctx, "select count(*) from (select from "+p.Table.sql()+" limit $1) s", previewCells+1).Scan(&p.Rows)
	if err != nil || p.Rows <= previewCells {
		return err
	}
	p.Sample = true
	var estimate int64
	err = tx.QueryRow(ctx, `
		with recursive tables (oid) as (select $1::text::regclass::oid union all select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
		select coalesce(sum(greatest(c.reltuples, 0)) filter (where c.relkind in ('r', 'm')), 0)::bigint from tables t join pg_class c on c.oid = t.oid`, p.Table.sql()).Scan(&estimate)
	if err != nil || estimate > previewCells {
		p.Rows = estimate
		return err
	}
	return tx.QueryRow(ctx, "select count(*) from "+p.Table.sql()).Scan(&p.Rows)
}

// ringsOf returns the shells of a geometry; of a point the point.
func ringsOf(g geom.T) [][]geomgen.Point {
	points := func(flat []float64, stride int) []geomgen.Point {
		var list []geomgen.Point
		for i := 0; i+1 < len(flat); i += stride {
			list = append(list, geomgen.Point{X: flat[i], Y: flat[i+1]})
		}
		return list
	}
	switch g := g.(type) {
	case *geom.Point:
		if !g.Empty() {
			return [][]geomgen.Point{points(g.FlatCoords(), g.Stride())}
		}
	case *geom.Polygon:
		if g.NumLinearRings() > 0 {
			ring := g.LinearRing(0)
			return [][]geomgen.Point{points(ring.FlatCoords(), ring.Stride())}
		}
	case *geom.MultiPolygon:
		var rings [][]geomgen.Point
		for i := range g.NumPolygons() {
			rings = append(rings, ringsOf(g.Polygon(i))...)
		}
		return rings
	}
	return nil
}
