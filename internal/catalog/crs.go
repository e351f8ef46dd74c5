package catalog

import (
	"context"
	"errors"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// ReadCRS returns a CRS from spatial_ref_sys, with its domain if package crs knows it. ok is false if
// spatial_ref_sys does not have it. postgis is the schema of PostGIS.
func ReadCRS(ctx context.Context, q pg.Querier, postgis string, srid int32) (c crs.CRS, ok bool, err error) {
	var srtext, proj4text string
	table := pgx.Identifier{postgis, "spatial_ref_sys"}.Sanitize()
	err = q.QueryRow(ctx, "select coalesce(srtext, ''), coalesce(proj4text, '') from "+table+" where srid = $1", srid).Scan(&srtext, &proj4text)

	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return crs.CRS{}, false, nil
	case err != nil:
		return crs.CRS{}, false, pg.Wrap(err, "looking up SRID %d in spatial_ref_sys", srid)
	}

	c = crs.Parse(srid, srtext, proj4text)

	// The server does not know where a CRS is meant to be used. The table's domain is right if the SRID means the
	// same CRS there: users may have assigned it to a CRS of their own.
	if known, ok := crs.Known(srid); ok && c.Kind == known.Kind && c.Unit == known.Unit && c.Method == known.Method &&
		math.Abs(c.CentralMeridian-known.CentralMeridian) < 1e-6 {
		c.Domain = known.Domain
	}

	return c, true, nil
}

// PostGISSchema returns the schema of PostGIS, or "" if PostGIS is not in the database.
func PostGISSchema(ctx context.Context, q pg.Querier) (schema string, err error) {
	err = q.QueryRow(ctx, "select nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'postgis'").Scan(&schema)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}

	return schema, pg.Wrap(err, "looking for PostGIS")
}
