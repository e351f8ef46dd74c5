package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// areaFile writes an area of interest to a temporary file.
func areaFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "area")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The server densifies an area and transforms it from another CRS. The cells are those that PostGIS
// selects with the same transformation.
func TestAreaInAnotherCRS(t *testing.T) {
	s := newSandbox(t)
	switzerland := countryNamed(t, "Switzerland")
	for length, extra := range map[string][]string{
		"st_segmentize(a, 0.01)": nil, "st_segmentize(a, 0.5)": {"--aoi-segmentize", "0.5"}, "a": {"--aoi-segmentize", "0"},
	} {
		args := append([]string{"plan", "--cell-size", "5000", "--srid", "3035", "--aoi", switzerland.file}, extra...)
		want := queryOne[int64](t, s.pool, "select count(*) from st_setsrid(st_geomfromgeojson($1), 4326) a, st_transform("+length+
			", 3035) b, st_squaregrid(5000, b) g where st_intersects(b, g.geom)", switzerland.geometry)
		if got := planRows(t, mustCLI(t, s.dsn, args...)); got != want {
			t.Errorf("%s: %d cells, PostGIS has %d", length, got, want)
		}
	}

	// dump needs the server for it, too, and reports if there is none.
	cli(t, "postgresql://127.0.0.1:1/none", "dump", "--cell-size", "5000", "--srid", "3035", "--aoi", switzerland.file, "--out", "/dev/null").
		expect(t, 1, "the area of interest needs a server: it is in EPSG:4326 and the grid is in EPSG:3035")
	mustCLI(t, s.dsn, "dump", "--cell-size", "5000", "--srid", "3035", "--aoi", switzerland.file, "--out", os.DevNull)
	unknown := areaFile(t, "SRID=999123;POLYGON((0 0,1 0,1 1,0 0))")
	cli(t, s.dsn, "plan", "--cell-size", "1", "--srid", "3035", "--aoi", unknown).expect(t, 2, "EPSG:999123, which the server does not know")

	// The projection cannot represent the other side of the earth.
	antipode := areaFile(t, "SRID=4326;POLYGON((-170 -52,-169 -52,-169 -51,-170 -52))")
	cli(t, s.dsn, "plan", "--cell-size", "1000", "--srid", "3035", "--aoi", antipode).expect(t, 2, "--aoi", "cannot transform the area from EPSG:4326 to EPSG:3035")
}

