package catalog

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// ReadCRS returns what spatial_ref_sys says of a CRS; ok is false for one that is not in it.
// postgis is the schema of PostGIS.
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

	return crs.Parse(srid, srtext, proj4text), true, nil
}
