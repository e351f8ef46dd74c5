package plan

import (
	"fmt"
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/units"
)

// Warnings returns warnings about parts of the area that were left out, shards of very different sizes, and
// numbers that hardly fit the unit or the domain of the CRS, such as metres in a CRS in degrees. It does not
// check numbers of an unknown CRS or of tiles.
func (p *Plan) Warnings() []units.Warning {
	all := p.fewParents()
	if p.Job.Area != nil {
		for _, text := range p.Job.Area.Warnings {
			all = append(all, units.Warning{Param: "aoi", Text: text})
		}
	}

	if p.Job.Grid.Shape == geomgen.XYZ {
		if e := p.Job.Extent; e != nil { // nothing else of tiles has a unit
			all = append(all, units.Check(p.CRS, "extent", upright(*e), 0, 0)...)
		}

		return all
	}

	size := units.SizeOf(p.Job.Grid)
	param, reach := p.reach()

	return append(all, units.Check(p.CRS, param, reach, size.Width, size.Height)...)
}

// reach returns the box that the job asks for, without what cells cover beyond it, and the parameter that sets
// it.
func (p *Plan) reach() (param string, box geomgen.Box) {
	param, box = "cols", p.Job.Grid.BoxAround(p.Cells)

	if e := p.Job.Extent; e != nil {
		param, box = "extent", meet(box, upright(*e))
	}

	if p.selection.area != nil {
		around := p.selection.area.Bounds()
		if s, ok := p.CRS.Seam(); ok && around.XMin <= s.X && around.XMax >= s.X+s.Period {
			around = p.Job.Area.Polygons[0].Bounds() // it crosses the seam: one part is enough
		}

		param, box = "aoi", meet(box, around)
	}

	return param, box
}

// upright returns the box between the bounds of an extent, even if it crosses the seam. That is enough to
// recognize their unit.
func upright(e geomgen.Box) geomgen.Box {
	if e.XMin > e.XMax {
		e.XMin, e.XMax = e.XMax, e.XMin
	}

	return e
}

// meet returns the intersection of two boxes, in each direction. If they do not intersect, as with an extent that
// crosses the antimeridian, the bounds of the first box stay.
func meet(a, b geomgen.Box) geomgen.Box {
	if xmin, xmax := max(a.XMin, b.XMin), min(a.XMax, b.XMax); xmin < xmax {
		a.XMin, a.XMax = xmin, xmax
	}

	if ymin, ymax := max(a.YMin, b.YMin), min(a.YMax, b.YMax); ymin < ymax {
		a.YMin, a.YMax = ymin, ymax
	}

	return a
}

// CellSize returns the size of the cells in the CRS and on the ground.
func (p *Plan) CellSize() units.CellSize {
	return units.Measure(p.Job.Grid, p.CRS, p.Job.Grid.BoxAround(p.Cells))
}

// knownCRS returns what is known of a CRS without a server, which may be only its SRID.
func knownCRS(srid int32) crs.CRS {
	if c, ok := crs.Known(srid); ok {
		return c
	}

	return crs.CRS{SRID: srid}
}

// WithCRS returns the plan with the server's definition of the grid's CRS.
func (p *Plan) WithCRS(c crs.CRS) *Plan {
	with := *p
	with.CRS = c

	return &with
}

// Unchecked returns, for people, which checks of the job need a server because only the SRID of its CRS is known.
// It returns "" if there are none.
func (p *Plan) Unchecked() string {
	switch {
	case p.Job.Grid.SRID == 0, p.CRS.Kind != crs.Unknown:
		return ""
	case p.Job.NeedsMetres():
		return "loadgrid does not know this CRS: the server checks whether it exists, and whether it is in metres, which the codes need"
	}

	return "loadgrid does not know this CRS: the server checks whether it exists"
}

// wholeDomain describes the extent of the whole domain of a CRS, to append to a message, or returns "" if it is unknown.
func wholeDomain(c crs.CRS) string {
	d := c.Domain
	if d == nil || !(d.XMax > d.XMin && d.YMax > d.YMin) {
		return ""
	}

	extent := geomgen.Box{XMin: math.Floor(d.XMin), YMin: math.Floor(d.YMin), XMax: math.Ceil(d.XMax), YMax: math.Ceil(d.YMax)}

	return fmt.Sprintf(" (the whole domain of EPSG:%d is about %s)", c.SRID, extent)
}
