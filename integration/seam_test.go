package integration

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader"
)

func readSeamCase(t *testing.T, name string) *loader.Area {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "seam", name))
	if err != nil {
		t.Fatal(err)
	}

	return readText(t, string(b))
}

// degreesGrid returns a grid with cells of a size in degrees of a CRS.
func degreesGrid(size float64, srid int32) geomgen.Grid {
	return geomgen.Grid{X0: -180, Y0: -90, DX: size, DY: size, SRID: srid}
}

// An area that crosses a seam or contains a pole selects the cells that it meets, on both sides.
func TestAreasAcrossASeam(t *testing.T) {
	s := newSandbox(t)
	for _, test := range []struct {
		file  string
		grid  geomgen.Grid
		cells int64
	}{
		{"taveuni_3460.ewkt", geomgen.Tiles(12), 2},
		{"taveuni40_3460.ewkt", geomgen.Tiles(12), 36},
		{"pole_3995.ewkt", degreesGrid(1, 4326), 3912},
	} {
		t.Run(test.file, func(t *testing.T) {
			job := loader.Job{Table: loader.Table{Name: "t"}, Grid: test.grid, Area: readSeamCase(t, test.file)}
			p, err := loader.PlanOn(context.Background(), s.pool, job)
			if err != nil {
				t.Fatal(err)
			}

			if p.Rows != test.cells {
				t.Errorf("%d cells, want %d", p.Rows, test.cells)
			}
		})
	}
}

