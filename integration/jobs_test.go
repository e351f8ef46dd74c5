package integration

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// inSchema returns the sandbox's DSN with the sandbox's schema first in the search_path, so that job
// files can name tables without a schema.
func (s sandbox) inSchema() string {
	s.t.Helper()
	return changeDSN(s.t, s.dsn, func(_ *url.URL, q url.Values) { q.Set("search_path", s.schema+",public") })
}

// jobs returns the arguments that load a job file.
func (s sandbox) jobs(file string, args ...string) []string {
	return append([]string{"load", "--job", file, "--ledger-schema", s.schema}, args...)
}

// write writes a job file and returns its name.
func (s sandbox) write(text string) string {
	s.t.Helper()
	name := filepath.Join(s.t.TempDir(), "jobs.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return name
}

func example(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs("../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The statistical grid, in cells of 20 km to be fast: flags override the file. The second night keeps the
// table of the first.
func TestExampleOfTheEuropeanGrid(t *testing.T) {
	s := newSandbox(t)
	file := example(t, "eu_1km.yaml")
	if plan := mustCLI(t, s.inSchema(), "plan", "--job", file); !strings.HasPrefix(plan, "job eu_1km\n") || !strings.Contains(plan, "29,900,000") || !strings.Contains(plan, "16 of up to") {
		t.Errorf("the plan is\n%s", plan)
	}
	for range 2 {
		mustCLI(t, s.inSchema(), s.jobs(file, "--cell-size", "20000")...)
	}

	table := s.name("eu_1km")
	if n := queryOne[int64](t, s.pool, `select count(*) from `+table+` g join public.st_squaregrid(20000, st_makeenvelope(900001, 900001, 7399999, 5499999, 3035)) p
		on p.i = g.col and p.j = g.row and box2d(p.geom)::text = box2d(g.geom)::text`); n != 325*230 {
		t.Errorf("%d cells match ST_SquareGrid, want %d", n, 325*230)
	}

	for sql, want := range map[string]int64{
		"select count(*) from " + table: 325 * 230,
		"select count(*) from pg_inherits where inhparent = '" + table + "'::regclass":                                               16,
		"select count(*) from " + table + " where code = format('CRS3035RES20000mN%sE%s', row * 20000, col * 20000)":                 325 * 230,
		"select count(*) from pg_tables where schemaname = '" + s.schema + "' and tablename ~ '^eu_1km_run[0-9]+$'":                  1,
		"select count(distinct id) from " + s.name("runs") + " where state = 'published' or state = 'replaced'":                      2,
		"select count(*) from pg_indexes where schemaname = '" + s.schema + "' and indexdef ~ 'USING brin' and tablename = 'eu_1km'": 1,
	} {
		if n := queryOne[int64](t, s.pool, sql); n != want {
			t.Errorf("%d, want %d: %s", n, want, sql)
		}
	}
}

// A country in hexagons, compared with PostGIS.
func TestExampleOfACountryInHexagons(t *testing.T) {
	s := newSandbox(t)
	file := example(t, "country_hexagons.yaml")
	const job = "job luxembourg hexagons\n"
	if plan := mustCLI(t, s.inSchema(), "plan", "--job", file); !strings.HasPrefix(plan, job) || !strings.Contains(plan, "hexagon") {
		t.Errorf("the plan is\n%s", plan)
	}

	mustCLI(t, s.inSchema(), s.jobs(file)...)
	area, err := os.ReadFile(example(t, "luxembourg.wkt"))
	if err != nil {
		t.Fatal(err)
	}

	// The area is segmentized as the loader does it, so that its edges are the same lines.
	s.exec("create table " + s.name("country") + " as select st_transform(st_segmentize(st_geomfromewkt('" + strings.TrimSpace(string(area)) + "'), 0.01), 3035) as geom")
	table, country := s.name("luxembourg_hexagons"), s.name("country")
	rows := queryOne[int64](t, s.pool, "select count(*) from "+table)
	hexagons := queryOne[int64](t, s.pool, `select count(*) from `+country+` c, st_hexagongrid(1000, c.geom) h where st_intersects(h.geom, c.geom)`)
	if rows != hexagons || rows < 900 {
		t.Errorf("%d rows, but PostGIS finds %d hexagons", rows, hexagons)
	}
	if n := queryOne[int64](t, s.pool, `select count(*) from `+table+` t, `+country+` c
		where abs(t.coverage - st_area(st_intersection(t.geom, c.geom)) / st_area(t.geom)) > 1e-5 or t.country <> 'LU' or t.source <> 'Natural Earth 1:110m'`); n != 0 {
		t.Errorf("%d rows have a coverage that differs from PostGIS", n)
	}
}

// Three zoom levels; at first only one of them.
func TestExampleOfMapTiles(t *testing.T) {
	s := newSandbox(t)
	file := example(t, "map_tiles.yaml")
	if plan := mustCLI(t, s.inSchema(), "plan", "--job", file); strings.Count(plan, "\njob zoom ") != 2 || !strings.HasPrefix(plan, "job zoom 10\n") {
		t.Errorf("the plan is\n%s", plan)
	}

	mustCLI(t, s.inSchema(), s.jobs(file, "--only", "zoom 12")...)
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_tables where schemaname = $1 and tablename like 'tiles%'", s.schema); n != 1 {
		t.Errorf("%d tables after one of the jobs", n)
	}

	r := cli(t, s.inSchema(), s.jobs(file)...)
	if r.code != 0 || !strings.Contains(r.stderr, "job zoom 16 starts (3 of 3)") {
		t.Errorf("exit code %d\n%s", r.code, r.stderr)
	}

	for zoom, geom := range map[int]string{10: "ST_Polygon", 12: "ST_Polygon", 16: "ST_Point"} {
		table := s.name(fmt.Sprint("tiles_", zoom))
		// All tiles of the zoom level that meet the extent.
		want := queryOne[int64](t, s.pool, `
			select count(*) from generate_series(0, (1 << $1::int) - 1) x, generate_series(0, (1 << $1::int) - 1) y
			where x between (635000 + 20037508.342789244) / (40075016.685578488 / (1 << $1::int)) - 2 and (728000 + 20037508.342789244) / (40075016.685578488 / (1 << $1::int)) + 2
			  and y between (20037508.342789244 - 6467000) / (40075016.685578488 / (1 << $1::int)) - 2 and (20037508.342789244 - 6355000) / (40075016.685578488 / (1 << $1::int)) + 2
			  and st_area(st_intersection(st_tileenvelope($1::int, x, y), st_makeenvelope(635000, 6355000, 728000, 6467000, 3857))) > 0`, zoom)
		if n := queryOne[int64](t, s.pool, "select count(*) from "+table+" where st_geometrytype(geom) = $1 and length(code) = $2", geom, zoom); n != want || n == 0 {
			t.Errorf("%s has %d right rows, want %d", table, n, want)
		}
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from pg_tables where schemaname = $1 and tablename ~ '^tiles_12_run'", s.schema); n != 1 {
		t.Errorf("%d versions of the replaced table are kept, want 1", n)
	}
}

// If a job in the middle fails, the following jobs do not run, unless --keep-going is given.
func TestJobsAfterOneThatFails(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("b") + " (x int)")
	file := s.write(`
defaults: {cell-size: 1, cols: 20, rows: 10, progress: none}
jobs:
  - {name: first, table: a}
  - {name: second, table: b} # it is there
  - {name: third, table: c}
`)

	r := cli(t, s.inSchema(), s.jobs(file)...)
	r.expect(t, 2, file+":5:27: job second: ", "b")
	if !strings.Contains(r.stderr, "\nnot done: third\n") || !strings.Contains(r.stdout, ".a has 200 rows") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}

	s.checkBoxes("a", 20, 10)
	s.exec("drop table " + s.name("a"))
	r = cli(t, s.inSchema(), s.jobs(file, "--keep-going")...)
	r.expect(t, 2, "1 of 3 jobs failed: second")
	s.checkBoxes("a", 20, 10)
	s.checkBoxes("c", 20, 10)
	if name := queryOne[string](t, s.pool, "select job_name from "+s.name("runs")+" where table_name = 'c'"); name != "third" {
		t.Errorf("the ledger calls the job %s", name)
	}
}

