package job

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// validateArea checks the settings that need an area of interest or conflict with it.
func (j Job) validateArea() error {
	bad := func(param, value, reason string) error {
		return &geomgen.ParamError{Param: param, Value: value, Reason: reason}
	}
	switch j.Geometry {
	case geomgen.AsPolygon, geomgen.AsPoint, geomgen.AsNone:
	case geomgen.AsMultiPolygon:
		if !j.Clip {
			return bad("geometry", string(j.Geometry), "needs clip")
		}
	default:
		return bad("geometry", string(j.Geometry), "must be polygon, point or none")
	}

	switch {
	case j.Clip && j.Geometry == geomgen.AsPoint:
		return bad("clip", "true", "conflicts with geometry point: a point cannot be clipped")
	case j.Clip && !j.HasGeometry():
		return bad("clip", "true", "conflicts with geometry none: there is no geometry to clip")
	case !j.HasGeometry() && j.Index != IndexNone:
		return bad("index", string(j.Index), "conflicts with geometry none: a spatial index needs a geometry")
	case j.Area == nil && j.Coverage:
		return bad("coverage", "true", "needs an area of interest: aoi or aoi-sql")
	case j.Area == nil && j.Clip:
		return bad("clip", "true", "needs an area of interest: aoi or aoi-sql")
	case j.CodeIndex && j.Code == "":
		return bad("code-index", "true", "needs a code")
	case j.CodeIndex && j.Partitions > 0:
		return bad("code-index", "true", "conflicts with partitions: a unique index of a partitioned table must include the partition key, so the code alone cannot have one")
	case j.CodeIndex && j.IfExists == Append:
		return bad("code-index", "true", "conflicts with if-exists append: the existing table keeps its indexes")
	case j.Code == "" && j.CodeOrder != "":
		return bad("code-order", string(j.CodeOrder), "needs a code")
	}

	if c, known := crs.Known(j.Grid.SRID); known {
		if err := j.CheckCRS(c); err != nil {
			return err
		}
	}

	if j.Area == nil {
		return nil
	}

	return checkArea(j.Area)
}

// checkArea checks an area of interest on its own.
func checkArea(a *aoi.Area) error {
	bad := func(param, value, reason string) error {
		return &geomgen.ParamError{Param: param, Value: value, Reason: reason}
	}

	if a.SRID < 0 {
		return bad("aoi-srid", strconv.Itoa(int(a.SRID)), "must not be negative")
	}

	if s := a.Segmentize; s != nil && (!(*s >= 0) || math.IsInf(*s, 1)) {
		return bad("aoi-segmentize", strconv.FormatFloat(*s, 'g', -1, 64), "must be a length in units of the area's CRS, or 0")
	}

	if err := errors.Join(a.CheckQueryTimeout(), a.CheckMaxPositions()); err != nil {
		return err
	}

	switch a.Rule {
	case geomgen.Intersects, geomgen.Within, geomgen.Centroid, geomgen.Overlaps:
		return nil
	}

	return bad("aoi-rule", string(a.Rule), "must be intersects, within, centroid or overlaps")
}

// NeedsMetres reports whether the job needs a CRS in metres: INSPIRE codes consist of metres.
func (j Job) NeedsMetres() bool {
	return j.Code == geomgen.INSPIRE || j.Code == geomgen.INSPIREShort
}

// CheckCRS refuses settings that do not fit the grid's CRS: codes made of metres need a CRS in metres. The error
// is a *geomgen.ParamError.
func (j Job) CheckCRS(c crs.CRS) error {
	if !j.NeedsMetres() || c.Metres() {
		return nil
	}

	units := "not known"
	if c.Unit != "" {
		units = "others: " + c.Units(2)
	}

	return &geomgen.ParamError{Param: "code", Value: string(j.Code), Reason: fmt.Sprintf(
		"is made of metres, but the units of EPSG:%d are %s", j.Grid.SRID, units)}
}