// Maps whose edge is a meridian show an area across it in two parts, whatever the projection. PostGIS
// transforms points of the area, 5 km apart: each lies in a cell, and each cell has such a point near it.
func TestAreasOnMapsOfTheWorld(t *testing.T) {
	s := newSandbox(t)
	for _, text := range []string{
		"SRID=3995;POLYGON((-200000 600000,200000 600000,0 1900000,-200000 600000))",
		"SRID=3460;POLYGON((1813220 3701706,2353220 3701706,2353220 4341706,1813220 4341706,1813220 3701706))",
	} {
		for _, srid := range []int32{8857, 54009, 54030, 53046, 53008, 53018, 3395, 3832, 3035, 2193} {
			if strings.HasPrefix(text, "SRID=3460") && srid == 3035 {
				continue // the antipode of the map's centre is near
			}

			const size = 100e3
			p, err := loader.PlanOn(context.Background(), s.pool, loader.Job{Table: loader.Table{Name: "t"},
				Grid: geomgen.Grid{DX: size, DY: size, SRID: srid}, Area: readText(t, text)})
			if err != nil {
				t.Errorf("EPSG:%d, %s: %v", srid, text, err)
				continue
			}

			found, err := s.pool.Query(context.Background(), `
				select st_x(p), st_y(p) from st_squaregrid(5000, $1::geometry) c, lateral st_centroid(c.geom) m, lateral st_transform(m, $2::integer) p
				where st_intersects(m, $1::geometry)`, text, srid)
			if err != nil {
				t.Fatal(err)
			}

			var x, y float64
			near := make(map[geomgen.Cell]bool)
			_, err = pgx.ForEachRow(found, []any{&x, &y}, func() error {
				c, _ := p.Job.Grid.CellAt(geomgen.Point{X: x, Y: y})
				if !p.Contains(c) {
					t.Errorf("EPSG:%d: cell %v has a point of %s", srid, c, text)
				}
				for dc := int32(-2); dc <= 2; dc++ {
					for dr := int32(-2); dr <= 2; dr++ {
						near[geomgen.Cell{Col: c.Col + dc, Row: c.Row + dr}] = true
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}

			p.Blocks(0, func(b geomgen.Block, _, _ int64) {
				if c := (geomgen.Cell{Col: b.Col, Row: b.Row}); !near[c] {
					t.Errorf("EPSG:%d: cell %v is far from %s", srid, c, text)
				}
			})
		}
	}
}

// Antarctica goes all the way round, and its edges along the antimeridian coincide in most CRSs. It is
// valid, and no error advises to repair it.
func TestAntarcticaWithoutAPolarMap(t *testing.T) {
	s := newSandbox(t)
	a := readText(t, "SRID=4326;POLYGON((-180 -90,180 -90,180 -84,90 -66,0 -70,-90 -73,-180 -84,-180 -90))")
	for _, srid := range []int32{3031, 3035, 3338, 3395} {
		p, err := loader.PlanOn(context.Background(), s.pool, loader.Job{Table: loader.Table{Name: "t"},
			Grid: geomgen.Grid{DX: 500e3, DY: 500e3, SRID: srid}, Area: a})

		switch {
		case err != nil:
			t.Errorf("EPSG:%d: %v", srid, err)
		case (srid == 3395) != slices.ContainsFunc(p.Warnings(), func(w loader.Warning) bool { return w.Param == "aoi" && len(p.Job.Area.Warnings) > 0 }):
			t.Errorf("EPSG:%d: warnings %v", srid, p.Warnings())
		}
	}
}

// seamOracle selects the cells of a grid that meet an area: it transforms each cell, with additional
// points, to the area's CRS. It omits cells more than 4,000 km away, for which the area's CRS may have no
// place. margin is how far a cell lies in the area, in metres; it is below 0 for a cell that does not
// meet the area, which distinguishes cells that only touch it.
const seamOracle = `
	with area as (select st_geomfromewkb($1) g),
	middle as (select st_centroid(st_transform(g, 4326)::geography) m from area),
	cells as (
		select c.n, st_setsrid(st_makeenvelope(c.x0, c.y0, c.x1, c.y1), $2::integer) g
		from unnest($3::integer[], $4::float8[], $5::float8[], $6::float8[], $7::float8[]) c(n, x0, y0, x1, y1)),
	near as (
		select n, st_transform(st_segmentize(cells.g, $8::float8), st_srid(area.g)) g, area.g a
		from cells, area, middle
		where st_dwithin(m, st_transform(st_centroid(cells.g), 4326)::geography, 4e6, false))
	select n, case when st_intersects(g, a) then sqrt(st_area(st_intersection(g, a))) else -st_distance(g, a) end
	from near where st_astext(g) !~* 'nan|inf'`

// TestSeamsAgainstPostGIS draws areas around seams and poles in the CRSs that are common there. PostGIS
// decides about each cell by itself, in the area's CRS.
func TestSeamsAgainstPostGIS(t *testing.T) {
	s := newSandbox(t)
	r := testrand.New(t, 1)
	mercator := func(n float64, srid int32, half float64) geomgen.Grid {
		return geomgen.Grid{X0: -half, Y0: -half, DX: 2 * half / n, DY: 2 * half / n, SRID: srid}
	}

	grids := []geomgen.Grid{
		degreesGrid(5, 4326), degreesGrid(4, 4269), mercator(80, 3857, geomgen.WorldBound), mercator(64, 3395, geomgen.WorldBound),
		mercator(72, 3832, geomgen.WorldBound),
		{X0: -17367530.445161372, Y0: -7342230.136498678, DX: 17367530.445161372 / 30, DY: 7342230.136498678 / 15, SRID: 6933},
	}

	for _, c := range []struct {
		srid                   int32
		x0, y0, x1, y1, radius float64 // the range of the centre, and how far the corners are
	}{
		{3460, 1.6e6, 3.6e6, 2.4e6, 4.4e6, 4e5}, // Fiji
		{3338, -2.4e6, 0, -1e6, 1e6, 8e5},       // Alaska and the Aleutians
		{3995, -2e6, -2e6, 2e6, 2e6, 2e6},       // the north pole
		{3031, -2e6, -2e6, 2e6, 2e6, 2e6},       // the south pole
		{5041, 1e6, 1e6, 3e6, 3e6, 1.5e6},       // UPS North
		{3576, -1e6, -1e6, 1e6, 1e6, 1.5e6},     // LAEA of the north
		{32660, 3e5, 1e6, 9e5, 7e6, 4e5},        // UTM 60N
		{3851, 2.5e6, 5e6, 4e6, 7e6, 6e5},       // New Zealand
	} {
		ring := starRing(r, c.x0+r.Float64()*(c.x1-c.x0), c.y0+r.Float64()*(c.y1-c.y0), c.radius*(0.2+0.8*r.Float64()))
		area := &loader.Area{SRID: c.srid, Polygons: []geomgen.Polygon{{ring}}}
		s.compareWithSeamOracle(area, grids[int(c.srid)%len(grids)])
		s.compareWithSeamOracle(area, grids[(3+int(c.srid))%len(grids)])
	}
}

// starRing returns a star-shaped ring around a place.
func starRing(r *rand.Rand, x, y, radius float64) (ring []geomgen.Point) {
	n := 4 + r.IntN(6)
	for i := range n {
		angle, far := 2*math.Pi*(float64(i)+0.7*r.Float64())/float64(n), radius*(0.4+0.6*r.Float64())
		ring = append(ring, geomgen.Point{X: x + far*math.Cos(angle), Y: y + far*math.Sin(angle)})
	}

	return append(ring, ring[0])
}

func (s sandbox) compareWithSeamOracle(area *loader.Area, g geomgen.Grid) {
	s.t.Helper()
	p, err := loader.PlanOn(context.Background(), s.pool, loader.Job{Table: loader.Table{Name: "t"}, Grid: g, Area: area})
	if err != nil {
		s.t.Errorf("%v in %+v: %v", area, g, err)
		return
	}

	selected := make(map[geomgen.Cell]bool)
	p.Blocks(0, func(b geomgen.Block, _, _ int64) { selected[geomgen.Cell{Col: b.Col, Row: b.Row}] = true })

	cols, rows := int32(math.Round(-2*g.X0/g.DX)), int32(math.Round(-2*g.Y0/g.DY))
	var cells []geomgen.Cell
	var numbers []int32
	var x0, y0, x1, y1 []float64

	for row := range rows {
		for col := range cols {
			c := geomgen.Cell{Col: col, Row: row}
			b := g.Bounds(c)
			cells, numbers = append(cells, c), append(numbers, int32(len(numbers)))
			x0, y0, x1, y1 = append(x0, b.XMin), append(y0, b.YMin), append(x1, b.XMax), append(y1, b.YMax)
		}
	}

	found, err := s.pool.Query(context.Background(), seamOracle, area.Marshal(), g.SRID, numbers, x0, y0, x1, y1, g.DX/20)
	if err != nil {
		s.t.Fatal(err)
	}

	var n int32
	var margin float64
	seen, met := make(map[geomgen.Cell]bool), 0

	_, err = pgx.ForEachRow(found, []any{&n, &margin}, func() error {
		c := cells[n]
		seen[c] = true
		if margin > 0 {
			met++
		}

		// Differences under 5 km prove nothing: edges of the area are straight in its CRS, while edges of
		// cells are straight between points that are 1/20 of their side apart.
		if math.Abs(margin) > 5000 && selected[c] != (margin > 0) {
			s.t.Errorf("cell %v of %+v: selected %v, PostGIS has it %.0f m in %v", c, g, selected[c], margin, area.Polygons)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}

	for c := range selected {
		if !seen[c] {
			s.t.Errorf("cell %v of %+v is selected and far from %v", c, g, area.Polygons)
		}
	}
	s.t.Logf("EPSG:%d in EPSG:%d: %d cells of %d", area.SRID, g.SRID, met, len(cells))
}
