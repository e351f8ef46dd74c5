package integration

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Pictures of a planned load and of a table's contents.
func TestPictures(t *testing.T) {
	s := newSandbox(t)
	luxembourg := countryNamed(t, "Luxembourg")
	folder := t.TempDir()
	drawn := func(name string, texts ...string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}

		for _, text := range texts {
			if !strings.Contains(string(b), text) {
				t.Errorf("%s lacks %q", name, text)
			}
		}
	}

	grid := []string{"--cell-size", "2000", "--srid", "3035", "--aoi", luxembourg.file}
	mustCLI(t, s.dsn, append([]string{"plan", "--picture", filepath.Join(folder, "plan.svg")}, grid...)...)
	drawn("plan.svg", "EPSG:3035", "area of interest", "order of the load", "each is drawn", " km<")
	cli(t, s.dsn, append([]string{"plan", "--picture", "plan.pdf"}, grid...)...).expect(t, 2, "--picture plan.pdf", ".png or .svg")

	mustCLI(t, s.dsn, s.load("lux", append(grid, "--coverage", "--set", "people:integer=7")...)...)
	preview := func(table string, args ...string) result {
		return cli(t, s.dsn, append([]string{"preview", "--table", s.schema + "." + table}, args...)...)
	}
	n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("lux"))
	r := preview("lux", "--out", filepath.Join(folder, "lux.svg"))
	if r.code != 0 || !strings.HasPrefix(r.stdout, groupedCommas(n)+" of "+groupedCommas(n)+" rows") {
		t.Errorf("exit code %d, %s%s", r.code, r.stdout, r.stderr)
	}

	drawn("lux.svg", "EPSG:3035", ">coverage<", groupedCommas(n)+" rows")
	if r := preview("lux", "--column", "people", "--out", filepath.Join(folder, "people.png")); r.code != 0 {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}

	drawn("people.png", "PNG")
	preview("lux", "--column", "nobody").expect(t, 2, "--column nobody", "is not a column")
	preview("lux", "--column", "geom").expect(t, 2, "--column geom", "is not numeric, nor a text")
	preview("nowhere").expect(t, 2, "--table", "does not exist")
	preview("runs").expect(t, 2, "--table", "no column of type geometry")

	// For a large, partitioned table of points, preview draws a sample and reports its size.
	mustCLI(t, s.dsn, s.load("points", "--cell-size", "1", "--cols", "300", "--rows", "250", "--geometry", "point", "--partitions", "2")...)
	if r := preview("points", "--out", filepath.Join(folder, "points.svg")); r.code != 0 || !strings.Contains(r.stdout, "of 75,000 rows") {
		t.Errorf("exit code %d, %s%s", r.code, r.stdout, r.stderr)
	}

	drawn("points.svg", "a sample of", "no CRS")
}

// For tables from other sources and for large ones, preview counts the rows correctly, draws at most some
// 60,000, and gives no colour to values that are not numbers.
func TestPreviewOfAnyTable(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("big", "--cell-size", "1", "--extent", "-200,-200,200,200", "--set", "people:integer=7")...)
	for _, sql := range []string{
		"create view " + s.name("seen") + " as select * from " + s.name("big"),
		// Never analyzed, and without a key.
		"create table " + s.name("heap") + " with (autovacuum_enabled = off) as select geom, col::numeric as v, 1::money as price, 1::oid as o from " + s.name("big"),
		"create table " + s.name("few") + " as select geom, null::real as coverage from " + s.name("big") + " limit 3",
		"create table " + s.name("lone") + " as select 'SRID=3035;POINT(4000000 3000000)'::geometry as place",
		"create table " + s.name("none") + " as select * from " + s.name("big") + " limit 0",
	} {
		if _, err := s.pool.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}

	file := filepath.Join(t.TempDir(), "preview.svg")
	preview := func(table string, args ...string) result {
		return cli(t, s.dsn, append([]string{"preview", "--table", s.schema + "." + table, "--out", file}, args...)...)
	}

	for _, test := range []struct {
		table, column string
		drawn         [2]int   // at least and at most
		rows          [2]int   // at least and at most
		texts         []string // in the picture
	}{
		{"big", "people", [2]int{10_000, 60_000}, [2]int{160_000, 160_000}, []string{"a sample of", ">people<", ">7<"}},
		{"seen", "col", [2]int{30_000, 60_000}, [2]int{160_000, 160_000}, []string{"a sample of", ">-200<", ">199<"}},
		{"heap", "v", [2]int{30_000, 60_000}, [2]int{160_000, 160_000}, []string{"a sample of", ">-200<", ">199<"}},
		{"few", "", [2]int{3, 3}, [2]int{3, 3}, []string{"no value", "no CRS"}},
		{"lone", "", [2]int{1, 1}, [2]int{1, 1}, []string{": 1 row", "EPSG:3035"}},
	} {
		var args []string
		if test.column != "" {
			args = []string{"--column", test.column}
		}

		r := preview(test.table, args...)
		var drawn, rows int
		if _, err := fmt.Sscanf(strings.ReplaceAll(r.stdout, ",", ""), "%d of %d row", &drawn, &rows); r.code != 0 || err != nil {
			t.Errorf("%s: exit code %d, %s%s", test.table, r.code, r.stdout, r.stderr)
			continue
		}

		if drawn < test.drawn[0] || drawn > test.drawn[1] || rows < test.rows[0] || rows > test.rows[1] {
			t.Errorf("%s: %s", test.table, r.stdout)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}

		for _, text := range test.texts {
			if !strings.Contains(string(b), text) {
				t.Errorf("%s: the picture does not contain %q", test.table, text)
			}
		}
	}

	preview("heap", "--column", "price").expect(t, 2, "--column price", "is not numeric, nor a text")
	preview("heap", "--column", "o").expect(t, 2, "--column o", "is not numeric, nor a text")
	preview("none").expect(t, 1, "no cells to draw")
	cli(t, s.dsn, "preview", "--table", "nowhere_at_all").expect(t, 2, "--table nowhere_at_all", "search_path")
	cli(t, s.dsn, "preview", "--table", "grid", "--out", "grid.gif").expect(t, 2, "--out grid.gif", ".png or .svg")
}

