package plan

import (
	"math"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/units"
)

// The domains are EPSG's.
func wgs84() crs.CRS {
	c := crs.Parse(4326, "", "+proj=longlat +datum=WGS84 +no_defs")
	c.Domain = &crs.Domain{West: -180, South: -90, East: 180, North: 90, XMin: -180, YMin: -90, XMax: 180, YMax: 90}
	return c
}

func etrs89() crs.CRS {
	c := crs.Parse(4258, "", "+proj=longlat +ellps=GRS80 +no_defs")
	c.Domain = &crs.Domain{West: -16.1, South: 32.88, East: 40.18, North: 84.73, XMin: -16.1, YMin: 32.88, XMax: 40.18, YMax: 84.73}
	return c
}

func laea() crs.CRS {
	c := crs.Parse(3035, "", "+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=m +no_defs")
	c.Domain = &crs.Domain{West: -35.58, South: 24.6, East: 44.83, North: 84.73, XMin: 1896628, YMin: 1095703, XMax: 7104179, YMax: 6882401}
	return c
}

func utm32() crs.CRS {
	c := crs.Parse(25832, "", "+proj=utm +zone=32 +ellps=GRS80 +units=m +no_defs")
	c.Domain = &crs.Domain{West: 6, South: 38.76, East: 12, North: 84.33, XMin: 239323, YMin: 4290144, XMax: 760676, YMax: 9367306}
	return c
}

func webMercator() crs.CRS {
	c := crs.Parse(3857, "", "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +wktext +no_defs")
	c.Domain = &crs.Domain{West: -180, South: -85.06, East: 180, North: 85.06, XMin: -20037508.34, YMin: -20048966.1, XMax: 20037508.34, YMax: 20048966.1}
	return c
}

// alaska is a CRS whose domain crosses the antimeridian.
func alaska() crs.CRS {
	c := etrs89()
	c.Domain = &crs.Domain{West: 172, South: 51, East: -130, North: 71, XMin: 172, YMin: 51, XMax: 230, YMax: 71}
	return c
}

func box(xmin, ymin, xmax, ymax float64) geomgen.Box {
	return geomgen.Box{XMin: xmin, YMin: ymin, XMax: xmax, YMax: ymax}
}

func TestCheckUnits(t *testing.T) {
	nowhere := laea()
	nowhere.Domain = nil

	site := laea() // such as a city's, which starts inside the domain
	site.Domain = &crs.Domain{West: 10, South: 52, East: 10.2, North: 52.2, XMin: -5000, YMin: -5000, XMax: 5000, YMax: 5000}

	for _, test := range []struct {
		name  string
		crs   crs.CRS
		reach geomgen.Box
		size  float64
		want  string // parameter of the warning, or ""
	}{
		{"metres for degrees", wgs84(), box(-10, 35, 30, 70), 1000, "cell-size"},
		{"a few metres for degrees", wgs84(), box(5, 45, 10, 50), 30, "cell-size"},
		{"a place in metres", wgs84(), box(4e6, 3e6, 4.1e6, 3.1e6), 1, "extent"},
		{"columns beyond a pole", wgs84(), box(0, 0, 1000, 800), 1, "extent"},
		{"the world", wgs84(), box(-180, -90, 180, 90), 1, ""},
		{"the world, to the last bit", wgs84(), box(-180.00000000000014, -90.00000000000001, 180, 90), 0.001, ""},
		{"the world in one cell", wgs84(), box(-180, -90, 180, 90), 180, ""},
		{"cells that reach beyond the pole", wgs84(), box(-182, -91, 182, 91), 7, ""},
		{"longitudes from 0 on", wgs84(), box(0, -90, 360, 90), 2.5, ""},
		{"beyond the antimeridian", wgs84(), box(170, -20, 190, -10), 0.1, ""},
		{"a part of a cell", wgs84(), box(-0.05, -0.05, -0.01, -0.01), 0.1, ""},
		{"a part of a large cell", wgs84(), box(5, 45, 6, 46), 5, ""},
		{"half of Europe", etrs89(), box(-10, 35, 30, 70), 0.1, ""},
		{"Europe and what is around", etrs89(), box(-30, 30, 50, 75), 0.1, ""},
		{"Australia in Europe's CRS", etrs89(), box(110, -45, 155, -10), 0.1, "extent"},
		{"the world in Europe's CRS", etrs89(), box(-180, -90, 180, 90), 1, "extent"},
		{"on one side of the antimeridian", alaska(), box(-150, 60, -140, 65), 0.1, ""},
		{"on the other side", alaska(), box(175, 52, 178, 53), 0.1, ""},

		{"the grid of the European Union", laea(), box(900000, 900000, 7400000, 5500000), 1000, ""},
		{"degrees for metres", laea(), box(-10, 35, 30, 70), 0.1, "extent"},
		{"the origin, where nobody is", laea(), box(0, 0, 100, 100), 1, "extent"},
		{"half the earth", laea(), box(0, 0, 2e7, 2e7), 1e5, "extent"},
		{"a cell as large as half the earth", laea(), box(0, 0, 2e7, 2e7), 1e7, "cell-size"},
		{"degrees for the size", laea(), box(4e6, 3e6, 4.2e6, 3.1e6), 0.1, "cell-size"},
		{"a garden in decimetres", laea(), box(4321000, 3210000, 4321050, 3210050), 0.1, ""},
		{"the next zone", utm32(), box(790000, 5800000, 840000, 5840000), 100, ""},
		{"far from the zone", utm32(), box(4e6, 3e6, 4.1e6, 3.1e6), 1000, "extent"},
		{"the world in Mercator", webMercator(), box(-20037508, -20037508, 20037508, 20037508), 1e5, ""},
		{"beyond the edge of Mercator", webMercator(), box(19900000, 100000, 20200000, 400000), 1000, ""},
		{"a test at the origin", webMercator(), box(0, 0, 100, 100), 1, ""},
		{"a small test at the origin", webMercator(), box(0, 0, 10, 10), 0.5, ""},
		{"degrees in Mercator", webMercator(), box(-10, 35, 30, 70), 1, "extent"},
		{"the world's degrees in Mercator", webMercator(), box(-180, -90, 180, 90), 1, "extent"},
		{"around the origin of a site", site, box(-50, -50, 50, 50), 1, ""},
		{"nothing known of the domain", nowhere, box(0, 0, 2e7, 2e7), 1e5, ""},
		{"degrees, nothing known of the domain", nowhere, box(-10, 35, 30, 70), 0.1, "extent"},
		{"kilometres", crs.CRS{SRID: 1, Kind: crs.Projected, Unit: "kilometre", PerUnit: 1000}, box(-10, 35, 30, 70), 1, ""},
		{"a local plane", crs.CRS{SRID: 1, Kind: crs.Engineering, Unit: "metre", PerUnit: 1}, box(-10, 35, 30, 70), 0.1, ""},
		{"nothing known", crs.CRS{SRID: 990001}, box(-1e9, -1e9, 1e9, 1e9), 1e6, ""},
		{"no CRS", crs.CRS{}, box(0, 0, 1000, 800), 1, ""},
	} {
		got := ""
		if w := units.Check(test.crs, "extent", test.reach, test.size, test.size); len(w) > 0 {
			got = w[0].Param
		}

		if got != test.want {
			t.Errorf("%s: a warning about %q, want %q", test.name, got, test.want)
		}
	}
}

