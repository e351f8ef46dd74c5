package loader

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
)

// validateArea checks what goes with an area of interest, and what does not.
func (j Job) validateArea() error {
	bad := func(param, value, reason string) error {
		return &geomgen.ParamError{Param: param, Value: value, Reason: reason}
	}
	switch j.Geometry {
	case geomgen.AsPolygon, geomgen.AsPoint:
	case geomgen.AsMultiPolygon:
		if !j.Clip {
			return bad("geometry", string(j.Geometry), "goes with clip alone")
		}
	default:
		return bad("geometry", string(j.Geometry), "must be polygon or point")
	}
	switch {
	case j.Clip && j.Geometry == geomgen.AsPoint:
		return bad("clip", "true", "contradicts geometry point: a point is not cut")
	case j.Area == nil && j.Coverage:
		return bad("coverage", "true", "needs an area of interest: aoi or aoi-sql")
	case j.Area == nil && j.Clip:
		return bad("clip", "true", "needs an area of interest: aoi or aoi-sql")
	case j.CodeIndex && j.Code == "":
		return bad("code-index", "true", "needs a code")
	case j.CodeIndex && j.Partitions > 0:
		return bad("code-index", "true", "contradicts partitions: a unique index of a partitioned table must hold the partition key, so none on the code alone can be")
	case j.CodeIndex && j.IfExists == Append:
		return bad("code-index", "true", "contradicts if-exists append: the indexes of the table that is there stand")
	case j.Code == "" && j.CodeOrder != "":
		return bad("code-order", string(j.CodeOrder), "needs a code")
	}
	if (j.Code == geomgen.INSPIRE || j.Code == geomgen.INSPIREShort) && inDegrees(j.Grid.SRID) {
		return errNotMetric(j)
	}
	if j.Area == nil {
		return nil
	}
	if s := j.Area.Segmentize; s != nil && (!(*s >= 0) || math.IsInf(*s, 1)) {
		return bad("aoi-segmentize", strconv.FormatFloat(*s, 'g', -1, 64), "must be a length in units of the area's CRS, or 0")
	}
	if err := j.Area.checkSQLTimeout(); err != nil {
		return err
	}
	switch j.Area.Rule {
	case geomgen.Intersects, geomgen.Within, geomgen.Centroid:
		return nil
	}
	return bad("aoi-rule", string(j.Area.Rule), "must be intersects, within or centroid")
}

// inDegrees tells whether a CRS is one of those in degrees that people use most:
// of the others the server knows it.
func inDegrees(srid int32) bool { return srid == lonLat || srid == 4258 || srid == 4269 }

func errNotMetric(j Job) error {
	return &geomgen.ParamError{Param: "code", Value: string(j.Code), Reason: fmt.Sprintf(
		"is made of metres, and the units of EPSG:%d are others", j.Grid.SRID)}
}

// cellSelection is which cells a job asks for.
type cellSelection struct {
	*geomgen.Selection
	area *geomgen.Mask // nil without an area of interest
}

// selectCells returns the cells that the job asks for, counted.
func (j Job) selectCells(ctx context.Context) (cellSelection, error) {
	r, masks, err := j.frame()
	if err != nil {
		return cellSelection{}, err
	}
	var c cellSelection
	if j.Area != nil {
		if c.area, r, err = j.mask(r); err != nil {
			return cellSelection{}, err
		}
		masks = append(masks, c.area)
	}
	if c.Selection, err = geomgen.Select(ctx, r, masks...); err != nil {
		return cellSelection{}, err
	}
	if c.Count() == 0 {
		return cellSelection{}, j.nothing()
	}
	return c, nil
}

// nothing says that no cell is selected.
func (j Job) nothing() error {
	if j.Area == nil {
		return &geomgen.ParamError{Param: "extent", Value: j.Extent.String(), Reason: "has no cell in it"}
	}
	reason := "no cell lies in the area, whole"
	switch j.Area.Rule {
	case geomgen.Intersects:
		reason = "no cell meets the area"
	case geomgen.Centroid:
		reason = "no cell has its centre in the area"
	}
	if j.Extent != nil || j.Cols > 0 {
		reason += " and the extent"
	}
	return &geomgen.ParamError{Param: "aoi-rule", Value: string(j.Area.Rule), Reason: reason + ": check the CRS of both, the cell size and the rule"}
}

// frame returns the rectangle of cells that extent or columns and rows say, and
// the mask where the extent is none in columns and rows.
func (j Job) frame() (geomgen.Range, []*geomgen.Mask, error) {
	if j.Extent != nil {
		if j.Cols != 0 || j.Rows != 0 {
			return geomgen.Range{}, nil, &geomgen.ParamError{Param: "extent", Value: j.Extent.String(),
				Reason: "give either an extent or cols and rows, not both"}
		}
		r, mask, err := j.Grid.Extent(*j.Extent)
		if mask == nil {
			return r, nil, err
		}
		return r, []*geomgen.Mask{mask}, err
	}
	if j.Cols == 0 && j.Rows == 0 {
		if j.Area != nil || j.Grid.Shape == geomgen.XYZ {
			return j.Grid.World(), nil, nil
		}
		return geomgen.Range{}, nil, &geomgen.ParamError{Param: "extent", Value: "(none)",
			Reason: "an extent, cols and rows, or an area of interest must say how far the grid reaches"}
	}
	for _, n := range []struct {
		param string
		n     int64
	}{{"cols", j.Cols}, {"rows", j.Rows}} {
		switch {
		case n.n == 0:
			return geomgen.Range{}, nil, &geomgen.ParamError{Param: n.param, Value: "(none)", Reason: "is required: cols and rows go together"}
		case n.n < 0 || n.n > geomgen.MaxIndex:
			return geomgen.Range{}, nil, &geomgen.ParamError{Param: n.param, Value: strconv.FormatInt(n.n, 10), Reason: "must lie between 1 and 2^30"}
		}
	}
	r := geomgen.Range{MaxCol: int32(j.Cols), MaxRow: int32(j.Rows)}
	return r, nil, j.Grid.CheckRange(r)
}

// mask returns the mask of the job's area, and those cells of a rectangle that
// come into question.
func (j Job) mask(r geomgen.Range) (*geomgen.Mask, geomgen.Range, error) {
	if err := j.Area.check(j.Grid.SRID); err != nil {
		return nil, r, err
	}
	if need, why := j.Area.needsServer(j.Grid.SRID); need {
		return nil, r, &NeedsServerError{why}
	}
	m, err := geomgen.NewMask(j.Grid, j.Area.Polygons, j.Area.Rule)
	if err != nil {
		return nil, r, j.invalidArea(err)
	}
	around, err := j.Grid.AroundIn(r, m.Bounds())
	return m, around, err
}

// invalidArea says what to do about polygons that are not valid.
func (j Job) invalidArea(err error) error {
	var invalid *geomgen.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	switch {
	case j.Area.ready:
	case j.Area.Union:
		return &NeedsServerError{"its features overlap or share edges (" + invalid.Error() + "), so they must be united"}
	case j.Area.MakeValid:
		return &NeedsServerError{"it is to be made valid: " + invalid.Error()}
	}
	return &geomgen.ParamError{Param: "aoi", Value: "(the area)",
		Reason: "is not valid: " + invalid.Error() + ": mend it, or let the server do so with aoi-make-valid"}
}

// NeedsServerError reports an area of interest that only a server can make ready:
// see ResolveArea.
type NeedsServerError struct {
	Reason string
}

func (e *NeedsServerError) Error() string {
	return "the area of interest needs a server: " + e.Reason
}