// Preview leaves out rows without a geometry that can be drawn, and draws the others in their size, whatever the keys are.
func TestPreviewOfOddRows(t *testing.T) {
	s := newSandbox(t)
	const box = "st_makeenvelope(i % 300, i / 300, i % 300 + 1, i / 300 + 1)"
	for _, sql := range []string{
		"create table " + s.name("odd") + " as select g::geometry as geom, 'NaN'::float8 as v from (values (st_point(1, 2)), (st_point('NaN', 1)), (st_point('Infinity', 1)), ('POINT EMPTY'), ('GEOMETRYCOLLECTION(POINT(1 2))'), (null)) o (g)",
		"create table " + s.name("infinite") + " as select st_point('Infinity', '-Infinity') as geom",
		"create table " + s.name("far") + " as select st_point(1e17, i) as geom from generate_series(1, 5) i",
		"create table " + s.name("keys") + " as select 9223372036854775807 - i as id, " + box + " as geom from generate_series(0::bigint, 89999) i",
		"create table " + s.name("sparse") + " as select i as id, case when i % 500 = 2 then " + box + " end as geom from generate_series(0, 89999) i",
		"alter table " + s.name("keys") + " add primary key (id)", "alter table " + s.name("sparse") + " add primary key (id)", "analyze " + s.name("keys"), "analyze " + s.name("sparse"),
	} {
		s.exec(sql)
	}

	file := filepath.Join(t.TempDir(), "preview.svg")
	preview := func(table string) result {
		return cli(t, s.dsn, "preview", "--table", s.schema+"."+table, "--out", file)
	}
	for table, want := range map[string]string{
		"odd": "1 of 6 rows", "far": "5 of 5 rows", "keys": "22,500 of 90,000 rows", "sparse": "180 of 90,000 rows",
	} {
		if r := preview(table); r.code != 0 || !strings.HasPrefix(r.stdout, want) {
			t.Errorf("%s: exit code %d, %s%s, want %s", table, r.code, r.stdout, r.stderr, want)
		}
	}
	preview("infinite").expect(t, 1, "no cells to draw")

	// A cell is 1.6 points wide. It grows as one of four rows, and to fill gaps, but not as one of 500 rows.
	if r := preview("sparse"); r.code != 0 {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	if widest := widestTile(t, file); widest < 3 || widest > 10 {
		t.Errorf("a cell of the sample is %v points wide", widest)
	}
}

// widestTile returns the width of the widest cell in an SVG of few cells, in points.
func widestTile(t *testing.T, file string) (widest float64) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	for _, tile := range regexp.MustCompile(`<path d="([^"]*)Z" [^>]*stroke-width="0.3"`).FindAllStringSubmatch(string(b), -1) {
		least, most := math.Inf(1), math.Inf(-1)
		for _, corner := range strings.FieldsFunc(tile[1], func(r rune) bool { return r == 'M' || r == 'L' }) {
			var x, y float64
			if _, err := fmt.Sscan(corner, &x, &y); err != nil {
				t.Fatalf("%q: %v", corner, err)
			}
			least, most = min(least, x), max(most, x)
		}
		widest = max(widest, most-least)
	}

	return widest
}

// INSPIRE's codes are refused if the units are not metres. For most CRSs, only the server knows the
// units.
func TestCodesWantMetres(t *testing.T) {
	s := newSandbox(t)
	code := func(srid string) []string {
		return s.load("grid", "--cell-size", "1000", "--srid", srid, "--cols", "3", "--rows", "3", "--code", "inspire-short")
	}
	cli(t, s.dsn, code("4326")...).expect(t, 2, "--code", "EPSG:4326 are others")
	cli(t, s.dsn, code("2263")...).expect(t, 2, "--code", "EPSG:2263 are others") // New York, in feet
	mustCLI(t, s.dsn, code("25832")...)
}

// A sample of a table that was never analyzed, and of a view.
func TestPreviewWithoutStatistics(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("raw") + " with (autovacuum_enabled = false) as select st_point(x, y) as geom, x as value from generate_series(1, 400) x, generate_series(1, 400) y")
	s.exec("create view " + s.name("seen") + " as select * from " + s.name("raw"))
	for _, table := range []string{"raw", "seen"} {
		r := cli(t, s.dsn, "preview", "--table", s.schema+"."+table, "--column", "value", "--out", filepath.Join(t.TempDir(), "p.png"))
		if r.code != 0 || !strings.Contains(r.stdout, "of 160,000 rows") {
			t.Errorf("%s: exit code %d, %s%s", table, r.code, r.stdout, r.stderr)
		}
		var drawn int
		if _, err := fmt.Sscanf(strings.ReplaceAll(r.stdout, ",", ""), "%d", &drawn); err != nil || drawn < 40_000 || drawn > 60_000 {
			t.Errorf("%s: %d rows are drawn: %s", table, drawn, r.stdout)
		}
	}
}
