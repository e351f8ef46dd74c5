package aoi

import (
	"cmp"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// canonical returns the same polygons in an order that depends only on their coordinates. Each ring begins at its
// least corner and continues to the lesser of its two neighbours. Holes and polygons are sorted. A query without
// ORDER BY returns its rows in any order, and the area must still be the same.
func canonical(polygons []geomgen.Polygon) []geomgen.Polygon {
	all := make([]geomgen.Polygon, len(polygons))
	for i, p := range polygons {
		all[i] = make(geomgen.Polygon, len(p))
		for k, ring := range p {
			all[i][k] = canonicalRing(ring)
		}

		if len(p) > 1 {
			slices.SortFunc(all[i][1:], compareRings)
		}
	}

	slices.SortFunc(all, func(a, b geomgen.Polygon) int { return slices.CompareFunc(a, b, compareRings) })

	return all
}

// canonicalRing returns a closed ring that begins at its least corner.
func canonicalRing(ring []geomgen.Point) []geomgen.Point {
	n := len(ring) - 1 // corners: the last point repeats the first
	if n < 2 || ring[n] != ring[0] {
		return ring
	}

	first := 0

	for i := range n {
		if comparePoints(ring[i], ring[first]) < 0 {
			first = i
		}
	}

	step := 1
	if comparePoints(ring[(first+n-1)%n], ring[(first+1)%n]) < 0 {
		step = n - 1
	}

	turned := make([]geomgen.Point, n+1)

	for i := range turned {
		turned[i] = ring[(first+i*step)%n]
	}

	return turned
}

func compareRings(a, b []geomgen.Point) int { return slices.CompareFunc(a, b, comparePoints) }

func comparePoints(a, b geomgen.Point) int {
	return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y))
}
