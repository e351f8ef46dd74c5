package preview

import (
	"math"

	geom "github.com/twpayne/go-geom"

	"github.com/loadgrid/loadgrid/geomgen"
)

// maxCoordinate is the largest coordinate that a picture can have: see package picture.
const maxCoordinate = 1e100

// isDrawable tells whether there are rings, all with coordinates that a picture can have: not infinity, for example.
func isDrawable(rings [][]geomgen.Point) bool {
	for _, ring := range rings {
		for _, p := range ring {
			if !(math.Abs(p.X) <= maxCoordinate && math.Abs(p.Y) <= maxCoordinate) {
				return false
			}
		}
	}

	return len(rings) > 0
}

// ringsOf returns the shells of a geometry; of a point the point.
func ringsOf(g geom.T) [][]geomgen.Point {
	points := func(flat []float64, stride int) []geomgen.Point {
		var list []geomgen.Point
		for i := 0; i+1 < len(flat); i += stride {
			list = append(list, geomgen.Point{X: flat[i], Y: flat[i+1]})
		}

		return list
	}

	switch g := g.(type) {
	case *geom.Point:
		if !g.Empty() {
			return [][]geomgen.Point{points(g.FlatCoords(), g.Stride())}
		}
	case *geom.Polygon:
		if g.NumLinearRings() > 0 {
			ring := g.LinearRing(0)
			return [][]geomgen.Point{points(ring.FlatCoords(), ring.Stride())}
		}
	case *geom.MultiPolygon:
		var rings [][]geomgen.Point
		for i := range g.NumPolygons() {
			rings = append(rings, ringsOf(g.Polygon(i))...)
		}

		return rings
	}

	return nil
}
