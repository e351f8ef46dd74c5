package plan

import (
	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/units"
)

// Warnings say what was left out of the area of interest, where shards would differ much, and
// where numbers hardly fit the unit or the domain of the CRS, as metres do in a CRS that is in degrees. Nothing is said
// of a CRS that nobody knows, nor of tiles.
func (p *Plan) Warnings() []units.Warning {
	all := p.fewParents()
	if p.Job.Area != nil {
		for _, text := range p.Job.Area.Warnings {
			all = append(all, units.Warning{Param: "aoi", Text: text})
		}
	}

	if p.Job.Grid.Shape == geomgen.XYZ {
		if e := p.Job.Extent; e != nil { // of tiles there is nothing else that has a unit
			all = append(all, units.Check(p.CRS, "extent", upright(*e), 0, 0)...)
		}

		return all
	}

	size := units.SizeOf(p.Job.Grid)
	param, reach := p.reach()

	return append(all, units.Check(p.CRS, param, reach, size.Width, size.Height)...)
}

// reach returns the box of what is asked for, which cells may reach beyond, and the parameter
// that asks.
func (p *Plan) reach() (param string, box geomgen.Box) {
	param, box = "cols", p.Job.Grid.BoxAround(p.Cells)

	if e := p.Job.Extent; e != nil {
		param, box = "extent", meet(box, upright(*e))
	}

	if p.selection.area != nil {
		around := p.selection.area.Bounds()
		if s, ok := p.CRS.Seam(); ok && around.XMin <= s.X && around.XMax >= s.X+s.Period {
			around = p.Job.Area.Polygons[0].Bounds() // it crosses the seam: one part says as much
		}

		param, box = "aoi", meet(box, around)
	}

	return param, box
}

// upright returns the box between the bounds of an extent, also of one that crosses the seam:
// in which unit they are, these numbers say as well.
func upright(e geomgen.Box) geomgen.Box {
	if e.XMin > e.XMax {
		e.XMin, e.XMax = e.XMax, e.XMin
	}

	return e
}

// meet returns what two boxes have in common, in each direction; where that is nothing, as
// with an extent that crosses the antimeridian, the first stays.
func meet(a, b geomgen.Box) geomgen.Box {
	if xmin, xmax := max(a.XMin, b.XMin), min(a.XMax, b.XMax); xmin < xmax {
		a.XMin, a.XMax = xmin, xmax
	}

	if ymin, ymax := max(a.YMin, b.YMin), min(a.YMax, b.YMax); ymin < ymax {
		a.YMin, a.YMax = ymin, ymax
	}

	return a
}

// CellSize returns how large the cells are, in the CRS and on the ground.
func (p *Plan) CellSize() units.CellSize {
	return units.Measure(p.Job.Grid, p.CRS, p.Job.Grid.BoxAround(p.Cells))
}

// knownCRS returns what is known of a CRS without a server: of some, the SRID alone.
func knownCRS(srid int32) crs.CRS {
	if c, ok := crs.Known(srid); ok {
		return c
	}

	return crs.CRS{SRID: srid}
}

// WithCRS returns the plan with what a server knows of the grid's CRS.
func (p *Plan) WithCRS(c crs.CRS) *Plan {
	with := *p
	with.CRS = c

	return &with
}

// Unchecked says, for people, what of the job only a server can check, as no more is known
// of the CRS than its SRID; "" where there is nothing.
func (p *Plan) Unchecked() string {
	switch {
	case p.Job.Grid.SRID == 0, p.CRS.Kind != crs.Unknown:
		return ""
	case p.Job.NeedsMetres():
		return "loadgrid does not know this CRS: the server checks whether it is there, and whether it is in metres, as the codes must be"
	}

	return "loadgrid does not know this CRS: the server checks whether it is there"
}
