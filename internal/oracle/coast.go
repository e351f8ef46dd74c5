package oracle

import (
	"math"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Coast returns a polygon of n corners around a place, with bays of all sizes. Its area equals the
// area of a circle with 1.0213 times the radius.
func Coast(n int, centre geomgen.Point, radius float64) geomgen.Polygon {
	var ring []geomgen.Point
	for i := range n {
		a := 2 * math.Pi * float64(i) / float64(n)
		r := radius * (1 + 0.2*math.Sin(5*a) + 0.05*math.Sin(37*a+1) + 0.01*math.Sin(401*a) + 0.002*math.Sin(2999*a))
		ring = append(ring, geomgen.Point{X: centre.X + r*math.Cos(a), Y: centre.Y + r*math.Sin(a)})
	}

	return geomgen.Polygon{append(ring, ring[0])}
}
