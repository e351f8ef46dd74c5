package plan

import (
	"context"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/seam"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/rows"
)

// cellSelection is the cells that a job selects.
type cellSelection struct {
	*geomgen.Selection
	area     *geomgen.Mask  // nil without an area of interest, and for pairs
	placed   *aoi.Area      // the area that the mask was made from
	features *rows.Features // nil without attributes
}

// selectCells returns the cells of the job. It counts them, unless that takes more than the given number of
// blocks: then it estimates them.
func selectCells(ctx context.Context, j job.Job, blocks int) (cellSelection, error) {
	r, masks, err := frame(j)
	if err != nil {
		return cellSelection{}, err
	}

	var c cellSelection
	var around geomgen.Box

	if j.Area != nil {
		if c.placed, err = placeArea(ctx, j); err != nil {
			return cellSelection{}, err
		}

		if around, err = c.addArea(ctx, j); err != nil {
			return cellSelection{}, err
		}

		if r, err = j.Grid.AroundIn(r, around); err != nil {
			return cellSelection{}, err
		}

		if c.area != nil {
			masks = append(masks, c.area)
		}

		if j.Extent == nil && j.Cols == 0 {
			onMap, mask, err := seam.OnMap(j.Grid, knownCRS(j.Grid.SRID), around)
			if err != nil {
				return cellSelection{}, err
			}
			r, masks = r.Intersect(onMap), append(masks, mask...)
		}
	}

	if j.Pairs() {
		c.Selection, err = geomgen.EstimatePairs(ctx, blocks, r, c.features.Layer(), masks...)
	} else {
		c.Selection, err = geomgen.Estimate(ctx, blocks, r, masks...)
	}

	if err != nil {
		return cellSelection{}, err
	}

	if c.Count() == 0 {
		return cellSelection{}, noCellError(j)
	}

	return c, nil
}

// noCellError reports that no cell is selected.
func noCellError(j job.Job) error {
	if j.Area == nil {
		return &geomgen.ParamError{Param: "extent", Value: j.Extent.String(), Reason: "contains no cell"}
	}

	reason := "no cell is completely in the area"

	switch j.Area.Rule {
	case geomgen.Intersects:
		reason = "no cell intersects the area"
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

// frame returns the rectangle of cells that extent, or columns and rows, define, and a mask if the extent is not
// a rectangle of columns and rows.
func frame(j job.Job) (geomgen.Range, []*geomgen.Mask, error) {
	if j.Extent != nil {
		if j.Cols != 0 || j.Rows != 0 {
			return geomgen.Range{}, nil, &geomgen.ParamError{Param: "extent", Value: j.Extent.String(),
				Reason: "set either an extent or cols and rows, not both"}
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
			Reason: "the grid needs a limit: set an extent, cols and rows, or an area of interest" + wholeDomain(knownCRS(j.Grid.SRID))}
	}

	for _, n := range []struct {
		param string
		n     int64
	}{{"cols", j.Cols}, {"rows", j.Rows}} {
		switch {
		case n.n == 0:
			return geomgen.Range{}, nil, &geomgen.ParamError{Param: n.param, Value: "(none)", Reason: "is required: cols and rows belong together"}
		case n.n < 0 || n.n > geomgen.MaxIndex:
			return geomgen.Range{}, nil, &geomgen.ParamError{Param: n.param, Value: strconv.FormatInt(n.n, 10), Reason: "must lie between 1 and 2^30"}
		}
	}

	r := geomgen.Range{MaxCol: int32(j.Cols), MaxRow: int32(j.Rows)}

	return r, nil, j.Grid.CheckRange(r)
}
