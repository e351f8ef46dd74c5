package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// maskGrids returns grids of each shape.
func maskGrids() []geomgen.Grid {
	return []geomgen.Grid{
		{DX: 1, DY: 1},
		{DX: 0.1, DY: 0.1},
		{X0: -180, Y0: 7.3, DX: 0.3, DY: 0.7},
		{DX: 1000, DY: 1000, SRID: 3035},
		{X0: 1, Y0: 2, DX: 1, DY: 1, Rotate: 30},
		{DX: 1, DY: 1, Shape: geomgen.HexagonFlat},
		{X0: 0.1, Y0: 0.2, DX: 0.1, DY: 0.1, Shape: geomgen.HexagonPointy},
		geomgen.Tiles(4),
	}
}

// Random polygons, half of them degenerate: PostGIS decides for all cells near them. If PostGIS and the
// mask differ, exact fractions decide. PostGIS may occasionally be wrong in the last bit; the mask must
// not.
func TestMaskAgainstPostGIS(t *testing.T) {
	s := newSandbox(t)
	rng := testrand.New(t, 202611)
	cells, differ := 0, 0

	const polygons = 320
	for n := range polygons {
		g := maskGrids()[n%len(maskGrids())]
		area := oracle.Polygons(rng, g, n/len(maskGrids())%2 == 0)
		k, d := s.compareMask(g, area)
		cells, differ = cells+k, differ+d
	}

	t.Logf("%d polygons, %d decisions; PostGIS differs in %d, and is wrong in each", polygons, cells, differ)
	if cells < 100*polygons {
		t.Errorf("only %d decisions were compared", cells)
	}
	if differ*1000 > cells {
		t.Errorf("PostGIS differs in %d of %d decisions, more than its rounding explains", differ, cells)
	}
}

// compareMask compares the rules for the cells around an area. It returns how many decisions it checked,
// and in how many of them PostGIS is wrong.
func (s sandbox) compareMask(g geomgen.Grid, area []geomgen.Polygon) (decisions, differ int) {
	s.t.Helper()
	rules := []geomgen.Rule{geomgen.Intersects, geomgen.Within, geomgen.Centroid, geomgen.Overlaps}
	selected := make([]map[geomgen.Cell]bool, len(rules))
	var r geomgen.Range

	for i, rule := range rules {
		m, err := geomgen.NewMask(g, area, rule)
		if err != nil {
			s.t.Fatal(err)
		}
		if r, err = g.Around(m.Bounds()); err != nil {
			s.t.Fatal(err)
		}
		selected[i] = walked(s.t, r, m)
	}

	list, shapes, centres := cellsOf(g, r)
	aoi := areaEWKB(area, g.SRID)
	rows, err := s.pool.Query(context.Background(), `
		select st_intersects(a, st_geomfromewkb(c)), st_covers(a, st_geomfromewkb(c)), st_intersects(a, st_geomfromewkb(p)),
			st_relate(a, st_geomfromewkb(c), 'T********')
		from st_geomfromewkb($1) a, unnest($2::bytea[], $3::bytea[]) with ordinality u (c, p, n) order by n`, aoi, shapes, centres)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	judge := oracle.NewArea(area)

	for n := 0; rows.Next(); n++ {
		var said [4]bool
		if err := rows.Scan(&said[0], &said[1], &said[2], &said[3]); err != nil {
			s.t.Fatal(err)
		}

		c := list[n]
		for i, rule := range rules {
			decisions++
			ours := selected[i][c]
			if ours == said[i] {
				continue
			}

			differ++
			if truth := judge.Selects(g, c, rule); ours != truth {
				s.t.Fatalf("%s, cell %v of %+v: PostGIS says %v, fractions say %v, the mask %v\narea %v", rule, c, g, said[i], truth, ours, area)
			}

			found, err := json.Marshal(oracle.Case{Grid: g, Cell: c, Rule: rule, Want: ours, Area: area})
			if err != nil {
				s.t.Fatal(err)
			}
			s.t.Logf("PostGIS is wrong: %s", found) // a line for geomgen/testdata/postgis_errs.jsonl
		}
	}

	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return decisions, differ
}

// cellsOf returns the cells of a rectangle, each with its EWKB and the EWKB of its centre.
func cellsOf(g geomgen.Grid, r geomgen.Range) (cells []geomgen.Cell, shapes, centres [][]byte) {
	for col := r.MinCol; col < r.MaxCol; col++ {
		for row := r.MinRow; row < r.MaxRow; row++ {
			c := geomgen.Cell{Col: col, Row: row}
			cells = append(cells, c)
			shapes = append(shapes, ewkbOf(g, c, geomgen.AsPolygon))
			centres = append(centres, ewkbOf(g, c, geomgen.AsPoint))
		}
	}
	return cells, shapes, centres
}

// walked returns the cells that a walk with a mask visits.
func walked(t *testing.T, r geomgen.Range, m *geomgen.Mask) map[geomgen.Cell]bool {
	t.Helper()
	sel, err := geomgen.Select(t.Context(), r, m)
	if err != nil {
		t.Fatal(err)
	}

	cells := map[geomgen.Cell]bool{}
	order := geomgen.NewBlockOrder()
	w := sel.Walk(0, geomgen.MaxID)
	for b, ok := w.Next(); ok; b, ok = w.Next() {
		for _, off := range order.Offsets(b) {
			cells[geomgen.Cell{Col: b.Col + int32(off&15), Row: b.Row + int32(off>>4)}] = true
		}
	}

	return cells
}

