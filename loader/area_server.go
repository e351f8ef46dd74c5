package loader

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
)

// ResolveArea returns an area as polygons in the CRS of a grid, 0 for none: it runs
// its query, mends and unites what is to be, and transforms it, all on the server
// and in a read-only transaction. An area that cannot be is a *geomgen.ParamError.
func ResolveArea(ctx context.Context, pool *pgxpool.Pool, a *Area, srid int32) (*Area, error) {
	var ready *Area
	err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		r := resolver{tx: tx, area: *a}
		if err := r.resolve(ctx, srid); err != nil {
			return err
		}
		ready = &r.area
		return nil
	})
	var param *geomgen.ParamError
	if errors.As(err, &param) {
		if a.SQL != "" && param.Param == "aoi" { // what is wrong with it is what the query returns
			return nil, &geomgen.ParamError{Param: "aoi-sql", Value: oneLine(a.SQL), Reason: param.Reason}
		}
		return nil, err
	}
	return ready, serverError(err, "making the area of interest ready")
}

// resolver makes an area ready in a transaction.
type resolver struct {
	tx      pgx.Tx
	area    Area
	postgis string // the schema of PostGIS
}

func (r *resolver) resolve(ctx context.Context, srid int32) error {
	err := r.tx.QueryRow(ctx, "select nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'postgis'").Scan(&r.postgis)
	if errors.Is(err, pgx.ErrNoRows) {
		return &ServerError{Doing: "checking the server", Err: errors.New("PostGIS is not in this database"), Advice: "run 'create extension postgis' in it as its owner"}
	}
	if err != nil {
		return serverError(err, "looking for PostGIS")
	}
	if r.area.SQL != "" {
		if err := r.query(ctx); err != nil {
			return err
		}
	}
	if err := r.area.check(srid); err != nil {
		return err
	}
	if err := r.mend(ctx); err != nil {
		return err
	}
	if r.area.SRID != 0 && r.area.SRID != srid {
		if err := r.transform(ctx, srid); err != nil {
			return err
		}
		// Parts that were cut at the antimeridian, or that touched, now may share edges.
		r.area.Union = true
		if err := r.mend(ctx); err != nil {
			return err
		}
	}
	r.area.SRID, r.area.Union, r.area.ready = srid, false, true
	return nil
}

// fn returns a function of PostGIS for SQL.
func (r *resolver) fn(name string) string {
	return pgx.Identifier{r.postgis, name}.Sanitize()
}

