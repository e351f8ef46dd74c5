package integration

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// plan returns the arguments of a plan that appends to a table of the sandbox.
func (s sandbox) plan(table string, args ...string) []string {
	return append([]string{"plan", "--table", s.schema + "." + table, "--ledger-schema", s.schema, "--if-exists", "append"}, args...)
}

// state is everything that a plan might change: the relations of the schema with their files and sizes,
// and the runs in its ledger. It omits statistics, because autovacuum may run at any time.
func (s sandbox) state() string {
	s.t.Helper()
	return queryOne[string](s.t, s.pool, `
		select coalesce(string_agg(concat_ws(' ', oid, relname, relfilenode, pg_relation_size(oid)), E'\n' order by oid), '')
		from pg_class where relnamespace = $1::regnamespace`, s.schema) +
		queryOne[string](s.t, s.pool, "select coalesce(string_agg(concat_ws(' ', id, state, starts, rows), E'\n' order by id), '') from "+s.name("runs"))
}

// A table with several indexes: the plan names each one with its method, columns and cost, and writes
// nothing.
func TestPlanOfAnAppend(t *testing.T) {
	s := newDatabaseSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--cols", "200", "--rows", "200", "--index", "both", "--set", "year:integer=2026")...)
	s.exec("create index by_row on " + s.name("grid") + " (row, col)")
	s.exec(`create index "By Year" on ` + s.name("grid") + " using hash (year)")
	s.exec("create index centre on " + s.name("grid") + " using spgist (st_centroid(geom)) where row > 100")
	s.exec("analyze " + s.name("grid"))
	strip := []string{"--cell-size", "1", "--extent", "200,0,300,200", "--set", "year:integer=2027"}
	before := s.state()
	out := mustCLI(t, s.dsn, s.plan("grid", strip...)...)

	// An index that is maintained by inserts is larger and takes more time. It grows with its current
	// size.
	gistGrows, newTable := `\S+ kB`, `0\.3 s`
	if pgtest.VersionOf(t, s.pool).PostGIS < 303 {
		gistGrows, newTable = `1\.[01] MB`, `0\.4 s`
	}

	// From PostgreSQL 16 on, COPY may leave up to 64 empty pages at the end of a table.
	for _, line := range []string{
		`table +public\.grid`,
		`rows +20,000`,
		`appending to public\.grid, which has about 40,000 rows in 7\.[0-5] MB:`,
		`INDEX +METHOD +SIZE +ROWS +GROWS BY +WAL +TIME`,
		`grid_pkey +btree \(cell_id\) +\S+ kB +40,000 +\S+ kB +1\.4 MB +0\.\d s`,
		`grid_geom_idx +gist \(geom\) +\S+ MB +40,000 +` + gistGrows + ` +2\.6 MB +0\.1 s`,
		`grid_geom_brin_idx +brin \(geom\) +\S+ kB +[\d,]+ +4\.0 kB +10\.0 kB +0\.0 s`,
		`by_row +btree \("row", col\) +\S+ kB +40,000 +\S+ kB +1\.6 MB +0\.0 s`,
		`By Year +hash \(year\) +\S+ MB +40,000 +\S+ kB +2\.0 MB +0\.1 s`,
		`centre +spgist \(public\.st_centroid\(geom\)\) +\S+ MB +(19|20),\d+ +\S+ MB +3\.2 MB +0\.1 s`,
		`staging table +3\.4 MB +0\.0 s`, `rows +3\.5 MB +4\.0 MB +0\.0 s`, `total +18\.2 MB +0\.4 s`, `a new table +4\.0 MB +` + newTable,
	} {
		if !regexp.MustCompile("(?m)^" + line).MatchString(out) {
			t.Errorf("no line matches %s:\n%s", line, out)
		}
	}

	if after := s.state(); after != before {
		t.Errorf("the database was\n%s\nand is\n%s", before, after)
	}

	// The plan can be carried out.
	mustCLI(t, s.dsn, s.load("grid", append(strip, "--if-exists", "append")...)...)
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != 60_000 {
		t.Errorf("%d rows after the append", n)
	}
}

