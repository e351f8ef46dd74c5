package areafile

import (
	"fmt"
	"math"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Declared returns the SRID of an area. given is the SRID that the user names, srid the one that
// the area's text or geometries name; 0 means none. If the two differ, the error is a
// *geomgen.ParamError of parameter aoi-srid.
func Declared(given, srid int32) (int32, error) {
	switch {
	case given == 0:
		return srid, nil
	case srid != 0 && srid != given:
		return 0, &geomgen.ParamError{Param: "aoi-srid", Value: strconv.Itoa(int(given)),
			Reason: fmt.Sprintf("conflicts with the area of interest, which names EPSG:%d", srid)}
	}

	return given, nil
}

// notDegrees finds a point whose coordinates cannot be degrees, in either order and with any number
// of turns around the Earth. It is for an area whose text does not name its CRS and so must be in
// degrees.
func notDegrees(polygons []geomgen.Polygon) (at geomgen.Point, found bool) {
	for _, p := range polygons {
		for _, ring := range p {
			for _, q := range ring {
				if math.Abs(q.X) > 360 || math.Abs(q.Y) > 360 {
					return q, true
				}
			}
		}
	}

	return geomgen.Point{}, false
}
