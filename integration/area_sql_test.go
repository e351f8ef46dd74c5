package integration

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/loader"
)

func TestAreaOfAQuery(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("district") + " (name text, geom geometry)")
	s.exec("insert into " + s.name("district") + ` values
		('a', st_makeenvelope(0, 0, 4, 4, 3035)), ('b', st_makeenvelope(2, 2, 6, 6, 3035)), ('far', st_makeenvelope(10, 0, 12, 2, 3035)), ('none', null)`)

	from := " from " + s.name("district")
	for name, test := range map[string]struct {
		sql      string
		srid     int32
		area     float64
		warnings int
	}{
		"one row":            {"select geom" + from + " where name = 'a'", 3035, 16, 0},
		"rows that overlap":  {"select geom" + from, 3035, 32, 0},
		"a semicolon":        {"select geom" + from + " where name = 'a';", 3035, 16, 0},
		"a comment":          {"select geom" + from + " where name = 'a' -- the first", 3035, 16, 0},
		"both, and space":    {"/* ; */ select geom" + from + " where name = 'a' ; -- ;\n ", 3035, 16, 0},
		"with":               {"with d as (select geom" + from + ") select st_union(geom) from d", 3035, 32, 0},
		"no SRID":            {"select st_makeenvelope(0, 0, 3, 3)", 3035, 9, 0},
		"no SRID, no grid's": {"select st_makeenvelope(0, 0, 3, 3)", 0, 9, 0},
		"height":             {"select st_force3d(geom)" + from + " where name in ('a', 'far')", 3035, 20, 1},
		"a collection":       {"select st_collect(geom)" + from + " where name in ('a', 'far')", 3035, 20, 0},
		"an empty row":       {"select geom" + from + " union all select 'SRID=3035;POLYGON EMPTY'", 3035, 32, 0},
	} {
		a := &loader.Area{SQL: test.sql}
		ready := s.resolve(a, test.srid)
		if got := queryOne[float64](t, s.pool, "select st_area(st_geomfromewkb($1))", ready.Marshal()); math.Abs(got-test.area) > 1e-9 {
			t.Errorf("%s: the area is %g, want %g", name, got, test.area)
		}
		if len(ready.Warnings) != test.warnings {
			t.Errorf("%s: warnings %q", name, ready.Warnings)
		}
		if len(a.Polygons) > 0 || len(a.Warnings) > 0 {
			t.Errorf("%s: ResolveArea changed the given area", name)
		}
	}
}

func TestQueriesThatAreNoArea(t *testing.T) {
	s := newSandbox(t)
	for name, test := range map[string]struct {
		sql   string
		srid  int32
		words []string
	}{
		"no row":        {"select st_makeenvelope(0, 0, 1, 1) where false", 0, []string{"is empty"}},
		"null":          {"select null::geometry from generate_series(1, 3)", 0, []string{"is empty"}},
		"empty":         {"select 'POLYGON EMPTY'::geometry", 0, []string{"is empty"}},
		"a number":      {"select 1", 0, []string{"one column of type geometry"}},
		"geography":     {"select st_makeenvelope(0, 0, 1, 1, 4326)::geography", 4326, []string{"one column of type geometry"}},
		"two columns":   {"select 1 as n, st_makeenvelope(0, 0, 1, 1) as geom", 0, []string{"one column of type geometry", "n", "geom"}},
		"no column":     {"create temporary table t ()", 0, []string{"no columns"}},
		"no SQL":        {"selec 1", 0, []string{"syntax error", "42601"}},
		"no table":      {"select geom from there_is_none", 0, []string{"there_is_none", "42P01"}},
		"a parameter":   {"select $1::geometry", 0, []string{"parameters"}},
		"a line":        {"select 'LINESTRING(0 0,1 1)'::geometry", 0, []string{"LineString", "made of polygons"}},
		"a point":       {"select st_collect(st_makeenvelope(0, 0, 1, 1), 'POINT(5 5)')", 0, []string{"Point", "made of polygons"}},
		"two SRIDs":     {"select st_makeenvelope(0, 0, 1, 1, s) from unnest(array[3035, 4326]) s", 3035, []string{"SRID 3035", "SRID 4326"}},
		"NaN":           {"select st_geomfromtext('POLYGON((0 0,4 0,4 NaN,0 0))')", 0, []string{"not finite"}},
		"a bow tie":     {"select 'POLYGON((0 0,4 4,4 0,0 4,0 0))'::geometry union all select st_makeenvelope(3, 1, 8, 3)", 0, []string{"crosses itself at 2 2", "aoi-make-valid"}},
		"degrees":       {"select st_makeenvelope(0, 0, 1, 91, 4326)", 3035, []string{"latitude beyond 90"}},
		"unknown SRID":  {"select st_makeenvelope(0, 0, 1, 1, 990001)", 3035, []string{"EPSG:990001", "spatial_ref_sys"}},
		"out of bounds": {"select st_makeenvelope(1e9, 1e9, 2e9, 2e9, 3035)", 4326, []string{"from EPSG:3035 to EPSG:4326", "XX000"}},
		"too large":     {"select st_makeenvelope(1e30, 1e30, 2e30, 2e30, 3035)", 4326, []string{"aoi-segmentize"}},
		"an error":      {"select st_makeenvelope(0, 0, 1, 1 / (n - 1)) from generate_series(0, 2) n", 0, []string{"division by zero", "22012"}},
		"a curve":       {"select 'CURVEPOLYGON(CIRCULARSTRING(0 0,4 0,4 4,0 4,0 0))'::geometry", 0, []string{"unsupported type"}},
	} {
		_, err := loader.ResolveArea(context.Background(), s.pool, &loader.Area{SQL: test.sql}, test.srid)
		s.checkParamError(name, err, "aoi-sql", test.words...)
	}

	_, err := loader.ResolveArea(context.Background(), s.pool, &loader.Area{SQL: "select st_makeenvelope(0, 0, 1, 1, 4326)"}, 0)
	s.checkParamError("a grid without SRID", err, "srid", "EPSG:4326")

	// All rows are counted, but few are kept.
	limited := &loader.Area{SQL: "select st_makeenvelope(n, 0, n + 0.5, 1) from generate_series(1, 1000) n", MaxPositions: 4999}
	_, err = loader.ResolveArea(context.Background(), s.pool, limited, 0)
	s.checkParamError("too many positions", err, "aoi-sql", "has 5000 positions", "aoi-max-positions allows 4999")
}

