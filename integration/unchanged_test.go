package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// unchanged reports whether a load with --skip-unchanged skipped the table, with its reason.
func (s sandbox) unchanged(args []string) (skipped bool, why string) {
	s.t.Helper()
	r := cli(s.t, s.dsn, appendArgs(args, "--skip-unchanged", "--log-format", "json")...)
	if r.code != 0 {
		s.t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}

	sum := r.summary(s.t)

	for line := range strings.Lines(r.stderr) {
		for _, key := range []string{`"why":"`, `"known":"`} {
			if _, after, ok := strings.Cut(line, key); ok {
				why, _, _ = strings.Cut(after, `"`)
			}
		}
	}

	return sum.Unchanged, why
}

// tableChanges are changes after which a table no longer matches its job, with the words that loadgrid
// then reports.
func tableChanges() map[string]string {
	return map[string]string{
		"update {{table}} set col = col where cell_id = 5":                                                          "1 of its rows were written by others",
		"update {{table}} set geom = st_translate(geom, 1, 0); vacuum {{table}}":                                    "of its rows were written by others",
		"delete from {{table}} where cell_id = 5":                                                                   "rows, but the run wrote",
		"delete from {{table}} where cell_id = 5; vacuum {{table}}":                                                 "rows, but the run wrote",
		"insert into {{table}} (cell_id) values ({{free}})":                                                         "1 of its rows were written by others",
		"insert into {{table}} (cell_id) values ({{free}}); delete from {{table}} where cell_id = 5":                "1 of its rows were written by others",
		"create temp table x as select * from {{table}}; truncate {{table}}; insert into {{table}} select * from x": "rewritten",
		"vacuum full {{table}}":                  "rewritten",
		"cluster {{table}} using {{key}}":        "rewritten",
		"alter table {{table}} add n int":        "altered the columns",
		"alter table {{table}} drop row cascade": "altered the columns",
		"drop index {{schema}}.grid_geom_idx":    "dropped an index",
		"alter table {{table}} rename to other; create table {{table}} (like other including all)": "has no record of the table",
	}
}

// harmless is a change that leaves the cells as they are.
const harmless = `create index on {{table}} (col); grant select on {{table}} to public; comment on table {{table}} is 'mine';
	vacuum freeze {{table}}; analyze {{table}}; create view {{schema}}.v as select * from {{table}}; select * from {{table}} for update;
	begin; delete from {{table}}; rollback; reindex table {{table}}`

// A load with --skip-unchanged detects each kind of change to a table at once, whether the table is plain
// or partitioned. Without a change, it does nothing.
func TestSkipUnchanged(t *testing.T) {
	for name, extra := range map[string][]string{"plain": nil, "chunks": {"--chunk-rows", "1000"}, "partitions": {"--partitions", "3"}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			args := s.load("grid", appendArgs(appendArgs(boxes(60, 50), extra...), "--if-exists", "replace")...)
			mustCLI(t, s.dsn, args...)
			oid := func() uint32 { return queryOne[uint32](t, s.pool, "select $1::regclass::oid", s.name("grid")) }
			conn := s.connect()
			do := func(sql string) {
				t.Helper()
				sql = strings.NewReplacer("{{table}}", s.name("grid"), "{{schema}}", s.schema, "{{key}}", "grid_pkey",
					"{{free}}", fmt.Sprint(geomgen.CellID(geomgen.Cell{Col: 62, Row: 20}))).Replace(sql)
				for _, statement := range strings.Split(sql, ";") {
					if _, err := conn.Exec(context.Background(), statement); err != nil {
						t.Fatalf("%s: %v", statement, err)
					}
				}
			}

			same := func(after string) {
				t.Helper()
				before := oid()
				if skipped, why := s.unchanged(args); !skipped || oid() != before {
					t.Errorf("after %s: loaded again: %s", after, why)
				}
			}

			same("the load")
			do("set search_path to " + s.schema + ", public")
			do(harmless)
			same(harmless)
			do("drop view {{schema}}.v")

			for touch, words := range tableChanges() {
				if name == "partitions" && (strings.HasPrefix(touch, "cluster") || strings.Contains(touch, "drop row") ||
					strings.HasPrefix(touch, "alter table {{table}} add") || strings.Contains(touch, "including all")) {
					continue // not for partitioned tables, or refused by the following replace
				}

				do(touch)
				if skipped, why := s.unchanged(args); skipped || !strings.Contains(why, words) {
					t.Errorf("after %q: skipped %v, because %q, want %q", touch, skipped, why, words)
				}

				do("drop table if exists {{schema}}.other; drop table if exists pg_temp.x")
				s.checkBoxes("grid", 60, 50)
				same("the load after " + touch)
			}

			// Another job, then the first one again.
			for range 2 {
				wider := slices.Clone(args)
				wider[slices.Index(wider, "--cols")+1] = "61"
				changes := [][]string{appendArgs(args, "--index", "brin"), wider, appendArgs(args, "--after", "select 1"), appendArgs(args, "--set", "n:int=1"), args}
				if name == "partitions" { // partitions keep their columns
					changes = slices.Delete(changes, 3, 4)
				}

				for _, change := range changes {
					if skipped, why := s.unchanged(change); skipped {
						t.Errorf("%v skipped: %s", change, why)
					}
				}
			}
		})
	}
}

