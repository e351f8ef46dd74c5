package plan

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/crs"
	"github.com/loadgrid/loadgrid/loader/job"
)

// worldGrid has square cells that start at the lower left corner of a geographic CRS.
func worldGrid(size float64, srid int32) geomgen.Grid {
	return geomgen.Grid{X0: -180, Y0: -90, DX: size, DY: size, SRID: srid}
}

func openArea(t *testing.T, name string) *aoi.Area {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "seam", name))
	if err != nil {
		t.Fatal(err)
	}

	return areaOf(t, string(b))
}

func areaOf(t *testing.T, text string) *aoi.Area {
	t.Helper()
	a, err := aoi.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}

	return a
}

// Areas beyond a seam wrap around without a server.
func TestAreasBeyondASeam(t *testing.T) {
	wrapped := openArea(t, "w1.ewkt")
	wrapped.Wrap = true

	for name, test := range map[string]struct {
		area  *aoi.Area
		grid  geomgen.Grid
		cells int64
		cols  [2]int32 // first and last
	}{
		"190 to 200":                  {openArea(t, "lon360.ewkt"), worldGrid(1, 4326), 12 * 12, [2]int32{9, 20}},
		"the short way":               {wrapped, worldGrid(1, 4269), 12, [2]int32{0, 359}},
		"a rounding beyond":           {openArea(t, "ne_ulp.geojson"), worldGrid(1, 4326), 4 * 3, [2]int32{356, 359}},
		"tiles beyond the world":      {openArea(t, "beyond_3857.ewkt"), geomgen.Tiles(8), 9, [2]int32{0, 255}},
		"170 to 190, hexagons":        {areaOf(t, "SRID=4326;POLYGON((175 0,185 0,185 9,175 9,175 0))"), geomgen.Grid{X0: -180, DX: 3, DY: 3, SRID: 4326, Shape: geomgen.HexagonFlat}, 12, [2]int32{0, 80}},
		"up to the pole":              {areaOf(t, "SRID=4258;POLYGON((0 80,10 80,10 90,0 90,0 80))"), worldGrid(10, 4258), 3 * 2, [2]int32{17, 19}},
		"up to the pole, by rounding": {areaOf(t, "SRID=4267;POLYGON((0 -80,10 -80,10 -90.00000000000001,0 -90,0 -80))"), worldGrid(10, 4267), 3 * 2, [2]int32{17, 19}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := New(t.Context(), job.Job{Table: job.Table{Name: "t"}, Grid: test.grid, Area: test.area})
			if err != nil {
				t.Fatal(err)
			}

			if p.Rows != test.cells || p.Cells.MinCol != test.cols[0] || p.Cells.MaxCol-1 != test.cols[1] {
				t.Errorf("%d cells in %+v, want %d in columns %v", p.Rows, p.Cells, test.cells, test.cols)
			}

			// The area in the ledger gives the same plan.
			again, err := New(t.Context(), p.Job)
			if err != nil || again.Rows != p.Rows || again.Job.Fingerprint(again.Cells) != p.Job.Fingerprint(p.Cells) {
				t.Errorf("planned again: %v, %v", again, err)
			}
		})
	}
}

