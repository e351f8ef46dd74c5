// Package crsmatch owns finding a CRS's SRID by its definition in well-known text, such as the .prj
// of a shapefile, which usually has no code.
package crsmatch

import (
	"strconv"
	"strings"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
)

// cure is the advice at the end of messages.
const cure = "name it with aoi-srid"

// Match returns the SRID of the CRS that WKT 1, WKT 2 or ESRI's dialect defines. It finds the CRS
// by its authority's code, by its name, or by its parts. In each case the datum or base CRS,
// ellipsoid, prime meridian, unit, projection method and all parameters must equal those of the CRS
// that PostGIS knows by that SRID. It ignores the heights of a compound CRS. If nothing matches,
// the error is a *geomgen.ParamError that names the CRS. Match takes some hundredths of a second.
func Match(text string) (srid int32, err error) {
	d, err := define(text)
	if err != nil {
		return 0, err
	}

	t, err := embedded()
	if err != nil {
		return 0, err
	}
	return t.match(d)
}

// ByCode returns the SRID of a CRS by an authority's code, as files name it: the codes of EPSG;
// those of ESRI, which PostGIS uses as SRIDs; and OGC's CRS84, CRS83 and CRS27, which have
// longitude first.
func ByCode(organization, code string) (srid int32, ok bool) {
	switch n, err := strconv.ParseInt(code, 10, 32); {
	case strings.EqualFold(organization, "OGC"):
		srid, ok = map[string]int32{"CRS84": 4326, "CRS83": 4269, "CRS27": 4267}[strings.ToUpper(code)]
		return srid, ok
	case err != nil || n <= 0:
		return 0, false
	case strings.EqualFold(organization, "EPSG"), strings.EqualFold(organization, "ESRI") && n > 32767:
		return int32(n), true
	}
	return 0, false
}

// SRID returns the SRID of a file's CRS. It uses the code, or the definition if ByCode does not
// know the code's organization. It is 0 if the file does not name a CRS. The errors are those of
// Match.
func SRID(c featurefile.CRS) (int32, error) {
	srid, ok := ByCode(c.Organization, c.Code)

	switch {
	case ok:
		return srid, nil
	case c.WKT != "":
		return Match(c.WKT)
	case c.Organization != "" || c.Code != "":
		return 0, feature.BadArea("has the CRS %s:%s, which is unknown: %s", c.Organization, c.Code, cure)
	}
	return 0, nil
}
