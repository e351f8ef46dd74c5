package oracle

import (
	"math/rand/v2"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Honeycomb returns a partition of roughly a square into n by n polygons of six corners, each about
// unit wide and high. Neighbours have the same corners. It covers everything in the square from the
// origin that is further than a unit from its sides.
func Honeycomb(rng *rand.Rand, origin geomgen.Point, unit float64, n int) [][]geomgen.Polygon {
	corners := map[[2]int]geomgen.Point{}
	corner := func(k, row int) geomgen.Point {
		p, ok := corners[[2]int{k, row}]
		if !ok {
			p = geomgen.Point{X: origin.X + (float64(k)/2+0.3*rng.Float64()-0.15)*unit, Y: origin.Y + (float64(row)+0.6*rng.Float64()-0.3)*unit}
			corners[[2]int{k, row}] = p
		}
		return p
	}

	var features [][]geomgen.Polygon
	for row := range n {
		for i := range n {
			k := 2*i + row&1
			ring := []geomgen.Point{corner(k, row), corner(k+1, row), corner(k+2, row), corner(k+2, row+1), corner(k+1, row+1), corner(k, row+1)}
			features = append(features, []geomgen.Polygon{{append(ring, ring[0])}})
		}
	}
	return features
}