// A column that was dropped and added again under its name has no values, although no row was written and
// no file differs.
func TestColumnMadeAnewIsSeen(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", appendArgs(boxes(20, 10), "--set", "n:int=7", "--if-exists", "replace")...)
	mustCLI(t, s.dsn, args...)
	s.exec("alter table " + s.name("grid") + " drop column n; alter table " + s.name("grid") + " add column n integer")
	if skipped, why := s.unchanged(args); skipped || !strings.Contains(why, "altered the columns") {
		t.Errorf("skipped %v, because %q", skipped, why)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")+" where n = 7"); n != 200 {
		t.Errorf("%d rows have the constant", n)
	}
}

// waitForSessions waits until all other sessions of the database have ended, so that their statistics are
// known.
func (s sandbox) waitForSessions() {
	s.t.Helper()
	s.pool.Reset()
	s.waitFor("sessions to end", "select count(*) = 1 from pg_stat_activity where datname = current_database() and backend_type = 'client backend'")
}

// If the server's counters prove that nobody wrote to the table, loadgrid does not read it. If a role may
// not see the activity of other sessions, there is no proof.
func TestUnchangedByCounters(t *testing.T) {
	for _, role := range []string{"superuser", "role without pg_read_all_stats"} {
		t.Run(role, func(t *testing.T) {
			s := newDatabaseSandbox(t)
			if role != "superuser" {
				name := s.newRole("counting")
				s.exec("grant usage, create on schema " + s.schema + " to " + name)
				s.dsn = s.dsnOf(name, "counting")
			}

			args := s.load("grid", appendArgs(boxes(60, 50), "--partitions", "2", "--if-exists", "replace")...)
			mustCLI(t, s.dsn, args...)
			expect := func(want string) {
				t.Helper()
				s.pool.Reset() // closed sessions have written nothing
				var skipped bool
				var how string

				// Sessions need time to end, and to be idle for a second.
				for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
					if skipped, how = s.unchanged(args); !skipped || how == want {
						break
					}
				}

				if !skipped || how != want {
					t.Errorf("skipped %v, %s, want %s", skipped, how, want)
				}
			}

			byCounters := "by the server's counters"
			if pgtest.VersionOf(t, s.pool).Postgres < 15 { // counters that arrive late prove nothing
				byCounters = "by reading it"
			}

			expect(byCounters)
			// A session that was busy a moment ago may have written something that is not counted yet.
			conn := s.connect()
			if _, err := conn.Exec(context.Background(), "select 1"); err != nil {
				t.Fatal(err)
			}

			expect("by reading it")
			if _, err := conn.Exec(context.Background(), "update "+s.name("grid")+" set col = col where cell_id = 7"); err != nil {
				t.Fatal(err)
			}

			if skipped, why := s.unchanged(args); skipped || !strings.Contains(why, "1 of its rows") {
				t.Errorf("skipped %v, %s", skipped, why)
			}
			_ = conn.Close(context.Background())
			expect(byCounters) // of the reloaded table
			s.exec("select pg_stat_reset()")
			expect("by reading it")

			// As many rows as the run has written, after the counters were reset.
			s.exec("create table " + s.name("copy") + " as table " + s.name("grid"))
			s.exec("delete from " + s.name("grid"))
			s.waitForSessions()
			s.exec("select pg_stat_reset()")
			s.exec("insert into " + s.name("grid") + " select * from " + s.name("copy"))
			s.exec("analyze " + s.name("grid"))
			s.waitForSessions()
			if skipped, why := s.unchanged(args); skipped || !strings.Contains(why, "3000 of its rows") {
				t.Errorf("skipped %v, %s", skipped, why)
			}
		})
	}
}

