package featuretest

import (
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Areas are the polygons of areas.geojson, by the code of their feature; nil is the feature without
// a code. ogr2ogr of GDAL 3.6 made the readers' golden files from it, for example:
//
//	ogr2ogr -f "ESRI Shapefile" areas.shp areas.geojson
//
// Rings begin with their lowest point and run counter-clockwise, like those of Normal.
func Areas() map[any][]geomgen.Polygon {
	box := func(x, y, width float64) []geomgen.Point {
		return []geomgen.Point{{X: x, Y: y}, {X: x + width, Y: y}, {X: x + width, Y: y + width}, {X: x, Y: y + width}, {X: x, Y: y}}
	}

	half := func(x float64) []geomgen.Point {
		return []geomgen.Point{{X: x, Y: 3000000}, {X: x + 100, Y: 3000000}, {X: x + 100, Y: 3000100}, {X: x, Y: 3000000}}
	}

	return map[any][]geomgen.Polygon{
		int64(7): {{box(4000000, 3000000, 400), box(4000100, 3000100, 200)}, {box(4000150, 3000150, 100)}},
		int64(-12): {{{
			{X: 4001000.5, Y: 3000000}, {X: 4001200.25, Y: 3000000}, {X: 4001000.5, Y: 3000200.125}, {X: 4001000.5, Y: 3000000},
		}}},
		nil: {{half(4002000)}, {half(4003000)}},
	}
}

// Normal normalizes closed rings: they begin with their leftmost point, the lowest of several, and
// run counter-clockwise.
func Normal(polygons []geomgen.Polygon) (normal []geomgen.Polygon) {
	for _, p := range polygons {
		var q geomgen.Polygon
		for _, ring := range p {
			q = append(q, normalRing(ring))
		}
		normal = append(normal, q)
	}

	return normal
}

func normalRing(ring []geomgen.Point) []geomgen.Point {
	open := slices.Clone(ring[:len(ring)-1])
	if geomgen.RingArea(ring) < 0 {
		slices.Reverse(open)
	}

	first := 0
	for i, p := range open {
		if p.X < open[first].X || p.X == open[first].X && p.Y < open[first].Y {
			first = i
		}
	}

	open = append(open[first:], open[:first]...)
	return append(open, open[0])
}
