package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// unmatchedEdges counts the edges of cut cells that are wrong: those away from the area's edge that no
// other cell has in the opposite direction, and those that two cells have in the same direction.
func unmatchedEdges() string {
	return `
	with edge as (
		select encode(st_asbinary(st_startpoint(d.geom)), 'hex') p, encode(st_asbinary(st_endpoint(d.geom)), 'hex') q, d.geom
		from %[1]s t, ` + segmentsOf("st_forcepolygonccw(t.geom)") + ` d where not st_isempty(t.geom)
	), matched as (
		select e.geom, e.n as same, f.p is not null as paired
		from (select p, q, count(*) as n, min(geom::text)::geometry as geom from edge group by p, q) e
		left join (select distinct p, q from edge) f on f.p = e.q and f.q = e.p
	)
	select count(*) from matched, st_boundary(st_geomfromewkt($1)) b
	where same > 1 or not paired and not (
		st_dwithin(st_startpoint(geom), b, $2) and st_dwithin(st_endpoint(geom), b, $2) and st_dwithin(st_centroid(geom), b, $2))`
}

// segmentsOf returns SQL for the segments of a polygon and their lengths, like ST_DumpSegments in PostGIS
// 3.2 and later.
func segmentsOf(polygon string) string {
	return `lateral (
		select st_makeline(a, b) as geom, st_distance(a, b) as length from (
			select d.geom as a, lead(d.geom) over (partition by d.path[:cardinality(d.path) - 1] order by d.path) as b
			from st_dumppoints(` + polygon + `) d) points where b is not null)`
}

// Cut cells fit together and are valid, over countries and in grids of each shape. PostGIS 3.4 and later
// check this independently.
func TestCutCellsAreACoverage(t *testing.T) {
	s := newSandbox(t)
	has := queryOne[bool](t, s.pool, "select exists (select from pg_proc where proname = 'st_coverageinvalidedges')")
	if !has {
		t.Log("the server has no ST_CoverageInvalidEdges: only the edges are compared, bit for bit")
	}

	grids := []geomgen.Grid{
		{DX: 0.5, DY: 0.5, SRID: 4326},
		{X0: 0.1, Y0: 0.3, DX: 0.7, DY: 0.4, SRID: 4326, Rotate: 45},
		{DX: 0.3, DY: 0.3, SRID: 4326, Shape: geomgen.HexagonFlat},
		{X0: -1, DX: 0.4, DY: 0.4, SRID: 4326, Shape: geomgen.HexagonPointy, Rotate: 12.5},
	}
	for i, name := range []string{"Switzerland", "Estonia", "France", "South Africa"} {
		c := countryNamed(t, name)
		area := queryOne[string](t, s.pool, "select st_asewkt(st_setsrid(st_geomfromgeojson($1), 4326), 17)", c.geometry)
		s.checkCut(fmt.Sprintf("c%d", i), c.file, area, has, shapeArgs(grids[i%len(grids)])...)
	}

	rectangle := "SRID=0;POLYGON((0.3 0.3,4.7 0.3,4.7 2.9,0.3 2.9,0.3 0.3))"
	for i, g := range grids {
		g.SRID = 0
		s.checkCut(fmt.Sprintf("r%d", i), textFile(t, rectangle), rectangle, has, shapeArgs(g)...)
	}
}

func textFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "area.wkt")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// checkCut loads the cut cells of an area and checks them.
func (s sandbox) checkCut(table, file, area string, coverage bool, args ...string) {
	s.t.Helper()
	mustCLI(s.t, s.dsn, s.load(table, append(args, "--aoi", file, "--clip", "--coverage")...)...)

	name := s.name(table)
	if n := queryOne[int64](s.t, s.pool, "select count(*) from "+name+" where not st_isvalid(geom)"); n != 0 {
		s.t.Errorf("%s: %d cells are not valid", table, n)
	}
	if n := queryOne[int64](s.t, s.pool, fmt.Sprintf(unmatchedEdges(), name), area, 1e-12); n != 0 {
		s.t.Errorf("%s: %d edges have no counterpart", table, n)
	}
	if coverage {
		if n := queryOne[int64](s.t, s.pool, "select count(*) from (select st_coverageinvalidedges(geom) over () e from "+name+") x where e is not null"); n != 0 {
			s.t.Errorf("%s: ST_CoverageInvalidEdges reports %d cells", table, n)
		}
	}
}

// Cells cut by an axis-parallel rectangle equal the intersection, to the bit.
func TestCutByRectangle(t *testing.T) {
	s := newSandbox(t)
	area := "POLYGON((0.3 0.3,4.7 0.3,4.7 2.9,0.3 2.9,0.3 0.3))"
	mustCLI(t, s.dsn, s.load("cut", "--cell-size", "1", "--srid", "0", "--aoi", textFile(t, area), "--clip")...)
	wrong := queryOne[string](t, s.pool, `
		select coalesce(string_agg(st_astext(t.geom), '; '), '') from `+s.name("cut")+` t, st_geomfromtext($1) a,
			st_makeenvelope(col, row, col + 1, row + 1) cell
		where not st_coveredby(t.geom, a) or not st_equals(t.geom, st_intersection(cell, a))
		   or st_asbinary(st_normalize(st_geometryn(t.geom, 1))) <> st_asbinary(st_normalize(st_intersection(cell, a)))`, area)
	if wrong != "" {
		t.Errorf("not the intersection: %s", wrong)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("cut")+" where not st_isempty(geom)"); n != 15 {
		t.Errorf("%d cells, want 15", n)
	}
}

// If an edge passes a corner of a turned square by a few units in the last place, the cells on both sides
// remain valid.
func TestCutBesideCorner(t *testing.T) {
	s := newSandbox(t)
	area := "POLYGON((-848.428137423857 -282.542712474619,1131.470849898476 -282.542712474619,-848.428137423857 283.14271247461903,-848.428137423857 -282.542712474619))"
	s.checkCut("corner", textFile(t, area), area, false, "--cell-size", "100", "--origin", "0.1,0.3", "--rotate", "45", "--srid", "0")
}
