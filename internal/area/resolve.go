// Package area owns the work on an area of interest that only a server can do: running a query,
// transforming, and repairing polygons.
package area

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/dissolve"
	"github.com/loadgrid/loadgrid/internal/gather"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Resolve returns an area as polygons in the CRS of a grid, 0 for none. It runs the area's query,
// repairs and unites polygons if the area requires it, and transforms them. All of this happens
// on the server and in read-only transactions. The query has its own connection, and
// Area.SQLTimeout to answer.
//
// An area that cannot be resolved is a *geomgen.ParamError, and a query that fails is a
// *job.SQLError. Package pg must have made the pool: see pg.Own. If the caller wants features, the
// result's Layer has them, also resolved.
func Resolve(ctx context.Context, pool *pgxpool.Pool, a *aoi.Area, srid int32, want Features) (*aoi.Area, error) {
	r := resolver{area: *a, want: want}
	err := a.CheckQueryTimeout()

	if err == nil && a.SQL != "" {
		err = r.query(ctx, pool)
	}

	if err == nil {
		err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			r.tx = tx
			return r.resolve(ctx, srid)
		})
	}

	var param *geomgen.ParamError

	switch {
	case errors.As(err, &param) && a.SQL != "" && param.Param == "aoi": // the error is about what the query returns
		return nil, &job.SQLError{Param: "aoi-sql", SQL: sqltext.OneLine(a.SQL), Reason: param.Reason}
	case errors.As(err, &param), errors.As(err, new(*job.SQLError)):
		return nil, err
	case err != nil:
		return nil, pg.Wrap(err, "preparing the area of interest")
	}

	return &r.area, nil
}

// resolver resolves an area in a transaction.
type resolver struct {
	tx      pgx.Tx
	area    aoi.Area
	want    Features
	postgis string // the schema of PostGIS
	inOrder bool   // the server gets polygons in the area's order
}

// findPostGIS looks up the schema of PostGIS's functions.
func (r *resolver) findPostGIS(ctx context.Context) error {
	err := r.tx.QueryRow(ctx, "select nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'postgis'").Scan(&r.postgis)
	if errors.Is(err, pgx.ErrNoRows) {
		return &pg.ServerError{Doing: "checking the server", Err: errors.New("PostGIS is not in this database"), Advice: "run 'create extension postgis' in it as its owner"}
	}
	return pg.Wrap(err, "looking for PostGIS")
}

// resolve prepares the area's polygons, which come from the query if there is one.
func (r *resolver) resolve(ctx context.Context, srid int32) error {
	if err := r.findPostGIS(ctx); err != nil {
		return err
	}

	if err := r.area.CheckSRID(srid); err != nil {
		return err
	}

	from, err := r.crs(ctx, cmp.Or(r.area.SRID, srid))
	if err != nil {
		return err
	}

	to := from
	if r.area.SRID != 0 && r.area.SRID != srid {
		if to, err = r.crs(ctx, srid); err != nil {
			return err
		}
	}

	if len(r.want.Names) > 0 {
		err = r.resolveFeatures(ctx, from, to)
	} else {
		err = r.resolveWhole(ctx, from, to)
	}
	if err != nil {
		return err
	}

	r.area.SRID, r.area.Union = srid, false
	r.area.SetReady()

	return nil
}

// resolveWhole prepares the area as a whole.
func (r *resolver) resolveWhole(ctx context.Context, from, to crs.CRS) error {
	if err := r.place(ctx, from); err != nil || to.SRID == from.SRID {
		return err
	}

	if err := r.transform(ctx, from, to); err != nil {
		return err
	}

	// Parts that were cut at a seam, or that touched, may now share edges.
	r.area.Union = true

	return r.makeValid(ctx)
}

// place brings the area onto the map of its CRS, and makes it valid if the job wants that.
func (r *resolver) place(ctx context.Context, c crs.CRS) error {
	placed, err := r.area.Place(ctx, c)

	if errors.As(err, new(*geomgen.InvalidError)) {
		if err := r.makeValid(ctx); err != nil {
			return err
		}
		placed, err = r.area.Place(ctx, c)
	}

	if err != nil {
		return err
	}

	r.area = *placed
	return r.makeValid(ctx)
}