// ewkbOf returns the EWKB of a cell or its centre, as the loader writes it.
func ewkbOf(g geomgen.Grid, c geomgen.Cell, as geomgen.Geometry) []byte {
	b := g.AppendHeader(nil, as)
	at := len(b)
	b = append(b, make([]byte, g.PointsLen(as))...)
	w := g.NewWriter(as)
	w.SetBlock(geomgen.Block{Col: c.Col, Row: c.Row})
	w.Put(b[at:], 0)
	return b
}

func areaEWKB(area []geomgen.Polygon, srid int32) []byte {
	b := geomgen.AppendMultiPolygonHeader(nil, srid, len(area))
	for _, p := range area {
		b = geomgen.AppendPolygon(b, p)
	}
	return b
}

// For valid and invalid polygons, CheckPolygons agrees with ST_IsValid. GEOS before 3.10 misses a polygon
// that lies in another one with a hole, so the test ignores it in those cases.
func TestValidityAgainstPostGIS(t *testing.T) {
	s := newSandbox(t)
	rng := testrand.New(t, 505)
	differ, missed := 0, 0
	old := pgtest.VersionOf(t, s.pool).GEOS < 310
	for n := range 3000 {
		area := randomPolygons(rng)
		ours := geomgen.CheckPolygons(area)
		var theirs bool
		var reason string
		err := s.pool.QueryRow(context.Background(), "select st_isvalid(g), st_isvalidreason(g) from st_geomfromewkb($1) g", areaEWKB(area, 0)).Scan(&theirs, &reason)
		if err != nil {
			t.Fatal(err)
		}

		if old && theirs && ours != nil && strings.Contains(ours.Error(), "lies in another polygon") {
			missed++
			continue
		}

		if theirs != (ours == nil) {
			if differ++; differ < 5 {
				t.Errorf("polygons %d: PostGIS says %s, here %v\n%v", n, reason, ours, area)
			}
		}
	}

	if missed > 30 {
		t.Errorf("%d times PostGIS missed a polygon in another", missed)
	}
}

// randomPolygons returns polygons with few corners on a small lattice, often with every kind of error.
func randomPolygons(rng *rand.Rand) []geomgen.Polygon {
	var area []geomgen.Polygon
	ring := func(x, y, size int) []geomgen.Point {
		var points []geomgen.Point
		for range 3 + rng.IntN(3) {
			points = append(points, geomgen.Point{X: float64(x + rng.IntN(size)), Y: float64(y + rng.IntN(size))})
		}
		return append(points, points[0])
	}

	for range 1 + rng.IntN(2) {
		p := geomgen.Polygon{ring(rng.IntN(6), rng.IntN(6), 7)}
		if rng.IntN(2) == 0 { // a large shell, so that holes fall inside it
			x := float64(20 * len(area))
			p = geomgen.Polygon{{{X: x}, {X: x + 8}, {X: x + 8, Y: 8}, {X: x, Y: 8}, {X: x}}}
			for range rng.IntN(3) {
				p = append(p, ring(int(x)+rng.IntN(3), rng.IntN(3), 6))
			}
		}
		area = append(area, p)
	}

	return area
}

// For each rule, each country has as many cells of 0.1 degrees as in PostGIS. ST_SquareGrid omits cells
// that only touch the left edge of its bounds, so these bounds are wider.
func TestCountriesAgainstPostGIS(t *testing.T) {
	s := newSandbox(t)
	for _, c := range countries(t) {
		for rule, condition := range map[string]string{
			"intersects": "st_intersects(a, g.geom)", "within": "st_covers(a, g.geom)",
			"centroid": "st_intersects(a, st_setsrid(st_makepoint((st_xmin(g.geom) + st_xmax(g.geom)) / 2, (st_ymin(g.geom) + st_ymax(g.geom)) / 2), 4326))",
			"overlaps": "st_relate(a, g.geom, 'T********')",
		} {
			out := mustCLI(t, s.dsn, "plan", "--cell-size", "0.1", "--srid", "4326", "--aoi", c.file, "--aoi-rule", rule)
			want := queryOne[int64](t, s.pool, "select count(*) from st_setsrid(st_geomfromgeojson($1), 4326) a, st_squaregrid(0.1, st_expand(a, 0.1)) g where st_xmin(g.geom) < 179.999 and st_xmax(g.geom) > -179.999 and st_ymin(g.geom) < 89.999 and st_ymax(g.geom) > -89.999 and "+condition, c.geometry)
			if got := planRows(t, out); got != want {
				t.Errorf("%s, %s: %d cells, PostGIS has %d", c.name, rule, got, want)
			}
		}
	}
}

// Coverage and cut geometries match PostGIS, for each shape of cells.
func TestCoverageAndClipAgainstPostGIS(t *testing.T) {
	s := newSandbox(t)
	rng := testrand.New(t, 1704)
	for n, g := range maskGrids() {
		for k := range 3 {
			area := oracle.Polygons(rng, g, k == 0)
			s.compareCoverage(fmt.Sprintf("t%d_%d", n, k), g, area, shapeArgs(g))
		}
	}
}
