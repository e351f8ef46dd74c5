package picture

import (
	"math"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

func laea() crs.CRS {
	return crs.CRS{SRID: 3035, Kind: crs.Projected, Unit: "metre", PerUnit: 1}
}

func wgs84() crs.CRS { return crs.Parse(4326, "", "+proj=longlat +datum=WGS84 +no_defs") }

func webMercator() crs.CRS {
	return crs.Parse(3857, "", "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +wktext +no_defs")
}

// The bar is as long as it says on the ground, whatever the unit. mx is how many metres a
// unit of x is in the middle: of degrees and of Mercator from the ellipsoid, as in Snyder's
// Map Projections.
func TestScaleBar(t *testing.T) {
	square := func(x, y, side float64) geomgen.Box {
		return geomgen.Box{XMin: x - side/2, YMin: y - side/2, XMax: x + side/2, YMax: y + side/2}
	}
	const foot = 1200.0 / 3937

	// A degree of longitude at 60 degrees, and a unit of Web Mercator there.
	const a, f = 6378137, 1 / 298.257223563
	const e2 = f * (2 - f)
	w := math.Sqrt(1 - e2*0.75)
	degree, mercator := a*0.5/w*math.Pi/180, 0.5/w
	north := a * math.Atanh(math.Sqrt(0.75))

	for name, test := range map[string]struct {
		crs   crs.CRS
		world geomgen.Box
		mx    float64 // metres of a unit
		text  string
	}{
		"degrees at the equator":  {wgs84(), square(0, 0, 1), a * math.Pi / 180, "20 km"},
		"degrees at 60 degrees":   {wgs84(), square(10, 60, 1), degree, "10 km in the middle"},
		"the world in degrees":    {wgs84(), square(0, 0, 360), a * math.Pi / 180, "5,000 km in the middle"},
		"Mercator at the equator": {webMercator(), square(0, 0, 1e5), 1, "20 km"},
		"Mercator at 60 degrees":  {webMercator(), square(1e6, north, 1e4), mercator, "1 km"},
		"metres":                  {laea(), square(4e6, 3e6, 2400), 1, "200 m"},
		"kilometres of metres":    {laea(), square(4e6, 3e6, 2400e3), 1, "200 km"},
		"feet":                    {crs.CRS{SRID: 2230, Kind: crs.Projected, Unit: "US survey foot", PerUnit: foot}, square(6e6, 2e6, 1e5), foot, "5 km"},
		"kilometres":              {crs.CRS{SRID: 900001, Kind: crs.Projected, Unit: "kilometre", PerUnit: 1000}, square(0, 0, 100), 1000, "20 km"},
	} {
		bar := newScaleBar(test.crs, test.world)
		if bar.text != test.text {
			t.Errorf("%s: %s, want %s", name, bar.text, test.text)
		}

		length := bar.units * test.mx // on the ground
		if round := roundLength(length * (1 + 1e-9)); math.Abs(length/round-1) > 1e-6 {
			t.Errorf("%s: the bar is %v m long", name, length)
		}
	}
}

// Where nobody knows the scale, the bar is in units of the CRS.
func TestScaleBarWithoutGround(t *testing.T) {
	for name, test := range map[string]struct {
		crs         crs.CRS
		side        float64
		text, below string
	}{
		"no CRS":                {crs.CRS{}, 6, "1 unit", "no CRS"},
		"a larger one":          {crs.CRS{}, 1e9, "200,000,000 units", "no CRS"},
		"one that is not known": {crs.CRS{SRID: 990001}, 100, "20 units", "EPSG:990001"},
		"beyond the pole":       {wgs84(), 1000, "200 degrees", "EPSG:4326"},
		"parts of a unit":       {crs.CRS{}, 2, "0.2 units", "no CRS"},
	} {
		bar := newScaleBar(test.crs, geomgen.Box{XMin: 0, YMin: 0, XMax: test.side, YMax: test.side})
		if bar.text != test.text || bar.below != test.below {
			t.Errorf("%s: %s, %s", name, bar.text, bar.below)
		}
	}
}
