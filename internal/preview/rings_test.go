package preview

import (
	"math"
	"testing"

	geom "github.com/twpayne/go-geom"
)

// Geometries with coordinates that a picture cannot have are not drawn, nor are those without cells.
func TestRings(t *testing.T) {
	square := []float64{0, 0, 1, 0, 1, 1, 0, 1, 0, 0}
	for name, test := range map[string]struct {
		g    geom.T
		want bool
	}{
		"point":          {geom.NewPointFlat(geom.XY, []float64{1, 2}), true},
		"square":         {geom.NewPolygonFlat(geom.XY, square, []int{10}), true},
		"empty point":    {geom.NewPointEmpty(geom.XY), false},
		"empty polygon":  {geom.NewPolygon(geom.XY), false},
		"NaN":            {geom.NewPointFlat(geom.XY, []float64{1, math.NaN()}), false},
		"infinite":       {geom.NewPointFlat(geom.XY, []float64{math.Inf(-1), 2}), false},
		"infinite ring":  {geom.NewPolygonFlat(geom.XY, []float64{0, 0, math.Inf(1), 0, 1, 1, 0, 0}, []int{8}), false},
		"height of NaN":  {geom.NewPointFlat(geom.XYZ, []float64{1, 2, math.NaN()}), true},
		"collection":     {geom.NewGeometryCollection(), false},
		"line":           {geom.NewLineStringFlat(geom.XY, []float64{0, 0, 1, 1}), false},
		"several shells": {geom.NewMultiPolygonFlat(geom.XY, append(square, square...), [][]int{{10}, {20}}), true},
	} {
		if got := isDrawable(ringsOf(test.g)); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}
