package aoi

import (
	"math"

	"github.com/loadgrid/loadgrid/loader/crs"
)

// The longest segments that are transformed as one, where the area does not say: about
// 1 km on the ground.
const (
	segmentDegrees = 0.01
	segmentMetres  = 1000.0
)

// SegmentLength returns the longest segment of the area that is transformed as one, in
// units of c, the area's CRS: Segmentize, or else about 1 km on the ground whatever the
// unit, which are 0.01 degrees, 1000 metres or 3280.84 feet. 0 leaves segments as they are.
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
	case c.Kind == crs.Unknown && a.fitsDegrees(): // too short does no harm
		return segmentDegrees
	}

	return segmentMetres
}

// fitsDegrees tells whether all coordinates may be longitudes and latitudes.
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
