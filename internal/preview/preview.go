// Package preview owns what a picture of a table is drawn from: its cells, or a sample of
// them.
package preview

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/ownpath"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/units"
)

// A table of up to previewCells rows is drawn whole: a picture can hardly show more.
// A sample has sampleCells at most, as blocks at the edge of an area make some more.
const (
	previewCells = 50_000
	sampleCells  = 60_000
	// textLength is how many letters of a category are read.
	textLength = 60
)

// Preview is what a table holds, or a sample of it.
type Preview struct {
	Table  job.Table
	CRS    crs.CRS // of SRID 0 for none, or where it is not known
	Column string  // whose values they are, "" for none
	Texts  bool    // the values are categories: texts, not numbers
	Rows   int64   // how many the table has; where Cells are a sample, about
	Sample bool    // Cells are not all
	Even   bool    // the sample has one cell of each block of neighbours
	Each   float64 // of about how many rows a cell of the sample is one; 1 if it is not a sample
	Cells  []Cell

	distributed bool // the rows are on other nodes than the server
}

// Cell is a row of a table: its rings, of a point the point alone.
type Cell struct {
	Rings [][]geomgen.Point
	Value *float64 // nil where it is null, and of a column of categories
	Text  *string  // the value of a column of categories, nil where it is null
}

// New reads a table's geometries, and the values of a column, numbers or categories: of
// coverage, if the table has it and no other is named. Of a table with more than
// 50,000 rows it reads a sample, spread evenly over the cells. It runs in a read-only
// transaction. A table or column that is not there, or a column of a type that has neither, is a
// *geomgen.ParamError. Of polygons their shells are read, not their holes.
func New(ctx context.Context, pool *pgxpool.Pool, table job.Table, column string) (*Preview, error) {
	var p *Preview
	err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		p, err = readTable(ctx, tx, table, column)
		return err
	})
	var param *geomgen.ParamError
	if errors.As(err, &param) {
		return nil, err
	}

	return p, pg.Wrap(err, "reading table %s", table)
}

func readTable(ctx context.Context, tx pgx.Tx, table job.Table, column string) (*Preview, error) {
	p := &Preview{Table: table, Column: column}
	if table.Schema == "" {
		schemas, err := ownpath.Schemas(ctx, tx)
		if err != nil {
			return nil, err
		}

		err = tx.QueryRow(ctx, `
			select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
			where c.relname = $1 and n.nspname = any($2)
			order by array_position($2::name[], n.nspname) limit 1`, table.Name, schemas).Scan(&p.Table.Schema)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, &geomgen.ParamError{Param: "table", Value: table.String(), Reason: "does not exist in any schema of the search_path: add the schema, or check upper and lower case"}
		}

		if err != nil {
			return nil, err
		}
	}

	geometry, send, err := p.columns(ctx, tx)
	if err != nil {
		return nil, err
	}

	value, text := "null::float8", "null::text"
	quoted := (pgx.Identifier{p.Column}).Sanitize()
	switch {
	case p.Texts:
		text = "left(" + quoted + "::text, " + strconv.Itoa(textLength) + ")"
	case p.Column != "":
		value = quoted + "::float8"
	}

	sql, whole, err := p.query(ctx, tx, send+"("+pgx.Identifier{geometry}.Sanitize()+") as g, "+value+" as v, "+text+" as t")
	if err != nil {
		return nil, err
	}

	if err := p.read(ctx, tx, sql, whole); err != nil {
		return nil, err
	}

	return p, p.findCRS(ctx, tx)
}

const mayReadSQL = `
	select n.nspname, coalesce(has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT'), false)
	from pg_extension e join pg_namespace n on n.oid = e.extnamespace
	left join pg_class c on c.relnamespace = n.oid and c.relname = 'spatial_ref_sys'
	where e.extname = 'postgis'`

// findCRS looks up the CRS of the geometries: where the role may read what the server says
// of it, there, and else in the table of package crs.
func (p *Preview) findCRS(ctx context.Context, tx pgx.Tx) error {
	var postgis string
	var may bool
	if err := tx.QueryRow(ctx, mayReadSQL).Scan(&postgis, &may); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}

	c, known := crs.Known(p.CRS.SRID)
	if may && p.CRS.SRID != 0 {
		var err error
		if c, known, err = catalog.ReadCRS(ctx, tx, postgis, p.CRS.SRID); err != nil {
			return err
		}
	}

	if known {
		p.CRS = c
	}

	return nil
}