// Warnings are about what the job asks for, not about what cells cover beyond it.
func TestWarnings(t *testing.T) {
	degree := []geomgen.Polygon{{{{X: 10, Y: 50}, {X: 11, Y: 50}, {X: 11, Y: 51}, {X: 10, Y: 51}, {X: 10, Y: 50}}}}
	extent := box(-10, 35, 30, 70)

	for name, test := range map[string]struct {
		job  job.Job
		crs  crs.CRS
		want []string
	}{
		"an extent":        {job.Job{Grid: geomgen.Grid{DX: 1000, DY: 1000}, Extent: &extent}, wgs84(), []string{"cell-size"}},
		"columns":          {job.Job{Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 1000, Rows: 800}, wgs84(), []string{"cols"}},
		"an area":          {job.Job{Grid: geomgen.Grid{DX: 1, DY: 1}, Area: &aoi.Area{Rule: geomgen.Intersects, Polygons: degree}}, laea(), []string{"aoi"}},
		"an area with two": {job.Job{Grid: geomgen.Grid{DX: 1, DY: 1}, Area: &aoi.Area{Rule: geomgen.Intersects, Polygons: degree, Warnings: []string{"z"}}}, laea(), []string{"aoi", "aoi"}},
		"across the seam": {job.Job{Grid: geomgen.Grid{DX: 1, DY: 1, SRID: 4326}, Area: &aoi.Area{Rule: geomgen.Intersects,
			Polygons: []geomgen.Polygon{{{{X: 172, Y: 51}, {X: 190, Y: 51}, {X: 190, Y: 52}, {X: 172, Y: 51}}}}}}, alaska(), nil},
		"all is well":        {job.Job{Grid: geomgen.Grid{DX: 0.1, DY: 0.1}, Extent: &extent}, wgs84(), nil},
		"tiles of the world": {job.Job{Grid: geomgen.Tiles(3)}, webMercator(), nil},
	} {
		test.job.Table = job.Table{Name: "g"}
		p, err := New(t.Context(), test.job)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}

		var got []string
		for _, w := range p.WithCRS(test.crs).Warnings() {
			got = append(got, w.Param)
		}

		if len(got) != len(test.want) || len(got) > 0 && got[0] != test.want[0] {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// A cell of 0.1 degrees is measured on the ellipsoid: at latitude 45, a degree is 78846.8 m east and 111131.8 m
// north (NIMA TR8350.2, the ellipsoid's radii there).
func TestCellSize(t *testing.T) {
	sqrt3 := math.Sqrt(3)

	for name, test := range map[string]struct {
		grid   geomgen.Grid
		extent geomgen.Box
		crs    crs.CRS
		size   units.Size
		ground *units.Size
	}{
		"no CRS":     {geomgen.Grid{DX: 2, DY: 3}, box(0, 0, 20, 30), crs.CRS{}, units.Size{Width: 2, Height: 3, Area: 6}, nil},
		"metres":     {geomgen.Grid{DX: 1000, DY: 1000}, box(4e6, 3e6, 4.1e6, 3.1e6), laea(), units.Size{Width: 1000, Height: 1000, Area: 1e6}, &units.Size{Width: 1000, Height: 1000, Area: 1e6}},
		"kilometres": {geomgen.Grid{DX: 2, DY: 2}, box(0, 0, 20, 20), crs.CRS{Kind: crs.Projected, PerUnit: 1000}, units.Size{Width: 2, Height: 2, Area: 4}, &units.Size{Width: 2000, Height: 2000, Area: 4e6}},
		"flat hexagons": {geomgen.Grid{DX: 100, DY: 100, Shape: geomgen.HexagonFlat}, box(4e6, 3e6, 4.1e6, 3.1e6), laea(),
			units.Size{Edge: 100, Width: 200, Height: 100 * sqrt3, Area: 15000 * sqrt3}, &units.Size{Edge: 100, Width: 200, Height: 100 * sqrt3, Area: 15000 * sqrt3}},
		"pointy hexagons": {geomgen.Grid{DX: 100, DY: 100, Shape: geomgen.HexagonPointy}, box(4e6, 3e6, 4.1e6, 3.1e6), laea(),
			units.Size{Edge: 100, Width: 100 * sqrt3, Height: 200, Area: 15000 * sqrt3}, &units.Size{Edge: 100, Width: 100 * sqrt3, Height: 200, Area: 15000 * sqrt3}},
		"degrees": {geomgen.Grid{DX: 0.1, DY: 0.1}, box(9, 44, 11, 46), wgs84(), units.Size{Width: 0.1, Height: 0.1, Area: 0.01},
			&units.Size{Width: 7884.68, Height: 11113.18, Area: 7884.68 * 11113.18}},
		"degrees, turned by a right angle": {geomgen.Grid{DX: 0.1, DY: 0.2, Rotate: 90}, box(9, 44, 11, 46), wgs84(), units.Size{Width: 0.1, Height: 0.2, Area: 0.02},
			&units.Size{Width: 11113.18, Height: 2 * 7884.68, Area: 2 * 7884.68 * 11113.18}},
		"hexagons in degrees": {geomgen.Grid{DX: 0.1, DY: 0.1, Shape: geomgen.HexagonFlat}, box(9, 44, 11, 46), wgs84(),
			units.Size{Edge: 0.1, Width: 0.2, Height: 0.1 * sqrt3, Area: 0.015 * sqrt3}, &units.Size{Edge: 0, Width: 15769.36, Height: 11113.18 * sqrt3, Area: 0.015 * sqrt3 * 78846.8 * 111131.8}},
		"beyond the pole": {geomgen.Grid{DX: 1, DY: 1}, box(0, 100, 10, 110), wgs84(), units.Size{Width: 1, Height: 1, Area: 1}, nil},
	} {
		test.grid.SRID = test.crs.SRID
		p, err := New(t.Context(), job.Job{Table: job.Table{Name: "g"}, Grid: test.grid, Extent: &test.extent})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}

		got := p.WithCRS(test.crs).CellSize()
		if !alike(got.Map, test.size, 1e-12) {
			t.Errorf("%s: %+v, want %+v", name, got.Map, test.size)
		}

		if (got.Ground == nil) != (test.ground == nil) || got.Ground != nil && !alike(*got.Ground, *test.ground, 2e-3) {
			t.Errorf("%s: on the ground %+v, want %+v", name, got.Ground, test.ground)
		}
	}
}

func alike(a, b units.Size, tolerance float64) bool {
	near := func(x, y float64) bool { return math.Abs(x-y) <= tolerance*math.Abs(y) }
	return near(a.Edge, b.Edge) && near(a.Width, b.Width) && near(a.Height, b.Height) && near(a.Area, b.Area)
}

func TestUnchecked(t *testing.T) {
	grid := geomgen.Grid{DX: 1, DY: 1, SRID: 990001}
	unknown, err := New(t.Context(), job.Job{Table: job.Table{Name: "g"}, Grid: grid, Cols: 2, Rows: 2, Code: geomgen.INSPIRE})
	if err != nil {
		t.Fatal(err)
	}

	none, err := New(t.Context(), job.Job{Table: job.Table{Name: "g"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 2, Rows: 2})
	if err != nil {
		t.Fatal(err)
	}

	if unknown.Unchecked() == "" || unknown.WithCRS(laea()).Unchecked() != "" || none.Unchecked() != "" {
		t.Errorf("unchecked: %q, %q with a CRS, %q without an SRID", unknown.Unchecked(), unknown.WithCRS(laea()).Unchecked(), none.Unchecked())
	}
}