// A large area from a query is checked quickly, however many holes it has. The check once took time
// proportional to the square of their number, and no context could end it.
func TestQueryOfManyHoles(t *testing.T) {
	s := newSandbox(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	area, err := loader.ResolveArea(ctx, s.pool, &loader.Area{SQL: `select st_makepolygon(st_exteriorring(st_makeenvelope(-1, -1, 100001, 3)),
		array_agg(st_exteriorring(st_makeenvelope(n + 0.25, 0, n + 0.75, 1)) order by n)) from generate_series(0, 99999) n`}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(area.Polygons) != 1 || len(area.Polygons[0]) != 100_001 {
		t.Errorf("got %d polygons", len(area.Polygons))
	}
}

// No query can write, whatever it contains.
func TestQueriesThatWrite(t *testing.T) {
	s := newSandbox(t)
	schema := s.name("x")[:strings.LastIndex(s.name("x"), ".")]
	s.exec("create table " + s.name("precious") + " (geom geometry)")
	s.exec("insert into " + s.name("precious") + " values (st_makeenvelope(0, 0, 1, 1))")
	s.exec("create function " + schema + ".writes() returns geometry language plpgsql as $$ begin delete from " + s.name("precious") + "; return st_makeenvelope(0, 0, 1, 1); end $$")
	s.exec("create function " + schema + ".escapes() returns geometry language plpgsql as $$ begin perform set_config('transaction_read_only', 'off', true); delete from " +
		s.name("precious") + "; return st_makeenvelope(0, 0, 1, 1); end $$")

	good := "select geom from " + s.name("precious")
	for name, test := range map[string]struct {
		sql   string
		words []string
	}{
		"two statements":        {good + "; drop table " + s.name("precious"), []string{"42601"}},
		"the transaction ends":  {"commit; drop table " + s.name("precious"), []string{"42601"}},
		"only that":             {"commit", []string{"returns no columns"}},
		"a function":            {"select " + schema + ".writes()", []string{"25006"}},
		"one that would escape": {"select " + schema + ".escapes()", []string{"read-write mode"}},
		"returning":             {"delete from " + s.name("precious") + " returning geom", []string{"25006"}},
		"in a with":             {"with d as (delete from " + s.name("precious") + " returning geom) select geom from d", []string{"25006"}},
		"drop":                  {"drop table " + s.name("precious"), []string{"returns no columns"}},
	} {
		_, err := loader.ResolveArea(context.Background(), s.pool, &loader.Area{SQL: test.sql}, 0)
		s.checkParamError(name, err, "aoi-sql", test.words...)
		if n := queryOne[int](t, s.pool, "select count(*) from "+s.name("precious")); n != 1 {
			t.Fatalf("%s: %d rows are left", name, n)
		}
	}

	// The program reports it too, as an error of the job, and makes no table.
	cli(t, s.dsn, s.load("cells", "--cell-size", "1", "--aoi-sql", "select "+schema+".writes()")...).expect(t, 2, "aoi-sql", "25006")
	if queryOne[bool](t, s.pool, "select to_regclass($1) is not null", s.name("cells")) {
		t.Error("a table was made")
	}

	// A DSN that requests the simple protocol does not get around this.
	pool := openPool(t, s.dsn+"&default_query_exec_mode=simple_protocol", nil)
	_, err := loader.ResolveArea(context.Background(), pool, &loader.Area{SQL: good + "; drop table " + s.name("precious")}, 0)
	s.checkParamError("simple protocol", err, "aoi-sql", "42601")
	if ready, err := loader.ResolveArea(context.Background(), pool, &loader.Area{SQL: good}, 0); err != nil || len(ready.Polygons) != 1 {
		t.Errorf("simple protocol: %v, error %v", ready, err)
	}
}

// PostGIS may be in a schema that is not in the search_path.
func TestAreaWithPostGISElsewhere(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec("drop extension if exists postgis cascade")
	s.exec("create schema gis")
	s.exec("create extension postgis schema gis")
	a := readText(t, "SRID=4326;POLYGON((6 49,7 49,7 50,6 50,6 49))")
	a.MakeValid = true
	ready := s.resolve(a, 3035)
	query := s.resolve(&loader.Area{SQL: "select gis.st_makeenvelope(6, 49, 7, 50, 4326) union all select gis.st_makeenvelope(6.5, 49, 7, 50, 4326)"}, 3035)
	const area = "select gis.st_area(gis.st_geomfromewkb($1))"
	first, second := queryOne[float64](t, s.pool, area, ready.Marshal()), queryOne[float64](t, s.pool, area, query.Marshal())
	if math.Abs(first/8.1e9-1) > 0.02 || math.Abs(first/second-1) > 1e-9 {
		t.Errorf("a square degree has %g m2, by a query %g", first, second)
	}
}