// query runs the area's query. Prepared first, it is one statement, and its
// columns are known.
func (r *resolver) query(ctx context.Context) error {
	bad := func(format string, args ...any) error {
		return &geomgen.ParamError{Param: "aoi-sql", Value: oneLine(r.area.SQL), Reason: fmt.Errorf(format, args...).Error()}
	}
	explain := func(err error) error {
		var pgErr *pgconn.PgError
		if errors.As(err, &pgErr) && !transient(err) {
			return bad("the server refuses it: %s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
		}
		return serverError(err, "running the query of the area of interest")
	}
	statement, err := r.tx.Prepare(ctx, "", r.area.SQL)
	if err != nil {
		return explain(err)
	}
	var geometry uint32
	err = r.tx.QueryRow(ctx, "select y.oid from pg_type y join pg_namespace n on n.oid = y.typnamespace where y.typname = 'geometry' and n.nspname = $1", r.postgis).Scan(&geometry)
	if err != nil {
		return serverError(err, "looking for the type of geometries")
	}
	if len(statement.Fields) != 1 || statement.Fields[0].DataTypeOID != geometry {
		return bad("must return one column of type geometry, and returns %s", describe(statement.Fields))
	}
	if len(statement.ParamOIDs) > 0 {
		return bad("must have no parameters")
	}
	n := 0
	r.area.Polygons = nil
	take := func(b []byte) error {
		polygons, srid, flat, err := decodeEWKB(b)
		if err != nil {
			return err
		}
		if n > 0 && srid != r.area.SRID {
			return bad("returns geometries of SRID %d and of SRID %d", r.area.SRID, srid)
		}
		n++
		r.area.SRID, r.area.Polygons = srid, append(r.area.Polygons, polygons...)
		if !flat && len(r.area.Warnings) == 0 {
			r.area.Warnings = append(r.area.Warnings, "the area of interest has coordinates beside x and y: they are dropped")
		}
		return nil
	}
	// In the binary format a geometry comes as EWKB, whatever a DSN says of protocols.
	rows, err := r.tx.Query(ctx, r.area.SQL, pgx.QueryExecModeDescribeExec, pgx.QueryResultFormats{pgx.BinaryFormatCode})
	if err != nil {
		return explain(err)
	}
	defer rows.Close()
	for err == nil && rows.Next() {
		if b := rows.RawValues()[0]; b != nil {
			err = take(b)
		}
	}
	if err == nil {
		err = rows.Err()
	}
	var param *geomgen.ParamError
	switch {
	case errors.As(err, &param):
		return bad("%s", param.Reason)
	case err != nil:
		return explain(err)
	case len(r.area.Polygons) == 0:
		return bad("is empty: it returns no polygons")
	}
	r.area.Union = n > 1
	return nil
}

func describe(fields []pgconn.FieldDescription) string {
	if len(fields) == 0 {
		return "nothing"
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return fmt.Sprintf("%d: %s", len(fields), strings.Join(names, ", "))
}

// mend unites parts that overlap where they may, and makes polygons valid where that
// is asked for. Polygons that are not valid otherwise are an error.
func (r *resolver) mend(ctx context.Context) error {
	invalid := geomgen.CheckPolygons(r.area.Polygons)
	if invalid == nil {
		return nil
	}
	if !r.area.MakeValid {
		if r.area.Union {
			invalid = checkEach(r.area.Polygons)
		}
		if invalid != nil {
			where := ""
			if r.area.SRID != 0 {
				where = fmt.Sprintf(" in EPSG:%d", r.area.SRID)
			}
			return badArea("is not valid%s: %w: mend it, or let the server do so with aoi-make-valid", where, invalid)
		}
	}
	part := "d.geom"
	if r.area.MakeValid {
		part = r.fn("st_collectionextract") + "(" + r.fn("st_makevalid") + "(d.geom), 3)"
	}
	sql := "select " + r.fn("st_asewkb") + "(" + r.fn("st_collectionextract") + "(" + r.fn("st_unaryunion") + "(" + r.fn("st_collect") + "(" + part + ")), 3))" +
		" from " + r.fn("st_dump") + "(" + r.fn("st_geomfromewkb") + "($1)) d"
	if err := r.run(ctx, "unite or mend the area", sql, r.area.Marshal()); err != nil {
		var param *geomgen.ParamError
		if errors.As(err, &param) && !r.area.MakeValid {
			return badArea("%s: let the server mend it with aoi-make-valid", param.Reason)
		}
		return err
	}
	return nil
}

// checkEach refuses polygons that are not valid by themselves. A union is made for
// valid ones: what it does with others, if not fail, is up to GEOS.
func checkEach(polygons []geomgen.Polygon) error {
	for i := range polygons {
		err := geomgen.CheckPolygons(polygons[i : i+1])
		var invalid *geomgen.InvalidError
		if errors.As(err, &invalid) {
			invalid.Polygon = i + 1
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// transform takes the area to the grid's CRS, with corners in between, since what
// is straight in the one CRS is not in the other.
func (r *resolver) transform(ctx context.Context, srid int32) error {
	table := pgx.Identifier{r.postgis, "spatial_ref_sys"}.Sanitize()
	var degrees bool
	err := r.tx.QueryRow(ctx, "select coalesce(proj4text, '') like '%+proj=longlat%' from "+table+" where srid = $1", r.area.SRID).Scan(&degrees)
	if errors.Is(err, pgx.ErrNoRows) {
		return badArea("is in EPSG:%d, which the server does not know: it is not in spatial_ref_sys", r.area.SRID)
	}
	if err != nil {
		return serverError(err, "looking up SRID %d in spatial_ref_sys", r.area.SRID)
	}
	length := 1000.0
	if degrees {
		length = 0.01
	}
	if r.area.Segmentize != nil {
		length = *r.area.Segmentize
	}
	g := r.fn("st_geomfromewkb") + "($1)"
	if length > 0 {
		g = r.fn("st_segmentize") + "(" + g + ", $3::float8)"
	} else {
		g = "(select " + g + " where $3::float8 = 0)"
	}
	return r.run(ctx, fmt.Sprintf("transform the area from EPSG:%d to EPSG:%d", r.area.SRID, srid),
		"select "+r.fn("st_asewkb")+"("+r.fn("st_transform")+"("+g+", $2::integer))", r.area.Marshal(), srid, length)
}

// run puts the geometry that a statement returns in the area's place.
func (r *resolver) run(ctx context.Context, what, sql string, args ...any) error {
	var b []byte
	if err := r.tx.QueryRow(ctx, sql, args...).Scan(&b); err != nil {
		var pgErr *pgconn.PgError
		if errors.As(err, &pgErr) && !transient(err) {
			return badArea("the server cannot %s: %s (SQLSTATE %s)", what, pgErr.Message, pgErr.Code)
		}
		return serverError(err, "having the server %s", what)
	}
	if b == nil { // what ST_Segmentize makes of a line with too many points
		return badArea("is cut into more segments than the server can %s: make aoi-segmentize longer, or 0 for none", what)
	}
	polygons, srid, _, err := decodeEWKB(b)
	if err != nil {
		return err
	}
	if len(polygons) == 0 {
		return badArea("is empty, once the server has done this: %s", what)
	}
	r.area.Polygons, r.area.SRID = polygons, srid
	return nil
}