// A caller's own pool may have written to the table a moment ago, before the server counted it.
func TestUnchangedByCountersOfThisEnd(t *testing.T) {
	s := newDatabaseSandbox(t)
	ctx, job := context.Background(), s.smallJob(0)
	if _, err := loader.Run(ctx, s.pool, job, loader.Options{}); err != nil {
		t.Fatal(err)
	}

	job.IfExists = loader.Replace
	for _, want := range []bool{false, true} {
		if !want {
			if pgtest.VersionOf(t, s.pool).Postgres >= 15 { // counters of older servers are not used
				s.exec("select count(*), pg_stat_force_next_flush() from " + s.name("grid")) // the next access is not counted within a second
			}
			s.exec("update " + s.name("grid") + " set col = col where cell_id = 7")
		}

		sum, err := loader.Run(ctx, s.pool, job, loader.Options{SkipUnchanged: true})
		if err != nil || sum.Unchanged != want {
			t.Errorf("unchanged %v, want %v: %v", sum.Unchanged, want, err)
		}
	}
}

// An append job is done if its rows were the last ones added. The job that loads the whole table is then
// not done.
func TestSkipUnchangedAppend(t *testing.T) {
	s := newSandbox(t)
	first := s.load("grid", appendArgs(boxes(10, 10), "--if-exists", "replace")...)
	second := s.load("grid", "--cell-size", "1", "--extent", "5,0,20,10", "--if-exists", "append", "--on-conflict", "skip")
	mustCLI(t, s.dsn, first...)
	mustCLI(t, s.dsn, second...)
	if skipped, why := s.unchanged(second); !skipped {
		t.Errorf("the append ran again: %s", why)
	}

	s.checkCells("grid", 200)
	s.exec("delete from " + s.name("grid") + " where col = 19 and row = 3")
	if skipped, why := s.unchanged(second); skipped || !strings.Contains(why, "199 rows") {
		t.Errorf("skipped %v, %s", skipped, why)
	}

	s.checkCells("grid", 200)
	if skipped, why := s.unchanged(second); !skipped { // although the runs have written 201
		t.Errorf("the append ran again: %s", why)
	}

	s.exec("update " + s.name("grid") + " set col = col where col = 19 and row = 3")
	if skipped, why := s.unchanged(second); skipped || !strings.Contains(why, "1 of its rows") {
		t.Errorf("skipped %v, %s", skipped, why)
	}
	if skipped, why := s.unchanged(second); !skipped {
		t.Errorf("the append ran again: %s", why)
	}

	s.exec("delete from " + s.name("grid") + " where col = 2 and row = 3") // the job does not restore it
	for _, want := range []bool{false, true} {
		if skipped, why := s.unchanged(second); skipped != want {
			t.Errorf("skipped %v, %s", skipped, why)
		}
	}

	s.exec("insert into " + s.name("grid") + " (cell_id, col, row, geom) select -7, 2, 3, st_translate(geom, 1, 0) from " + s.name("grid") + " where col = 1 and row = 3")
	for _, want := range []bool{false, true} {
		if skipped, why := s.unchanged(second); skipped != want {
			t.Errorf("skipped %v, %s", skipped, why)
		}
	}

	if skipped, why := s.unchanged(first); skipped || !strings.Contains(why, "differs from the job of run 6") {
		t.Errorf("skipped %v, %s", skipped, why)
	}
	s.checkCells("grid", 100)
}