// The server unites polygons that overlap or share edges, and repairs invalid ones on request.
func TestAreaIsUnitedAndMended(t *testing.T) {
	s := newSandbox(t)
	want := queryOne[int64](t, s.pool, `
		with f as (select st_setsrid(st_geomfromgeojson(j -> 'geometry'), 4326) as a from jsonb_array_elements($1::jsonb -> 'features') j),
		u as (select st_unaryunion(st_collect(a)) as a from f)
		select count(*) from u, st_squaregrid(0.5, st_expand(u.a, 0.5)) g where st_covers(u.a, g.geom)`, readFile(t, "../testdata/countries.geojson"))

	plan := func(file string, more ...string) result {
		return cli(t, s.dsn, append([]string{"plan", "--cell-size", "0.5", "--srid", "4326", "--aoi", file}, more...)...)
	}
	r := plan("../testdata/countries.geojson", "--aoi-rule", "within")
	if r.code != 0 {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}

	if got := planRows(t, r.stdout); got != want {
		t.Errorf("%d cells lie in ten countries together, PostGIS has %d", got, want)
	}
	bow := areaFile(t, `{"type":"Polygon","coordinates":[[[0,0],[4,4],[4,0],[0,4],[0,0]]]}`)
	plan(bow).expect(t, 2, "crosses itself at 2 2", "aoi-make-valid")

	r = plan(bow, "--aoi-make-valid", "--aoi-rule", "centroid")
	if r.code != 0 || planRows(t, r.stdout) != queryOne[int64](t, s.pool, `
		select count(*) from st_makevalid('SRID=4326;POLYGON((0 0,4 4,4 0,0 4,0 0))'::geometry) a, st_squaregrid(0.5, st_expand(a, 0.5)) g
		where st_intersects(a, st_setsrid(st_makepoint((st_xmin(g.geom) + st_xmax(g.geom)) / 2, (st_ymin(g.geom) + st_ymax(g.geom)) / 2), 4326))`) {
		t.Errorf("repaired: exit code %d, %s%s", r.code, r.stdout, r.stderr)
	}

	// Features that overlap; one is not valid by itself.
	both := areaFile(t, `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[4,4],[4,0],[0,4],[0,0]]]}},
		{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[1,1],[9,1],[9,9],[1,1]]]}}]}`)
	if r := plan(both, "--aoi-make-valid"); r.code != 0 {
		t.Errorf("overlapping and repaired: exit code %d, %s", r.code, r.stderr)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Queries that return an area, queries that do not, and queries that try to do more.
func TestAreaByQuery(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("districts") + " (name text, geom geometry)")
	s.exec("insert into " + s.name("districts") + ` values ('a', 'SRID=3035;POLYGON((0 0,5 0,5 5,0 0))'), ('b', 'SRID=3035;POLYGON((3 0,9 0,9 9,3 0))'),
		('z', 'SRID=3035;POLYGON Z((0 0 1,5 0 1,5 5 1,0 0 1))'), ('line', 'SRID=3035;LINESTRING(0 0,1 1)'), ('far', 'SRID=4326;POLYGON((0 0,5 0,5 5,0 0))'), ('none', null)`)
	from := "select geom from " + s.name("districts") + " where name "
	s.exec("create function " + s.name("writes") + "() returns geometry language plpgsql as $$ begin insert into " + s.name("districts") +
		" values ('written'); return 'SRID=3035;POLYGON((0 0,5 0,5 5,0 0))'; end $$")
	plan := func(sql string, more ...string) result {
		return cli(t, s.dsn, append([]string{"plan", "--cell-size", "1", "--srid", "3035", "--aoi-sql", sql}, more...)...)
	}
	single := queryOne[int64](t, s.pool, "select count(*) from (select 'SRID=3035;POLYGON((0 0,5 0,5 5,0 0))'::geometry a) x, st_squaregrid(1, st_expand(a, 1)) g where st_intersects(a, g.geom)")

	union := queryOne[int64](t, s.pool, "select count(*) from (select st_union(geom) a from "+s.name("districts")+" where name in ('a', 'b')) x, st_squaregrid(1, st_expand(a, 1)) g where st_intersects(a, g.geom)")
	for name, test := range map[string]struct {
		sql  string
		want int64
	}{
		"one row": {from + "= 'a'", single}, "with a semicolon": {from + "= 'a' ; ", single}, "with a comment": {from + "= 'a' -- of the first", single},
		"two rows": {from + "in ('a', 'b')", union}, "and null": {from + "in ('a', 'none')", single}, "with height": {from + "= 'z'", single},
		"a CTE": {"with x as (" + from + "= 'a') select geom from x", single},
	} {
		r := plan(test.sql)
		if r.code != 0 {
			t.Errorf("%s: exit code %d, %s", name, r.code, r.stderr)
			continue
		}

		if got := planRows(t, r.stdout); got != test.want {
			t.Errorf("%s: %d cells, want %d", name, got, test.want)
		}
		if name == "with height" != strings.Contains(r.stderr, "dropped") {
			t.Errorf("%s: %s", name, r.stderr)
		}
	}

	for name, test := range map[string]struct{ sql, want string }{
		"no row": {from + "= 'nobody'", "is empty"}, "null alone": {from + "= 'none'", "is empty"}, "a line": {from + "= 'line'", "LineString"},
		"two CRS": {from + "in ('a', 'far')", "SRID"}, "no geometry": {"select 1", "one column of type geometry"}, "two columns": {"select geom, geom from " + s.name("districts"), "one column"},
		"wrong SQL": {"selec 1", "SQLSTATE 42601"}, "no such table": {"select geom from nowhere", "SQLSTATE 42P01"},
		"two statements": {from + "= 'a'; drop table " + s.name("districts"), "SQLSTATE 42601"}, "no query": {"delete from " + s.name("districts") + " returning geom", "SQLSTATE 25006"},
		"a function that writes": {"select " + s.name("writes") + "()", "SQLSTATE 25006"}, "parameters": {from + "= $1", "parameters"},
	} {
		plan(test.sql).expect(t, 2, "--aoi-sql", test.want)
		if name == "" {
			t.Fatal("unreachable")
		}
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("districts")); n != 6 {
		t.Errorf("%d districts are left of 6", n)
	}
}

// A run whose area came from stdin is resumed from the ledger alone.
func TestRunWithAreaIsResumed(t *testing.T) {
	s := newSandbox(t)
	estonia := countryNamed(t, "Estonia")
	args := s.load("grid", "--cell-size", "1000", "--srid", "3035", "--aoi", estonia.file, "--coverage", "--code", "inspire", "--chunk-rows", "5000")
	b := s.pauseAtChunk(3)
	p := start(t, s.dsn, args...)
	s.waitForChunks(2)
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}

	p.wait()
	b.remove()
	if err := os.Remove(estonia.file); err != nil {
		t.Fatal(err)
	}

	id := queryOne[int64](t, s.pool, "select max(id) from "+s.name("runs"))
	show := mustCLI(t, s.dsn, "runs", "show", "--ledger-schema", s.schema, strconv.FormatInt(id, 10))
	if !strings.Contains(show, "intersects, 1 polygon") || !strings.Contains(show, "inspire") {
		t.Errorf("runs show prints\n%s", show)
	}

	mustCLI(t, s.dsn, "runs", "resume", "--ledger-schema", s.schema, strconv.FormatInt(id, 10))
	want := queryOne[int64](t, s.pool, `select count(*) from st_transform(st_segmentize(st_setsrid(st_geomfromgeojson($1), 4326), 0.01), 3035) a,
		st_squaregrid(1000, a) g where st_intersects(a, g.geom)`, estonia.geometry)
	s.checkCells("grid", want)
	wrong := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")+" where code <> format('CRS3035RES1000mN%sE%s', row * 1000, col * 1000) or coverage is null")
	if wrong != 0 {
		t.Errorf("%d codes or coverages are wrong", wrong)
	}
}

