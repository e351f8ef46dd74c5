// Package seam cuts areas where coordinates on the globe wrap around: at the antimeridian, or
// another meridian where a map ends, and at the poles.
package seam

import (
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// Frame is a map of the globe. Its left and right edges are the same meridian, the seam. Its lower
// and upper edges are the poles.
type Frame geomgen.Box

// Tolerance is how far beyond the seam or a pole a coordinate may lie and still count as on it, as
// a share of the frame's width: 1e-9 degrees, which is 0.1 mm on the ground. Files contain values
// such as 180.00000000000014, which come from adding rounded numbers.
const Tolerance = 1e-9 / 360

// NewFrame returns the frame of a geographic CRS with seam s, whose unit has perUnit degrees.
func NewFrame(s crs.Seam, perUnit float64) Frame {
	return Frame{XMin: s.X, YMin: -90 / perUnit, XMax: s.X + s.Period, YMax: 90 / perUnit}
}

// Around returns the frame of longitude and latitude in degrees, from -90 to 90, with a meridian in
// its middle. A projection with that central meridian has its seam at the frame's edges.
func Around(meridian float64) Frame {
	return Frame{XMin: meridian - 180, YMin: -90, XMax: meridian + 180, YMax: 90}
}

// Period returns the width of the frame.
func (f Frame) Period() float64 { return f.XMax - f.XMin }

// Seam returns the meridian of the frame's edges.
func (f Frame) Seam() crs.Seam { return crs.Seam{X: f.XMin, Period: f.Period()} }

// Crosses tells whether Cut would change rings on the globe: because of a step that is shorter the
// other way around, a point outside the frame, or a point at a pole.
func (f Frame) Crosses(rings [][]geomgen.Point) bool {
	half := f.Period() / 2

	for _, ring := range rings {
		for i, p := range ring {
			p = f.snap(p)

			switch {
			case p.X < f.XMin || p.X > f.XMax, p.Y <= f.YMin || p.Y >= f.YMax:
				return true
			case i > 0 && math.Abs(p.X-ring[i-1].X) > half:
				return true
			}
		}
	}

	return false
}

// snap moves a point onto the frame's edge if it lies within the tolerance.
func (f Frame) snap(p geomgen.Point) geomgen.Point {
	tolerance := Tolerance * f.Period()
	on := func(v, edge float64) float64 {
		if math.Abs(v-edge) <= tolerance {
			return edge
		}
		return v
	}

	return geomgen.Point{X: on(on(p.X, f.XMin), f.XMax), Y: on(on(p.Y, f.YMin), f.YMax)}
}

// into moves a point's x into the frame by whole periods.
func (f Frame) into(p geomgen.Point) geomgen.Point {
	if p = f.snap(p); p.X < f.XMin || p.X > f.XMax {
		p.X -= math.Floor((p.X-f.XMin)/f.Period()) * f.Period()
		p = f.snap(p)
	}

	return p
}

// onEdge tells whether a snapped point lies on the frame's edge.
func (f Frame) onEdge(p geomgen.Point) bool {
	return p.X == f.XMin || p.X == f.XMax || p.Y == f.YMin || p.Y == f.YMax
}

// atPole tells whether a snapped point lies at a pole, where its x has no meaning.
func (f Frame) atPole(p geomgen.Point) bool { return p.Y <= f.YMin || p.Y >= f.YMax }
