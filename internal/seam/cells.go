package seam

import (
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// Extent returns the cells of an extent of a grid in a CRS: see geomgen.Grid.Extent. If XMIN is larger than XMAX, the
// extent crosses the seam of the map of the grid's CRS, which usually is the antimeridian.
func Extent(g geomgen.Grid, c crs.CRS, e geomgen.Box) (geomgen.Range, *geomgen.Mask, error) {
	s, ok := c.Seam()
	if e.XMin <= e.XMax || !ok {
		return g.Extent(e)
	}

	if e.XMax < s.X || e.XMin > s.X+s.Period {
		return geomgen.Range{}, nil, &geomgen.ParamError{Param: "extent", Value: e.String(), Reason: fmt.Sprintf(
			"crosses the seam of the map, because XMIN is larger than XMAX: then both must lie between %g and %g", s.X, s.X+s.Period)}
	}

	left, right := e, e
	left.XMin, right.XMax = s.X, s.X+s.Period

	switch { // if an extent ends on the seam, nothing lies beyond
	case left.XMin == left.XMax:
		return g.Extent(right)
	case right.XMin == right.XMax:
		return g.Extent(left)
	}

	return g.ExtentAcross(right, left)
}

// OnMap returns the cells that lie on the map of the grid's CRS and that an area in a box can select. It leaves out cells
// that touch the area from beyond the antimeridian or a pole. If the cells are not a rectangle of columns and rows, a mask
// selects them.
func OnMap(g geomgen.Grid, c crs.CRS, area geomgen.Box) (geomgen.Range, []*geomgen.Mask, error) {
	s, ok := c.Seam()
	if !ok || g.Shape == geomgen.XYZ {
		return g.World(), nil, nil
	}

	yMin, yMax, _ := c.Ends()
	frame := geomgen.Box{XMin: s.X, YMin: yMin, XMax: s.X + s.Period, YMax: yMax}

	reach := 2 * (g.DX + g.DY)
	around := geomgen.Box{XMin: area.XMin - reach, YMin: area.YMin - reach, XMax: area.XMax + reach, YMax: area.YMax + reach}
	cut := geomgen.Box{XMin: max(around.XMin, frame.XMin), YMin: max(around.YMin, frame.YMin),
		XMax: min(around.XMax, frame.XMax), YMax: min(around.YMax, frame.YMax)}
	if cut == around || cut.XMin >= cut.XMax || cut.YMin >= cut.YMax {
		return g.World(), nil, nil
	}

	r, mask, err := g.Extent(cut)
	if mask == nil {
		return r, nil, err
	}

	return r, []*geomgen.Mask{mask}, err
}