// crs returns what the server knows about a CRS. For SRID 0 it returns the zero value.
func (r *resolver) crs(ctx context.Context, srid int32) (crs.CRS, error) {
	if srid == 0 {
		return crs.CRS{}, nil
	}

	c, ok, err := catalog.ReadCRS(ctx, r.tx, r.postgis, srid)
	if err == nil && !ok {
		err = aoi.BadArea("needs EPSG:%d, which the server does not know: it is not in spatial_ref_sys", srid)
	}

	return c, err
}

// fn returns the qualified name of a PostGIS function for SQL.
func (r *resolver) fn(name string) string {
	return pgx.Identifier{r.postgis, name}.Sanitize()
}

// makeValid unites parts that overlap or share edges, if the area allows it, and makes polygons
// valid, if the job wants that. Other invalid polygons are an error. The server unites what
// overlaps. What it does with polygons that are invalid by themselves, unless it fails, depends on
// GEOS.
func (r *resolver) makeValid(ctx context.Context) error {
	invalid := geomgen.CheckPolygonsContext(ctx, r.area.Polygons)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case invalid == nil:
		return nil
	}

	if r.area.Union {
		union, ok, err := dissolve.Union(ctx, r.area.Polygons)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case ok:
			r.area.Polygons = union
			return nil
		}
		invalid = err // a polygon is invalid by itself, as opposed to overlapping another one
	}

	if !r.area.MakeValid {
		if invalid != nil {
			where := ""
			if r.area.SRID != 0 {
				where = fmt.Sprintf(" in EPSG:%d", r.area.SRID)
			}

			return aoi.BadArea("is not valid%s: %w: repair it, or let the server repair it with aoi-make-valid", where, invalid)
		}
	}

	part := "d.geom"
	if r.area.MakeValid {
		part = r.fn("st_collectionextract") + "(" + r.fn("st_makevalid") + "(d.geom), 3)"
	}

	sql := "select " + r.fn("st_asewkb") + "(" + r.fn("st_collectionextract") + "(" + r.fn("st_unaryunion") + "(" + r.fn("st_collect") + "(" + part + "), -1::float8), 3))" +
		" from " + r.fn("st_dump") + "(" + r.fn("st_geomfromewkb") + "($1::bytea)) d"
	if err := r.run(ctx, "unite or repair the area", sql, r.area.Marshal()); err != nil {
		var param *geomgen.ParamError
		if errors.As(err, &param) && !r.area.MakeValid {
			return aoi.BadArea("%s: let the server repair it with aoi-make-valid", param.Reason)
		}

		return err
	}

	return nil
}

// run replaces the area with the geometry that a statement returns.
func (r *resolver) run(ctx context.Context, what, sql string, args ...any) error {
	var b []byte
	if err := r.queryOne(ctx, what, sql, args, &b); err != nil {
		return err
	}

	polygons, srid, err := r.read(what, b)
	if err != nil {
		return err
	}

	r.area.Polygons, r.area.SRID = polygons, srid
	return nil
}

// queryOne scans the one row that a statement returns. If the server rejects the statement, the
// error blames the area.
func (r *resolver) queryOne(ctx context.Context, what, sql string, args []any, to ...any) error {
	err := r.tx.QueryRow(ctx, sql, args...).Scan(to...)

	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && !pg.IsTransient(err) {
		return aoi.BadArea("the server cannot %s: %s (SQLSTATE %s)", what, pgErr.Message, pgErr.Code)
	}

	return pg.Wrap(err, "asking the server to %s", what)
}

// read reads the polygons that a statement returned.
func (r *resolver) read(what string, b []byte) (polygons []geomgen.Polygon, srid int32, err error) {
	if b == nil { // ST_Segmentize returns null for a line that would get too many points
		return nil, 0, aoi.BadArea("is cut into more segments than the server can %s: make aoi-segmentize longer, or 0 for none", what)
	}

	var c gather.Collector
	c.Max = r.area.MaxPositions
	if srid, err = c.WKB(b); err == nil {
		polygons, err = c.Polygons()
	}
	var param *geomgen.ParamError

	switch {
	case errors.As(err, &param):
		return nil, 0, aoi.BadArea("the server cannot %s: the result %s", what, param.Reason)
	case err != nil:
		return nil, 0, err
	case len(polygons) == 0:
		return nil, 0, aoi.BadArea("is empty after the server did this: %s", what)
	}

	return polygons, srid, nil
}