// The plan refuses what load would refuse, in the same words.
func TestPlanOfAnAppendRefusesAsLoadDoes(t *testing.T) {
	s := newDatabaseSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(10, 10)...)...)
	mustCLI(t, s.dsn, s.load("parts", append(boxes(10, 10), "--partitions", "2")...)...)
	s.exec("create table other (a integer)")
	s.exec("create view seen as select 1 as a")
	s.exec("create table foreign_grid (like grid)")
	s.exec("create role plan_reader login password '" + canary + "'; grant plan_reader to current_user") // so that the current user trusts the role with the ledger
	t.Cleanup(func() { s.exec("drop owned by plan_reader; drop role plan_reader") })
	s.exec("grant usage, create on schema public to plan_reader; grant select on runs, chunks to plan_reader")
	reader := changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword("plan_reader", canary) })

	strip := []string{"--cell-size", "1", "--extent", "10,0,20,10"}
	for name, tt := range map[string]struct {
		dsn, table string
		args       []string
		code       int
		words      []string
	}{
		"cells that are there":       {s.dsn, "grid", []string{"--cell-size", "1", "--extent", "5,0,20,10"}, 2, []string{"holds 50 of the 150 cells already"}},
		"another grid":               {s.dsn, "grid", []string{"--cell-size", "2", "--extent", "10,0,20,10"}, 2, []string{"holds another grid"}},
		"other columns":              {s.dsn, "other", strip, 2, []string{"other columns"}},
		"a view":                     {s.dsn, "seen", strip, 2, []string{"is not a table but a view"}},
		"a grid of unknown origin":   {s.dsn, "foreign_grid", strip, 2, []string{"the ledger does not know this table"}},
		"partitions to a plain one":  {s.dsn, "grid", append([]string{"--partitions", "2"}, strip...), 2, []string{"is a plain table"}},
		"partitions across others":   {s.dsn, "parts", append([]string{"--partitions", "2"}, "--cell-size", "1", "--extent", "10,0,11,3"), 2, []string{"would overlap"}},
		"no privilege":               {reader, "grid", strip, 1, []string{"SQLSTATE 42501", "grant select, insert"}},
		"no such schema":             {s.dsn, "nowhere.grid", strip, 2, []string{"schema nowhere does not exist"}},
		"a server that is read-only": {changeDSN(t, s.dsn, func(_ *url.URL, q url.Values) { q.Set("default_transaction_read_only", "on") }), "grid", strip, 1, []string{"read-only"}},
	} {
		t.Run(name, func(t *testing.T) {
			table := tt.table
			if !strings.Contains(table, ".") {
				table = "public." + table
			}

			args := append([]string{"--table", table, "--ledger-schema", "public", "--if-exists", "append"}, tt.args...)
			planned, loaded := cli(t, tt.dsn, append([]string{"plan"}, args...)...), cli(t, tt.dsn, append([]string{"load"}, args...)...)
			planned.expect(t, tt.code, tt.words...)
			if planned.stdout != "" || lastLine(planned.stderr) != lastLine(loaded.stderr) || planned.code != loaded.code {
				t.Errorf("plan: %d %s%s\nload: %d %s", planned.code, planned.stdout, planned.stderr, loaded.code, loaded.stderr)
			}
		})
	}

	// load makes a table that does not exist, so the plan is that of a new one.
	if out := mustCLI(t, s.dsn, s.plan("fresh", boxes(3, 3)...)...); !strings.Contains(out, "table public.fresh does not exist: load creates it as shown above") {
		t.Errorf("got\n%s", out)
	}
}

// Partitions: the sums over them, and the effect of new ones.
func TestPlanOfAnAppendToPartitions(t *testing.T) {
	s := newSandbox(t)
	grid := geomgen.Grid{DX: 1, DY: 1}
	job := loader.Job{Table: loader.Table{Schema: s.schema, Name: "grid"}, LedgerSchema: s.schema, Grid: grid,
		Extent: &geomgen.Box{XMin: 16, YMin: 16, XMax: 64, YMax: 64}, Partitions: 4}
	pool, err := loader.Open(t.Context(), s.dsn, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := loader.Run(t.Context(), pool, job, loader.Options{}); err != nil {
		t.Fatal(err)
	}

	s.exec("create index by_row on " + s.name("grid") + " (row)")
	s.exec("analyze " + s.name("grid"))
	before := s.state()
	for name, partitions := range map[string]int{"inserted": 0, "attached": 2} {
		t.Run(name, func(t *testing.T) {
			job := job
			job.IfExists, job.Partitions = loader.Append, partitions
			job.Extent = &geomgen.Box{XMin: 64, YMin: 64, XMax: 128, YMax: 128}
			plan, err := loader.NewPlan(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}

			a, err := loader.InspectAppend(t.Context(), pool, plan)
			if err != nil {
				t.Fatal(err)
			}

			if !a.Exists || !a.Partitioned || a.Attach != (partitions > 0) || a.Rows != 48*48 || len(a.Indexes) != 3 {
				t.Fatalf("%+v", a)
			}

			for k, want := range []struct{ name, method string }{{"grid_pkey", "btree"}, {"by_row", "btree"}, {"grid_geom_idx", "gist"}} {
				i := a.Indexes[k]
				size := queryOne[int64](t, s.pool, "select sum(pg_relation_size(inhrelid))::bigint from pg_inherits where inhparent = $1::regclass",
					pgx.Identifier{s.schema, want.name}.Sanitize())
				if i.Name != want.name || i.Method != want.method || i.Rows != 48*48 || i.Bytes != size {
					t.Errorf("got %+v, want %+v of %d bytes", i, want, size)
				}
				if built := partitions > 0 && k != 1; (i.Cost.Seconds == 0) != built {
					t.Errorf("index %s costs %+v", i.Name, i.Cost)
				}
			}
		})
	}

	// With this many rows, partitions would save minutes. They can be attached if no partition covers
	// their ids.
	for name, tt := range map[string]struct {
		extent geomgen.Box
		hint   bool
	}{
		"beyond": {geomgen.Box{XMin: 64, YMin: 64, XMax: 8000, YMax: 8000}, true},
		"across": {geomgen.Box{XMin: 0, YMin: 0, XMax: 16, YMax: 4_000_000}, false},
	} {
		job := job
		job.IfExists, job.Partitions, job.Extent = loader.Append, 0, &tt.extent
		plan, err := loader.NewPlan(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}

		a, err := loader.InspectAppend(t.Context(), pool, plan)
		if err != nil {
			t.Fatal(err)
		}

		if got := strings.Contains(strings.Join(a.Hints, "\n"), "the table has no partition for these ids"); got != tt.hint {
			t.Errorf("%s: hints %q", name, a.Hints)
		}
	}

	if after := s.state(); after != before {
		t.Errorf("the database was\n%s\nand is\n%s", before, after)
	}

	// InspectAppend accepts only an append.
	plan, err := loader.NewPlan(t.Context(), loader.Job{Table: job.Table, LedgerSchema: s.schema, Grid: grid, Cols: 1, Rows: 1})
	if err != nil {
		t.Fatal(err)
	}

	if _, err := loader.InspectAppend(t.Context(), pool, plan); err == nil || !strings.Contains(err.Error(), "if-exists") {
		t.Errorf("a plan that appends nothing gave %v", err)
	}
}