// If two jobs append to one table, both have nothing to do the next night, whichever ran last.
func TestSkipUnchangedTwoAppend(t *testing.T) {
	s := newSandbox(t)
	jobs := [][]string{nil, nil}
	for i, extent := range []string{"0,0,10,10", "9,0,20,10"} {
		jobs[i] = s.load("grid", "--cell-size", "1", "--extent", extent, "--if-exists", "append", "--on-conflict", "skip")
		mustCLI(t, s.dsn, jobs[i]...)
	}

	for i, job := range jobs {
		if skipped, why := s.unchanged(job); !skipped {
			t.Errorf("job %d: the append ran again: %s", i+1, why)
		}
	}

	s.exec("update " + s.name("grid") + " set col = col where col = 15")
	if skipped, why := s.unchanged(jobs[0]); skipped || !strings.Contains(why, "10 of its rows") {
		t.Errorf("skipped %v, %s", skipped, why)
	}
}

// For a table that an older loadgrid published, the transaction that wrote it is not known.
func TestSkipUnchangedAfterAnUpgrade(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(10, 10)...)...)
	s.exec("update " + s.name("runs") + " set published_xid = null, imprint = null, rows_added = null")
	second := s.load("grid", "--cell-size", "1", "--extent", "5,0,20,10", "--if-exists", "append", "--on-conflict", "skip")
	mustCLI(t, s.dsn, second...)
	s.exec("update " + s.name("grid") + " set row = row + 1 where col = 3")
	if skipped, why := s.unchanged(second); skipped || !strings.Contains(why, "run 1 is from an older loadgrid") {
		t.Errorf("skipped %v, %s", skipped, why)
	}
}

// If the owner may not read the table, it is loaded again.
func TestSkipUnchangedUnreadable(t *testing.T) {
	s := newSandbox(t)
	role := s.newRole("unreadable")
	s.exec("grant usage, create on schema " + s.schema + " to " + role)
	s.dsn = s.dsnOf(role, "unreadable")
	args := s.load("grid", appendArgs(boxes(20, 10), "--chunk-rows", "50", "--if-exists", "replace", "--after", "select 1")...)
	mustCLI(t, s.dsn, args...)
	if skipped, why := s.unchanged(args); !skipped {
		t.Errorf("loaded again: %s", why)
	}

	s.exec("revoke all on " + s.name("grid") + " from " + role)
	if skipped, why := s.unchanged(args); skipped || why != "the role may not read it" {
		t.Errorf("skipped %v, %s", skipped, why)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")); n != 2 {
		t.Errorf("%d runs", n)
	}
}

// What the step after the load makes of the rows belongs to the run, too. Later changes by others do not.
func TestSkipUnchangedAfterAStepThatWrites(t *testing.T) {
	for name, extra := range map[string][]string{"plain": nil, "partitions": {"--partitions", "2"}, "truncate": {"--publish", "truncate"}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			mustCLI(t, s.dsn, s.load("grid", appendArgs(appendArgs(boxes(20, 10), extra...), "--if-exists", "replace")...)...)
			for _, sql := range []string{
				"delete from {{table}} where col = 3",
				"do $$ begin update " + s.name("grid") + " set row = row where col < 5; exception when others then raise; end $$",
				"create temp table x on commit drop as select * from {{table}} where row = 9; delete from {{table}} where row = 9; insert into {{table}} select * from x where col > 4",
			} {
				args := s.load("grid", appendArgs(appendArgs(boxes(20, 10), extra...), "--if-exists", "replace", "--after", sql)...)
				if skipped, _ := s.unchanged(args); skipped {
					t.Errorf("%q did not run", sql)
				}
				if skipped, why := s.unchanged(args); !skipped {
					t.Errorf("after %q: loaded again: %s", sql, why)
				}

				s.exec("update " + s.name("grid") + " set row = row where col = 7 and row = 1")
				if skipped, why := s.unchanged(args); skipped || !strings.Contains(why, "1 of its rows") {
					t.Errorf("after %q, touched: skipped %v, %s", sql, skipped, why)
				}

				s.exec("delete from " + s.name("grid") + " where col = 7 and row = 1")
				if skipped, why := s.unchanged(args); skipped || !strings.Contains(why, "rows, but the run wrote") {
					t.Errorf("after %q, with a row removed: skipped %v, %s", sql, skipped, why)
				}
			}
		})
	}
}