// A feature that wraps around may meet another one. A server must then unite them.
func TestFeaturesThatMeetBeyondTheSeam(t *testing.T) {
	a := areaOf(t, `{"type":"FeatureCollection","features":[
		{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[175,0],[190,0],[190,9],[175,9],[175,0]]]}},
		{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[-175,5],[-160,5],[-160,12],[-175,12],[-175,5]]]}}]}`)
	one := areaOf(t, "SRID=4326;MULTIPOLYGON(((175 0,190 0,190 9,175 9,175 0)),((-175 5,-160 5,-160 12,-175 12,-175 5)))")

	for name, area := range map[string]*aoi.Area{"features": a, "one geometry": one} {
		_, err := New(t.Context(), job.Job{Table: job.Table{Name: "t"}, Grid: worldGrid(1, 4326), Area: area})
		var needs *NeedsServerError
		if !errors.As(err, &needs) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The plan does not know the seam of a CRS that only the server knows. It refuses, before the load, an area that
// it would otherwise have wrapped around.
func TestAreasInACRSOfTheServer(t *testing.T) {
	c := crs.Parse(990001, "", "+proj=latlong +datum=WGS84 +no_defs")
	for text, right := range map[string]bool{
		"POLYGON((170 0,180 0,180 9,170 9,170 0))":                      true,
		"POLYGON((170 0,190 0,190 9,170 9,170 0))":                      false,
		"POLYGON((190 0,200 0,200 9,190 9,190 0))":                      false,
		"POLYGON((179 51,-179 51,-179 52,179 52,179 51))":               false,
		"POLYGON((0 0,1 0,1 91,0 0))":                                   false,
		"MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))":         true,
		"MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((185 5,186 5,186 6,185 5)))": false,
	} {
		if err := areaOf(t, text).CheckPlaced(t.Context(), c); (err == nil) != right {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The direction of an edge is never guessed, in any geographic CRS.
func TestAreasThatMayGoEitherWay(t *testing.T) {
	for _, srid := range []int32{4326, 4269, 4258, 4267, 4979, 4322, 7844} {
		for _, text := range []string{"POLYGON((179 51,-179 51,-179 52,179 52,179 51))", "POLYGON((0 0,1 0,1 90.5,0 0))"} {
			_, err := New(t.Context(), job.Job{Table: job.Table{Name: "t"}, Grid: worldGrid(1, srid), Area: areaOf(t, text)})
			var param *geomgen.ParamError
			if !errors.As(err, &param) || param.Param != "aoi" {
				t.Errorf("EPSG:%d, %s: %v", srid, text, err)
			}
		}
	}
}

// An extent that crosses the seam has exactly the cells of its two parts.
func TestExtentsAcrossTheSeam(t *testing.T) {
	across := geomgen.Box{XMin: 170, YMin: -20, XMax: -170, YMax: -10}
	for name, test := range map[string]struct {
		grid        geomgen.Grid
		extent      geomgen.Box
		left, right geomgen.Box
	}{
		"degrees":           {worldGrid(1, 4326), across, geomgen.Box{XMin: 170, YMin: -20, XMax: 180, YMax: -10}, geomgen.Box{XMin: -180, YMin: -20, XMax: -170, YMax: -10}},
		"other degrees":     {worldGrid(0.7, 4269), across, geomgen.Box{XMin: 170, YMin: -20, XMax: 180, YMax: -10}, geomgen.Box{XMin: -180, YMin: -20, XMax: -170, YMax: -10}},
		"hexagons":          {geomgen.Grid{DX: 1, DY: 1, SRID: 4326, Shape: geomgen.HexagonPointy}, across, geomgen.Box{XMin: 170, YMin: -20, XMax: 180, YMax: -10}, geomgen.Box{XMin: -180, YMin: -20, XMax: -170, YMax: -10}},
		"turned":            {geomgen.Grid{DX: 1, DY: 1, SRID: 4326, Rotate: 20}, across, geomgen.Box{XMin: 170, YMin: -20, XMax: 180, YMax: -10}, geomgen.Box{XMin: -180, YMin: -20, XMax: -170, YMax: -10}},
		"tiles":             {geomgen.Tiles(7), geomgen.Box{XMin: 19e6, YMin: -2e6, XMax: -19e6, YMax: -1e6}, geomgen.Box{XMin: 19e6, YMin: -2e6, XMax: geomgen.WorldBound, YMax: -1e6}, geomgen.Box{XMin: -geomgen.WorldBound, YMin: -2e6, XMax: -19e6, YMax: -1e6}},
		"nearly everything": {worldGrid(60, 4326), geomgen.Box{XMin: 10, YMin: -90, XMax: 5, YMax: 90}, geomgen.Box{XMin: 10, YMin: -90, XMax: 180, YMax: 90}, geomgen.Box{XMin: -180, YMin: -90, XMax: 5, YMax: 90}},
		"ends on the seam":  {worldGrid(1, 4326), geomgen.Box{XMin: 170, YMin: 0, XMax: -180, YMax: 9}, geomgen.Box{XMin: 170, YMin: 0, XMax: 180, YMax: 9}, geomgen.Box{XMin: 170, YMin: 0, XMax: 180, YMax: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := func(e geomgen.Box) *Plan {
				p, err := New(t.Context(), job.Job{Table: job.Table{Name: "t"}, Grid: test.grid, Extent: &e})
				if err != nil {
					t.Fatal(err)
				}
				return p
			}

			left, right, both := plan(test.left), plan(test.right), plan(test.extent)
			cells := make(map[geomgen.Cell]bool)
			for _, p := range []*Plan{left, right} {
				p.Blocks(0, func(b geomgen.Block, _, _ int64) { cells[geomgen.Cell{Col: b.Col, Row: b.Row}] = true })
			}

			if both.Rows != int64(len(cells)) {
				t.Errorf("%d cells, and its parts have %d", both.Rows, len(cells))
			}
			both.Blocks(0, func(b geomgen.Block, _, _ int64) {
				if c := (geomgen.Cell{Col: b.Col, Row: b.Row}); !cells[c] {
					t.Errorf("%v is in neither part", c)
				}
			})

			for _, p := range []*Plan{left, right} {
				if p.Rows < both.Rows && p.Cells == both.Cells && p.Job.Fingerprint(p.Cells) == both.Job.Fingerprint(both.Cells) {
					t.Error("a part has the fingerprint of both")
				}
			}
		})
	}

	for name, g := range map[string]geomgen.Grid{"no CRS": {DX: 1, DY: 1}, "no seam": {DX: 1, DY: 1, SRID: 3035}} {
		_, err := New(t.Context(), job.Job{Table: job.Table{Name: "t"}, Grid: g, Extent: &across})
		var param *geomgen.ParamError
		if !errors.As(err, &param) || param.Param != "extent" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
