package aoi

import (
	"math"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

func TestSegmentLength(t *testing.T) {
	const foot = 1200.0 / 3937
	asked, none := 7.0, 0.0
	small, large := []geomgen.Polygon{square(10, 45, 1)}, []geomgen.Polygon{square(4e6, 3e6, 1000)}

	for name, test := range map[string]struct {
		area Area
		crs  crs.CRS
		want float64
	}{
		"degrees":              {Area{}, crs.CRS{Kind: crs.Geographic, PerUnit: 1}, 0.01},
		"grads":                {Area{}, crs.CRS{Kind: crs.Geographic, PerUnit: 0.9}, 0.01 / 0.9},
		"degrees, as it seems": {Area{}, crs.CRS{Kind: crs.Geographic}, 0.01},
		"metres":               {Area{}, crs.CRS{Kind: crs.Projected, PerUnit: 1}, 1000},
		"feet":                 {Area{}, crs.CRS{Kind: crs.Projected, PerUnit: foot}, 1000 / foot},
		"kilometres":           {Area{}, crs.CRS{Kind: crs.Projected, PerUnit: 1000}, 1},
		"a local plane":        {Area{}, crs.CRS{Kind: crs.Engineering, PerUnit: 1}, 1000},
		"a unit not known":     {Area{Polygons: small}, crs.CRS{Kind: crs.Projected}, 1000},
		"nothing known, small": {Area{Polygons: small}, crs.CRS{}, 0.01},
		"nothing known, large": {Area{Polygons: large}, crs.CRS{}, 1000},
		"as asked":             {Area{Segmentize: &asked}, crs.CRS{Kind: crs.Geographic, PerUnit: 1}, 7},
		"none":                 {Area{Segmentize: &none}, crs.CRS{Kind: crs.Projected, PerUnit: 1}, 0},
	} {
		if got := test.area.SegmentLength(test.crs); math.Abs(got-test.want) > 1e-12*test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
