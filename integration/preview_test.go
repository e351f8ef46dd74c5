package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Pictures of what a plan would load, and of what lies in a table.
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
	drawn("plan.svg", "EPSG:3035", "area of interest", "order of the load", "each cell is drawn", " km<")
	cli(t, s.dsn, append([]string{"plan", "--picture", "plan.pdf"}, grid...)...).expect(t, 2, "--picture plan.pdf", ".png or .svg")

	mustCLI(t, s.dsn, s.load("lux", append(grid, "--coverage", "--set", "people:integer=7")...)...)
	preview := func(table string, args ...string) result {
		return cli(t, s.dsn, append([]string{"preview", "--table", s.schema + "." + table}, args...)...)
	}
	n := one[int64](t, s.pool, "select count(*) from "+s.name("lux"))
	r := preview("lux", "--out", filepath.Join(folder, "lux.svg"))
	if r.code != 0 || !strings.HasPrefix(r.stdout, groupedCommas(n)+" of "+groupedCommas(n)+" rows") {
		t.Errorf("exit code %d, %s%s", r.code, r.stdout, r.stderr)
	}
	drawn("lux.svg", "EPSG:3035", ">coverage<", groupedCommas(n)+" rows")
	if r := preview("lux", "--column", "people", "--out", filepath.Join(folder, "people.png")); r.code != 0 {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	drawn("people.png", "PNG")
	preview("lux", "--column", "nobody").expect(t, 2, "--column nobody", "is no column")
	preview("lux", "--column", "geom").expect(t, 2, "--column geom", "not numeric")
	preview("nowhere").expect(t, 2, "--table", "is not there")
	preview("runs").expect(t, 2, "--table", "no column of type geometry")

	// Large, partitioned, of points: a sample, and its size is said.
	mustCLI(t, s.dsn, s.load("points", "--cell-size", "1", "--cols", "300", "--rows", "250", "--geometry", "point", "--partitions", "2")...)
	if r := preview("points", "--out", filepath.Join(folder, "points.svg")); r.code != 0 || !strings.Contains(r.stdout, "of 75,000 rows") {
		t.Errorf("exit code %d, %s%s", r.code, r.stdout, r.stderr)
	}
	drawn("points.svg", "a sample of", "no CRS")
}

// INSPIRE's codes are refused where the units are not metres: of most CRSs only
// the server knows them.
func TestCodesWantMetres(t *testing.T) {
	s := newSandbox(t)
	code := func(srid string) []string {
		return s.load("grid", "--cell-size", "1000", "--srid", srid, "--cols", "3", "--rows", "3", "--code", "inspire-short")
	}
	cli(t, s.dsn, code("4326")...).expect(t, 2, "--code", "EPSG:4326 are others")
	cli(t, s.dsn, code("2263")...).expect(t, 2, "--code", "EPSG:2263 are others") // New York, in feet
	mustCLI(t, s.dsn, code("25832")...)
}

// A table that was never analyzed, and a view: a sample of each.
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
			t.Errorf("%s: %d are drawn: %s", table, drawn, r.stdout)
		}
	}
}