// Warnings say where the cells hardly fit the unit or the domain of their CRS.
func (p *Preview) Warnings() []units.Warning {
	box := geomgen.Box{XMin: math.Inf(1), YMin: math.Inf(1), XMax: math.Inf(-1), YMax: math.Inf(-1)}

	for _, c := range p.Cells {
		for _, ring := range c.Rings {
			for _, q := range ring {
				box = geomgen.Box{XMin: min(box.XMin, q.X), YMin: min(box.YMin, q.Y), XMax: max(box.XMax, q.X), YMax: max(box.YMax, q.Y)}
			}
		}
	}

	if !(box.XMin <= box.XMax) {
		return nil
	}

	return units.Check(p.CRS, "table", box, 0, 0)
}

// read reads the rows of a query for EWKB and value. Of too many it keeps some. Where
// it is for the whole table, the rows are counted meanwhile.
func (p *Preview) read(ctx context.Context, tx pgx.Tx, sql string, whole bool) error {
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return err
	}

	kept := sampler{every: 1, most: sampleCells}
	var b []byte
	var v *float64
	var text *string
	_, err = pgx.ForEachRow(rows, []any{&b, &v, &text}, func() error {
		if !kept.wants() || b == nil {
			return nil
		}

		g, err := ewkb.Unmarshal(b)
		if err != nil {
			return fmt.Errorf("reading EWKB of %d bytes: %w", len(b), err)
		}

		if rings := ringsOf(g); isDrawable(rings) {
			p.CRS.SRID = int32(g.SRID())
			kept.add(Cell{rings, v, text})
		}

		return nil
	})

	p.Cells = kept.cells
	if whole {
		p.Rows, p.Sample = kept.seen, kept.every > 1
	}
	// Rows without geometry count: the cells do not have to fill their space.
	p.Each = max(1, float64(kept.every)*float64(p.Rows)/max(1, float64(kept.seen)))

	return err
}

const columnsSQL = `
	-- A type of that name in another schema is of somebody else, and so are its functions.
	select a.attname, n.nspname, y.typname = 'geometry' and n.oid = (select extnamespace from pg_extension where extname = 'postgis'),
	       coalesce(nullif(y.typbasetype, 0), y.oid) -- money and oid are none
	         in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype, 'double precision'::regtype, 'numeric'::regtype),
	       coalesce(nullif(y.typbasetype, 0), y.oid)
	         in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'name'::regtype, 'boolean'::regtype, 'date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'uuid'::regtype)
	         or y.typtype = 'e'
	from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace cn on cn.oid = c.relnamespace
	join pg_type y on y.oid = a.atttypid join pg_namespace n on n.oid = y.typnamespace
	where cn.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum`

// columns looks up the geometry, the column with the values, and the number of
// rows. It returns the geometry's name, and the function that makes EWKB of it.
func (p *Preview) columns(ctx context.Context, tx pgx.Tx) (geometry, send string, err error) {
	rows, err := tx.Query(ctx, columnsSQL, p.Table.Schema, p.Table.Name)
	if err != nil {
		return "", "", err
	}

	var name, schema string
	var isGeometry, isNumber, isText bool
	numeric, texts := map[string]bool{}, map[string]bool{}
	all := 0
	_, err = pgx.ForEachRow(rows, []any{&name, &schema, &isGeometry, &isNumber, &isText}, func() error {
		all++
		numeric[name], texts[name] = isNumber, isText
		if isGeometry && geometry == "" {
			geometry, send = name, pgx.Identifier{schema, "st_asewkb"}.Sanitize()
		}

		return nil
	})

	switch {
	case err != nil:
		return "", "", err
	case all == 0:
		return "", "", &geomgen.ParamError{Param: "table", Value: p.Table.String(), Reason: "does not exist: check upper and lower case, too"}
	case geometry == "":
		return "", "", &geomgen.ParamError{Param: "table", Value: p.Table.String(), Reason: "has no column of type geometry, so there is nothing to draw: draw a view that joins it to a table with the same cells and their geometries"}
	case p.Column == "" && numeric[job.CoverageColumn]:
		p.Column = job.CoverageColumn
	case p.Column != "":
		if isNumber, there := numeric[p.Column]; !isNumber {
			reason := "is not a column of table " + p.Table.String()
			if there {
				reason = "is not numeric, nor a text, boolean or date, in table " + p.Table.String()
			}

			if p.Texts = texts[p.Column]; !p.Texts {
				return "", "", &geomgen.ParamError{Param: "column", Value: p.Column, Reason: reason}
			}
		}
	}

	return geometry, send, p.countRows(ctx, tx)
}