// For each shape, with codes and their index, the table contains what PostGIS makes.
func TestShapesInTables(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("hex", "--shape", "hexagon", "--cell-size", "7.5", "--srid", "3857", "--extent", "-200,-100,300,150")...)
	differ := queryOne[int64](t, s.pool, `
		select count(*) from (select i, j, geom from st_hexagongrid(7.5, st_makeenvelope(-200, -100, 300, 150, 3857)) where st_relate(geom, st_makeenvelope(-200, -100, 300, 150, 3857), '2********')) o
		full join `+s.name("hex")+` h on (h.col, h.row) = (o.i, o.j) where o.i is null or h.col is null or st_asewkb(o.geom) <> st_asewkb(h.geom)`)
	if differ != 0 {
		t.Errorf("%d hexagons differ from ST_HexagonGrid's", differ)
	}

	mustCLI(t, s.dsn, s.load("tiles", "--shape", "xyz", "--zoom", "5", "--code", "quadkey", "--code-index")...)
	differ = queryOne[int64](t, s.pool, "select count(*) from "+s.name("tiles")+" where st_asewkb(geom) <> st_asewkb(st_tileenvelope(5, col, row))")
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("tiles")); differ != 0 || n != 1024 {
		t.Errorf("%d of %d tiles differ from ST_TileEnvelope's", differ, n)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_indexes where schemaname = $1 and tablename = 'tiles' and indexdef like '%UNIQUE%(code)%'", s.schema); n != 1 {
		t.Errorf("%d unique indexes on the code", n)
	}

	mustCLI(t, s.dsn, s.load("turned", "--cell-size", "2,3", "--rotate", "30", "--origin", "10,20", "--cols", "30", "--rows", "20")...)
	differ = queryOne[int64](t, s.pool, `select count(*) from `+s.name("turned")+` where st_hausdorffdistance(geom,
		st_rotate(st_makeenvelope(10 + 2 * col, 20 + 3 * row, 12 + 2 * col, 23 + 3 * row), radians(30), 10, 20)) > 1e-10`)
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("turned")); differ != 0 || n != 600 {
		t.Errorf("%d of %d cells are not turned by 30 degrees", differ, n)
	}

	mustCLI(t, s.dsn, s.load("points", "--shape", "hexagon", "--hexagon", "pointy", "--cell-size", "5", "--srid", "3035", "--extent", "0,0,100,80", "--geometry", "point", "--partitions", "3")...)
	if kind := queryOne[string](t, s.pool, "select distinct geometrytype(geom) || st_srid(geom) from "+s.name("points")); kind != "POINT3035" {
		t.Errorf("points are %s", kind)
	}

	mustCLI(t, s.dsn, s.load("pointy", "--shape", "hexagon", "--hexagon", "pointy", "--cell-size", "5", "--srid", "3035", "--extent", "0,0,100,80")...)
	differ = queryOne[int64](t, s.pool, "select count(*) from "+s.name("points")+" p full join "+s.name("pointy")+` c using (cell_id)
		where p.geom is null or c.geom is null or st_distance(p.geom, st_centroid(c.geom)) > 1e-9 or not st_isvalid(c.geom) or abs(st_area(c.geom) - 64.951905283832898) > 1e-9`)
	if differ != 0 {
		t.Errorf("%d centres are not those of the hexagons", differ)
	}
	if lies := queryOne[int64](t, s.pool, "select count(*) from "+s.name("pointy")+" a join "+s.name("pointy")+" b on a.cell_id < b.cell_id and st_overlaps(a.geom, b.geom)"); lies != 0 {
		t.Errorf("%d pairs of hexagons overlap", lies)
	}
}
