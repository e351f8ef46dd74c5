package aoi

import (
	"math"

	"github.com/loadgrid/loadgrid/loader/crs"
)

// The default longest segments that are transformed without adding points: about 1 km on the ground.
const (
	segmentDegrees = 0.01
	segmentMetres  = 1000.0
)

// SegmentLength returns the longest segment of the area that is transformed without adding points, in units of c,
// the area's CRS. It is Segmentize, or about 1 km on the ground in any unit: 0.01 degrees, 1000 metres or 3280.84
// feet. 0 adds no points.
func (a *Area) SegmentLength(c crs.CRS) float64 {
	switch {
	case a.Segmentize != nil:
		return *a.Segmentize
	case c.Kind == crs.Geographic && c.PerUnit > 0:
		return segmentDegrees / c.PerUnit
	case c.Kind == crs.Geographic:
		return segmentDegrees
	case c.PerUnit > 0:
		return segmentMetres / c.PerUnit
	case c.Kind == crs.Unknown && a.fitsDegrees(): // a value that is too small does no harm
		return segmentDegrees
	}

	return segmentMetres
}

// fitsDegrees reports whether all coordinates could be longitudes and latitudes.
func (a *Area) fitsDegrees() bool {
	for _, p := range a.Polygons {
		for _, ring := range p {
			for _, q := range ring {
				if math.Abs(q.X) > 360 || math.Abs(q.Y) > 90 {
					return false
				}
			}
		}
	}

	return true
}