// A signal ends the whole job file, with or without --keep-going.
func TestASignalEndsTheJobs(t *testing.T) {
	s := newSandbox(t)
	file := s.write(`
jobs:
  - {name: first, table: a, cell-size: 1, aoi-sql: "select st_makeenvelope(0, 0, 1, 1) from pg_sleep(3600)"}
  - {name: second, table: b, cell-size: 1, cols: 1, rows: 1}
`)

	p := start(t, s.inSchema(), s.jobs(file, "--keep-going")...)
	s.waitFor("the query to run", "select exists (select from pg_stat_activity where application_name = $1 and query like '%pg_sleep%' and state = 'active')", s.application())
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}

	r := p.wait()
	r.expect(t, 130, "job first: stopped by SIGINT")
	if !strings.Contains(r.stderr, "not done: second\n") {
		t.Error(r.stderr)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_tables where schemaname = $1 and tablename in ('a', 'b')", s.schema); n != 0 {
		t.Errorf("%d tables exist", n)
	}
}

// Passwords that would break a connection string, from a variable and from a file.
func TestAJobsPassword(t *testing.T) {
	s := newSandbox(t)
	for i, odd := range []string{`@:/?#&=%20+`, `it's a \ "word"`, ` host=nowhere `} {
		password := newPassword() + odd
		role := s.newRole(strings.ReplaceAll(password, "'", "''"))
		s.exec("grant usage, create on schema " + s.schema + " to " + pgx.Identifier{role}.Sanitize())
		c := s.pool.Config().ConnConfig
		job := fmt.Sprintf("table: %s.t%d\ncell-size: 1\ncols: 2\nrows: 3\nledger-schema: %s_%d\n", s.schema, i, s.schema, i)
		s.exec(fmt.Sprintf("create schema %s_%d authorization %s", s.schema, i, pgx.Identifier{role}.Sanitize()))

		for name, connection := range map[string]string{
			"URL":      fmt.Sprintf("dsn: postgresql://%s:${TEST_PASSWORD}@%s:%d/%s?sslmode=disable\nif-exists: replace\n", role, c.Host, c.Port, c.Database),
			"keywords": fmt.Sprintf("dsn: host=%s port=%d user=%s password=${TEST_PASSWORD} dbname=%s sslmode=disable\nif-exists: replace\n", c.Host, c.Port, role, c.Database),
			"file":     fmt.Sprintf("dsn: host=%s port=%d user=%s dbname=%s sslmode=disable\npassword: file:secret\nif-exists: replace\n", c.Host, c.Port, role, c.Database),
		} {
			file := s.write(job + connection)
			if err := os.WriteFile(filepath.Join(filepath.Dir(file), "secret"), []byte(password+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			p := startWith(t, []string{"TEST_PASSWORD=" + password}, "", "load", "--job", file)
			if r := p.wait(); r.code != 0 {
				t.Errorf("%s: exit code %d, %s", name, r.code, r.stderr)
			}
		}

		s.exec(fmt.Sprintf("drop schema %s_%d cascade", s.schema, i))
	}
}