// What the area query returns is part of the job. A table that a rollback restored is from another run
// than the last. What a killed start of another job left is dropped, and an existing table does not need
// if-exists.
func TestSkipUnchangedSeesTheArea(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("area") + " as select st_makeenvelope(0, 0, 8, 4) as geom")
	args := s.load("grid", "--cell-size", "1", "--if-exists", "replace", "--keep", "2", "--aoi-rule", "within", "--aoi-sql", "select geom from "+s.name("area"))
	for round, want := range []bool{false, true, false, true} {
		if skipped, why := s.unchanged(args); skipped != want {
			t.Errorf("round %d: skipped %v, %s", round, skipped, why)
		}
		if round == 1 {
			s.exec("update " + s.name("area") + " set geom = st_makeenvelope(0, 0, 9, 4)")
		}
	}

	s.checkCells("grid", 36)
	mustCLI(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema)
	s.checkCells("grid", 32)
	if skipped, why := s.unchanged(args); skipped || !strings.Contains(why, "differs from the job of run 1") {
		t.Errorf("after the rollback: skipped %v, %s", skipped, why)
	}

	s.checkCells("grid", 36)
	s.exec("update " + s.name("area") + " set geom = st_makeenvelope(0, 0, 8, 4)")
	mustCLI(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema)
	if skipped, why := s.unchanged(args); !skipped {
		t.Errorf("the restored version matches the job: %s", why)
	}

	plain := s.load("plain", boxes(7, 5)...)
	mustCLI(t, s.dsn, plain...)
	s.killAfter(2, appendArgs(s.load("plain", smallGrid()...), "--if-exists", "replace")...)
	s.waitForEnd()
	if sum := mustSummary(t, s.dsn, appendArgs(plain, "--skip-unchanged")...); !sum.Unchanged {
		t.Error("the table is loaded again, although it matches the job")
	}

	s.checkNothingLeft()

	// A run that a signal stopped remains: its error offered to resume it.
	other := appendArgs(s.load("plain", smallGrid()...), "--if-exists", "replace")
	b := s.pauseAtChunk(5)
	p := start(t, s.dsn, other...)
	b.waitUntilReached()
	s.waitForChunksOfTheNewest(5)
	_ = p.cmd.Process.Signal(interrupt)
	p.wait().expect(t, 130, "run the same command to resume it")
	b.remove()
	if sum := mustSummary(t, s.dsn, appendArgs(plain, "--skip-unchanged")...); !sum.Unchanged {
		t.Error("the table is loaded again, although it matches the job")
	}

	if sum := mustSummary(t, s.dsn, other...); sum.ChunksResumed != 5 {
		t.Errorf("%d chunks were resumed, want 5", sum.ChunksResumed)
	}
	s.checkBoxes("plain", smallCols, smallRows)
}

// The order of a query's rows does not matter for the area, nor do the start and the direction of a ring.
func TestSkipUnchangedInAnyOrderOfTheArea(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("area") + " as select n, st_buffer(st_makepoint(10 + n * 0.7, 50 + n % 3 * 0.3), 0.9, 5) as geom from generate_series(1, 12) n")
	args := s.load("grid", "--cell-size", "20000", "--srid", "3035", "--if-exists", "replace", "--coverage", "--aoi-sql", "select st_setsrid(geom, 4326) from "+s.name("area"))
	mustCLI(t, s.dsn, args...)

	for _, sql := range []string{
		"update %s set n = n where n % 5 = 1", // moves these rows to the end
		"update %s set geom = st_reverse(geom) where n < 6",
		// Like ST_Scroll in PostGIS 3.2 and later: the ring begins at its point n + 1.
		"update %s set geom = (select st_makepolygon(st_addpoint(line, st_startpoint(line))) from (" +
			"select st_makeline(d.geom order by (d.path[2] - n - 1 + st_npoints(%s.geom) - 1) % (st_npoints(%s.geom) - 1)) as line " +
			"from st_dumppoints(%s.geom) d where d.path[2] < st_npoints(%s.geom)) r)",
	} {
		s.exec(strings.ReplaceAll(sql, "%s", s.name("area")))
		if skipped, why := s.unchanged(args); !skipped {
			t.Errorf("%s: loaded again: %s", sql, why)
		}
	}

	s.exec("update " + s.name("area") + " set geom = st_translate(geom, 1e-9, 0) where n = 1")
	if skipped, _ := s.unchanged(args); skipped {
		t.Error("a changed area is not detected")
	}
}
