package integration

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/loader"
)

// A file, a query and PostGIS select the same cells.
func TestLoadWithAreaOfAQuery(t *testing.T) {
	s := newSandbox(t)
	sweden := countryNamed(t, "Sweden")
	s.exec("create table "+s.name("land")+" as select st_setsrid(st_geomfromgeojson($1), 4326) geom", sweden.geometry)
	load := func(table string, area ...string) []string {
		return s.load(table, append([]string{"--cell-size", "10000", "--srid", "3035"}, area...)...)
	}
	query := "select geom from " + s.name("land")
	mustCLI(t, s.dsn, load("by_file", "--aoi", sweden.file)...)
	mustCLI(t, s.dsn, load("by_query", "--aoi-sql", query+"; -- all of it")...)
	want := queryOne[int64](t, s.pool, `select count(*) from (select st_transform(st_segmentize(geom, 0.01), 3035) a from `+s.name("land")+`) l,
		st_squaregrid(10000, a) g where st_intersects(a, g.geom)`)
	if want < 4000 || want > 6000 { // 450,000 km2 are 4,500 cells, plus those along the coast
		t.Fatalf("PostGIS has %d cells", want)
	}

	s.checkCells("by_file", want)
	s.checkCells("by_query", want)
	if same := queryOne[int64](t, s.pool, "select count(*) from "+s.name("by_file")+" join "+s.name("by_query")+" using (cell_id, col, row)"); same != want {
		t.Errorf("%d of %d cells are in both", same, want)
	}

	cli(t, s.dsn, load("none", "--aoi-sql", "select 1 as n")...).expect(t, 2, "aoi-sql", "one column of type geometry", "n integer")
	cli(t, s.dsn, load("none", "--aoi-sql", query+"; drop table "+s.name("land"))...).expect(t, 2, "aoi-sql", "42601")
	if !queryOne[bool](t, s.pool, "select to_regclass($1) is not null and to_regclass($2) is null", s.name("land"), s.name("none")) {
		t.Error("a refused load dropped the land or made a table")
	}
}

// An error in a query's rows or columns names the query.
func TestQueriesAreToldWhereTheyAreWrong(t *testing.T) {
	s := newSandbox(t)
	const polygon = "st_makeenvelope(0, 0, 4, 4)"
	for name, test := range map[string]struct {
		sql   string
		words []string
	}{
		"a line":         {"values (" + polygon + "), (null), ('LINESTRING(0 0,1 1)')", []string{"holds a LineString, in row 3"}},
		"a curve":        {"values (" + polygon + "), ('CURVEPOLYGON(CIRCULARSTRING(0 0,4 0,4 4,0 4,0 0))')", []string{"cannot be read, in row 2"}},
		"SRIDs":          {"values (" + polygon + "), (null), (st_setsrid(" + polygon + ", 3035))", []string{"of SRID 0 and, in row 3, of SRID 3035"}},
		"not finite":     {"values (" + polygon + "), (st_makepolygon(st_makeline(array[st_makepoint(0, 0), st_makepoint(1, 0), st_makepoint(1, 'NaN'), st_makepoint(0, 0)])))", []string{"not finite", "in row 2", "polygon 2"}},
		"columns":        {"select 1 n, " + polygon + " g, '{a}'::text[] t", []string{"returns: n integer, g public.geometry, t text[]"}},
		"an explanation": {"explain select " + polygon, []string{`returns: QUERY PLAN text`}},
		"a setting":      {"set transaction read write", []string{"returns no columns"}},
		"a blank":        {" ", []string{"returns no columns"}},
	} {
		_, err := loader.ResolveArea(context.Background(), s.pool, &loader.Area{SQL: test.sql}, 0)
		s.checkParamError(name, err, "aoi-sql", test.words...)
	}
}

// Explain analyze usually executes its statement; here it must not.
func TestExplainedQueryWritesNothing(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("kept") + " as select st_makeenvelope(0, 0, 1, 1) geom")
	_, err := loader.ResolveArea(context.Background(), s.pool, &loader.Area{SQL: "explain analyze delete from " + s.name("kept")}, 0)
	s.checkParamError("explain analyze", err, "aoi-sql", "one column of type geometry")
	if n := queryOne[int](t, s.pool, "select count(*) from "+s.name("kept")); n != 1 {
		t.Errorf("%d rows are left", n)
	}
}

// A database without PostGIS is an error of the server, not of the job.
func TestAreaWithoutPostGIS(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec("drop extension if exists postgis cascade")
	_, err := loader.ResolveArea(context.Background(), s.pool, readText(t, "SRID=4326;POLYGON((6 49,7 49,7 50,6 50,6 49))"), 3035)
	var trouble *loader.ServerError
	if !errors.As(err, &trouble) || !strings.Contains(trouble.Advice, "create extension postgis") {
		t.Errorf("got %v", err)
	}
}
