package plan

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/dissolve"
	"github.com/loadgrid/loadgrid/internal/seam"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
)

// cellSelection is which cells a job asks for.
type cellSelection struct {
	*geomgen.Selection
	area   *geomgen.Mask // nil without an area of interest
	placed *aoi.Area     // the area as the mask has it
}

// selectCells returns the cells that the job asks for, counted; beyond so many blocks,
// estimated.
func selectCells(ctx context.Context, j job.Job, blocks int) (cellSelection, error) {
	r, masks, err := frame(j)
	if err != nil {
		return cellSelection{}, err
	}

	var c cellSelection
	if j.Area != nil {
		if c.placed, err = placeArea(ctx, j); err != nil {
			return cellSelection{}, err
		}
		if c.placed, err = united(ctx, c.placed); err != nil {
			return cellSelection{}, err
		}
		if c.area, r, err = areaMask(ctx, j, c.placed, r); err != nil {
			return cellSelection{}, err
		}

		masks = append(masks, c.area)

		if j.Extent == nil && j.Cols == 0 {
			onMap, mask, err := seam.OnMap(j.Grid, knownCRS(j.Grid.SRID), c.area.Bounds())
			if err != nil {
				return cellSelection{}, err
			}
			r, masks = r.Intersect(onMap), append(masks, mask...)
		}
	}

	if c.Selection, err = geomgen.Estimate(ctx, blocks, r, masks...); err != nil {
		return cellSelection{}, err
	}

	if c.Count() == 0 {
		return cellSelection{}, noCellError(j)
	}

	return c, nil
}

// noCellError says that no cell is selected.
func noCellError(j job.Job) error {
	if j.Area == nil {
		return &geomgen.ParamError{Param: "extent", Value: j.Extent.String(), Reason: "has no cell in it"}
	}

	reason := "no cell lies in the area, whole"

	switch j.Area.Rule {
	case geomgen.Intersects:
		reason = "no cell meets the area"
	case geomgen.Centroid:
		reason = "no cell has its centre in the area"
	case geomgen.Overlaps:
		reason = "no cell overlaps the area"
	}

	if j.Extent != nil || j.Cols > 0 {
		reason += " and the extent"
	}

	return &geomgen.ParamError{Param: "aoi-rule", Value: string(j.Area.Rule), Reason: reason + ": check the CRS of both, the cell size and the rule"}
}

// frame returns the rectangle of cells that extent or columns and rows say, and
// the mask where the extent is none in columns and rows.
func frame(j job.Job) (geomgen.Range, []*geomgen.Mask, error) {
	if j.Extent != nil {
		if j.Cols != 0 || j.Rows != 0 {
			return geomgen.Range{}, nil, &geomgen.ParamError{Param: "extent", Value: j.Extent.String(),
				Reason: "give either an extent or cols and rows, not both"}
		}

		r, mask, err := seam.Extent(j.Grid, knownCRS(j.Grid.SRID), *j.Extent)
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

// placeArea returns the job's area with its coordinates where the map of their CRS has them.
func placeArea(ctx context.Context, j job.Job) (*aoi.Area, error) {
	a := j.Area
	if err := a.CheckSRID(j.Grid.SRID); err != nil {
		return nil, err
	}

	c := knownCRS(cmp.Or(a.SRID, j.Grid.SRID))
	if need, why := a.NeedsServer(j.Grid.SRID); need {
		if err := a.CheckCoordinates(c); err != nil {
			return nil, err
		}
		return nil, &NeedsServerError{why}
	}

	placed, err := a.Place(ctx, c)
	if err != nil {
		return nil, invalidArea(a, err)
	}
	if yMin, yMax, ok := knownCRS(j.Grid.SRID).Ends(); ok {
		placed = placed.WithMapWarning(yMin, yMax)
	}

	return placed, nil
}

// united returns an area of several features as their union, where they share borders exactly
// and do not overlap. Of others the mask will say what is wrong.
func united(ctx context.Context, a *aoi.Area) (*aoi.Area, error) {
	if !a.Union {
		return a, nil
	}

	union, ok, err := dissolve.Union(ctx, a.Polygons)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case !ok || err != nil:
		return a, nil
	}

	one := *a
	one.Polygons = union
	return &one, nil
}

// areaMask returns the mask of an area, and those cells of a rectangle that come into
// question.
func areaMask(ctx context.Context, j job.Job, a *aoi.Area, r geomgen.Range) (*geomgen.Mask, geomgen.Range, error) {
	m, err := geomgen.NewMaskContext(ctx, j.Grid, a.Polygons, a.Rule)
	if err != nil {
		return nil, r, invalidArea(a, err)
	}

	around, err := j.Grid.AroundIn(r, m.Bounds())
	return m, around, err
}

// invalidArea says what to do about polygons that are not valid.
func invalidArea(a *aoi.Area, err error) error {
	var invalid *geomgen.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}

	switch {
	case a.Ready():
	case a.Union:
		return &NeedsServerError{"its features overlap or share edges (" + invalid.Error() + "), so they must be united"}
	case a.MakeValid:
		return &NeedsServerError{"it is to be made valid: " + invalid.Error()}
	}

	return &geomgen.ParamError{Param: "aoi", Value: "(the area)",
		Reason: "is not valid: " + invalid.Error() + ": mend it, or let the server do so with aoi-make-valid"}
}

// NeedsServerError reports an area of interest that only a server can make ready:
// see loader.ResolveArea.
type NeedsServerError struct {
	Reason string
}

func (e *NeedsServerError) Error() string {
	return "the area of interest needs a server: " + e.Reason
}
