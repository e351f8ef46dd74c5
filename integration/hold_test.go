package integration

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader"
)

// runs runs a subcommand of "loadgrid runs" on the sandbox's ledger.
func (s sandbox) runs(args ...string) result {
	s.t.Helper()
	return cli(s.t, s.dsn, append(append([]string{"runs"}, args...), "--ledger-schema", s.schema)...)
}

// checkOutput fails unless a process ended with exit code 0 and its stdout contains these words.
func (r result) checkOutput(t *testing.T, words ...string) {
	t.Helper()
	if r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	for _, w := range words {
		if !strings.Contains(r.stdout, w) {
			t.Errorf("want %q in: %s", w, r.stdout)
		}
	}
}

// After a bad night, the table is rolled back and remains so until it is released.
func TestHoldAfterABadNight(t *testing.T) {
	s := newSandbox(t)
	table := s.schema + ".grid"
	night := func(n string, more ...string) result {
		t.Helper()
		args := append(boxes(5, 5), "--set", "night:integer="+n, "--if-exists", "replace", "--keep", "1")
		return cli(t, s.dsn, s.load("grid", append(args, more...)...)...)
	}
	night("1").checkOutput(t)
	night("2").checkOutput(t)

	s.runs("hold", table, "--reason", "the source\nhas half of its rows").checkOutput(t, "table "+table+" is on hold", "'loadgrid runs release "+table+" --ledger-schema "+s.schema+"'")
	r := s.runs("rollback", "1")
	if r.checkOutput(t, "has the rows of run 1 again"); strings.Contains(r.stdout, "stop the schedule") {
		t.Errorf("the rollback of a table on hold prints: %s", r.stdout)
	}

	metrics := filepath.Join(t.TempDir(), "night.prom")
	r = night("3", "--progress", "json", "--metrics-textfile", metrics, "--skip-unchanged")
	r.checkOutput(t, "table "+table+" is on hold (since ", "): the source has half of its rows; nothing was loaded")
	held := r.summary(t).Hold
	if held == nil || held.Table.Name != "grid" || held.Reason != "the source\nhas half of its rows" || held.Role == "" || held.Host == "" || held.Since.IsZero() {
		t.Errorf("the summary is %+v", held)
	}
	if w := r.warnings(t); len(w) != 1 || w[0] != "the table is on hold: nothing was loaded" {
		t.Errorf("warnings: %q", w)
	}
	if _, err := os.Stat(metrics); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there are metrics although there was no run: %v", err)
	}
	if got := s.versions() + " " + s.states(); got != "grid:1 grid_run2:2 published published" {
		t.Errorf("the tables are %s", got)
	}

	// A second hold changes nothing, and lists show the first one.
	s.runs("hold", table, "--reason", "another").checkOutput(t, "is on hold (since ", "half of its rows; it stays on hold")
	for _, list := range [][]string{{"list"}, {"list", "--table", "grid"}, {"show", "1"}} {
		s.runs(list...).checkOutput(t, "table "+table+" is on hold (since ", "half of its rows")
	}
	for _, list := range [][]string{{"list", "--table", "other"}, {"list", "--table", "x.grid"}} {
		if r := s.runs(list...); strings.Contains(r.stdout, "on hold") {
			t.Errorf("%q lists %s", list, r.stdout)
		}
	}
	var listed []struct {
		ID     int64
		OnHold *loader.Hold `json:"on_hold"`
	}
	if err := json.Unmarshal([]byte(s.runs("list", "--json").stdout), &listed); err != nil || len(listed) != 2 || listed[0].ID != 2 || listed[1].OnHold == nil || listed[1].OnHold.By() == "" {
		t.Errorf("runs list --json: %v, %+v", err, listed)
	}

	s.runs("release", table).checkOutput(t, "table "+table+" is released; it had been on hold since ", "half of its rows")
	s.runs("release", table).expect(t, 2, "table "+table+" is not on hold")
	night("3").checkOutput(t)
	if got := s.versions(); got != "grid:3 grid_run1:1" {
		t.Errorf("the tables are %s", got)
	}
	s.runs("rollback", "1").checkOutput(t, "first stop the schedule or fix the source", "'loadgrid runs hold "+table+" --ledger-schema "+s.schema+"'")
}

// A hold needs neither a table nor a ledger. Names with quotes and dots are written as shell words.
func TestHoldBeforeTheFirstLoad(t *testing.T) {
	s := newSandbox(t)
	s.runs("release", s.schema+".grid").expect(t, 2, "there is no ledger")
	r := s.runs("hold", s.schema+`."it's 1.grid"`)
	r.checkOutput(t, `loadgrid runs release '`+s.schema+`."it'\''s 1.grid"' --ledger-schema `)
	if !strings.Contains(r.stderr, "does not exist") {
		t.Errorf("for an unknown table it prints %s", r.stderr)
	}
	s.runs("hold", "a.b.c").expect(t, 2, "more than one dot")
	s.runs("hold").expect(t, 2, "")
	cli(t, s.dsn, "load", "--table", s.schema+`."it's 1.grid"`, "--ledger-schema", s.schema, "--cell-size", "1", "--cols", "3", "--rows", "3").checkOutput(t, "nothing was loaded")
	mustCLI(t, s.dsn, s.load("grid", boxes(3, 3)...)...)
	s.checkBoxes("grid", 3, 3)

	// Without a schema, the first of the search_path is used, as in load.
	cli(t, s.inSchema(), "runs", "hold", "grid", "--ledger-schema", s.schema).checkOutput(t, "table "+s.schema+".grid is on hold")
	cli(t, s.inSchema(), "load", "--table", "grid", "--ledger-schema", s.schema, "--cell-size", "1", "--cols", "3", "--rows", "3", "--if-exists", "replace").checkOutput(t, "nothing was loaded")
}

// A hold during a load names the load, which ends normally. The next load does not begin, nor does a load
// that has been waiting, nor the resumption of a killed load.
func TestHoldWhileALoadIsRunning(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", append(smallGrid(), "--if-exists", "replace")...)
	b := s.pauseAtChunk(3)
	p := start(t, s.dsn, args...)
	b.waitUntilReached()
	waiting := start(t, s.dsn, appendArgs(args, "--wait", "1h", "--log-format", "json")...)
	waiting.waitForOutput("waiting for another run", 1)

	r := s.runs("hold", s.schema+".grid")
	r.checkOutput(t, "is on hold")
	if !strings.Contains(r.stderr, "is running (backend ") || !strings.Contains(r.stderr, "will publish") {
		t.Errorf("hold during a load prints %s", r.stderr)
	}
	b.remove()
	if r := p.wait(); r.code != 0 || strings.Contains(r.stdout, "on hold") {
		t.Errorf("the load that was running ended with %d: %s%s", r.code, r.stdout, r.stderr)
	}
	waiting.wait().checkOutput(t, "is on hold")
	s.checkBoxes("grid", smallCols, smallRows)

	s.runs("release", s.schema+".grid").checkOutput(t)
	s.killAfter(2, args...)
	s.waitForEnd()
	s.runs("hold", s.schema+".grid").checkOutput(t)
	cli(t, s.dsn, args...).checkOutput(t, "is on hold")
	s.runs("resume", "2").checkOutput(t, "is on hold")
	if got := s.states(); got != "published loading" {
		t.Errorf("runs are %s", got)
	}
	s.runs("release", s.schema+".grid").checkOutput(t)
	cli(t, s.dsn, args...).checkOutput(t, "with 1,000 rows from earlier attempts")
}

// When hold returns without naming a running load, no load publishes any more.
func TestHoldAndLoadAtTheSameMoment(t *testing.T) {
	s := newLedgerSandbox(t)
	pool := openPool(t, s.dsn, nil)
	ledger := loader.NewLedger(pool, s.schema)
	rng := testrand.New(t, 1118)
	job := s.smallJob(0)
	job.IfExists = loader.Replace
	published := func() int {
		return queryOne[int](t, s.pool, "select count(*) from "+s.name("runs")+" where state = 'published'")
	}

	counts := make(map[string]int)
	for range 60 {
		ended := make(chan error)
		go func() {
			_, err := loader.Run(t.Context(), pool, job, loader.Options{})
			ended <- err
		}()

		if rng.IntN(2) == 0 { // a load runs other statements before it checks
			queryOne[int](t, s.pool, "select count(*) from generate_series(1, $1)", rng.IntN(200_000))
		}
		placed, err := ledger.Hold(context.Background(), job.Table, "")
		if err != nil {
			t.Fatal(err)
		}
		before := published()
		err = <-ended

		var onHold *loader.OnHoldError
		switch {
		case errors.As(err, &onHold):
			counts["on hold"]++
		case err != nil:
			t.Fatal(err)
		case placed.Running != "":
			counts["named"]++
		case published() != before:
			t.Error("a load published although the hold did not name it")
		default:
			counts["before"]++
		}
		if _, err := ledger.Release(context.Background(), job.Table); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(counts)
}

// In a job file, the other jobs run, with and without --share. The held job runs once it is released.
func TestHoldInAJobFile(t *testing.T) {
	s := newSandbox(t)
	file := s.write("defaults: {cell-size: 1, cols: 4, rows: 3, if-exists: replace, ledger-schema: " + s.schema + "}\n" +
		"jobs:\n- {table: " + s.schema + ".held}\n- {table: " + s.schema + ".free}\n- {table: " + s.schema + ".held, name: again}\n")
	runs := func() string {
		return queryOne[string](t, s.pool, "select coalesce(string_agg(table_name, ' ' order by id), '') from "+s.name("runs"))
	}
	s.runs("hold", s.schema+".held", "--reason", "bad night").checkOutput(t)

	cli(t, s.dsn, "load", "--job", file).checkOutput(t, "table "+s.schema+".held is on hold (since ", "): bad night; nothing was loaded", "table "+s.schema+".free has 12 rows")
	if got := runs(); got != "free" {
		t.Errorf("runs of %s", got)
	}

	c := newProcesses(s, "load", "--job", file, "--share=night", "--log-format", "json")
	for range 3 {
		c.start()
	}
	for i, p := range c.all {
		r := p.wait()
		account := p.lines(accountMessage)
		if r.code != 0 || len(account) != 3 || account[0].Outcome != "on hold" || account[1].Outcome != "published" || account[2].Outcome != "on hold" {
			t.Errorf("process %d ended with %d and reports %+v", i, r.code, account)
		}
	}
	if got := runs(); got != "free free" {
		t.Errorf("runs of %s", got)
	}

	s.runs("release", s.schema+".held").checkOutput(t)
	for range 2 {
		r := cli(t, s.dsn, "load", "--job", file, "--share=night")
		if r.code != 0 {
			t.Errorf("exit code %d: %s", r.code, r.stderr)
		}
	}
	if got := runs(); got != "free free held held" {
		t.Errorf("runs of %s", got)
	}
}

// Roles that may use a ledger of the previous version may hold and release after the migration.
func TestHoldsHaveTheGrantsOfRuns(t *testing.T) {
	s := newLedgerSandbox(t)
	user, reader := s.newRole("held"), s.newRole("held")
	s.exec("drop table " + s.name("held_tables") + "; update " + s.name("schema_migrations") + " set version = 9")
	s.exec("grant usage on schema " + s.schema + " to " + user + ", " + reader + "; grant select on all tables in schema " + s.schema + " to " + user + ", " + reader +
		"; grant insert, delete on " + s.name("runs") + " to " + user)
	owner := queryOne[string](t, s.pool, "select current_user")
	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)

	as := func(role string, args ...string) result {
		return cli(t, s.dsnOf(role, "held"), append(append([]string{"runs"}, args...), "--ledger-schema", s.schema, "--ledger-owner", owner)...)
	}
	as(user, "hold", s.schema+".grid").checkOutput(t, "is on hold")
	as(reader, "list").checkOutput(t, "is on hold (since ", "by "+user)
	as(reader, "hold", s.schema+".other").expect(t, 1, "42501")
	as(reader, "release", s.schema+".grid").expect(t, 1, "42501")
	as(user, "release", s.schema+".grid").checkOutput(t, "is released")

	// A load does not pass over holds that its role cannot see.
	s.exec("revoke select on " + s.name("held_tables") + " from " + reader)
	s.exec("grant create on schema " + s.schema + " to " + reader + "; grant insert, update, delete on " + s.name("runs") + ", " + s.name("chunks") + ", " + s.name("attempts") + " to " + reader)
	cli(t, s.dsnOf(reader, "held"), "load", "--table", s.schema+".grid", "--cell-size", "1", "--cols", "2", "--rows", "2", "--ledger-schema", s.schema, "--ledger-owner", owner).
		expect(t, 1, "which tables are on hold", "grant select on")
	as(reader, "release", s.schema+".grid").expect(t, 1, "grant select on")
}

// After the ledger is lost, a nightly load with --keep continues and keeps the existing versions.
func TestKeepAfterALostLedger(t *testing.T) {
	for name, extra := range map[string][]string{"plain": nil, "partitions": {"--partitions", "2"}, "a comment of an older loadgrid": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxIn(t, pgtest.Database(t), "public")
			night := func(n string) result {
				t.Helper()
				args := []string{"load", "--table", "public.grid", "--cell-size", "1", "--cols", "2" + n, "--rows", "10", "--set", "night:integer=" + n, "--if-exists", "replace", "--keep", "2", "--log-format", "json"}
				return cli(t, s.dsn, append(args, extra...)...)
			}
			expect := func(want string) {
				t.Helper()
				if got := s.versions(); got != want {
					t.Errorf("versions %s, want %s", got, want)
				}
			}
			night("1").checkOutput(t)
			night("2").checkOutput(t)
			night("3").checkOutput(t)
			expect("grid:3 grid_run1:1 grid_run2:2")

			if strings.HasPrefix(name, "a comment") {
				s.exec("comment on constraint grid_pkey on public.grid is 'loadgrid 1.0, run 3'")
			}
			s.exec("drop schema loadgrid cascade")

			// The names of runs 1 and 2 are taken, and 3 is the number of this night's run, so the old
			// table becomes run 4.
			r := night("4")
			r.checkOutput(t, "(run 3, ")
			if w := r.warnings(t); len(w) == 0 || !strings.Contains(strings.Join(w, " "), "the ledger that knew the table is lost") {
				t.Errorf("warnings: %q", w)
			}
			expect("grid:4 grid_run1:1 grid_run2:2 grid_run4:3")
			list := mustCLI(t, s.dsn, "runs", "list")
			if !strings.Contains(list, "taken over: public.grid") || strings.Count(list, "kept") != 1 {
				t.Errorf("runs list:\n%s", list)
			}
			if out := mustCLI(t, s.dsn, "runs", "show", "4"); !strings.Contains(out, "unknown: this ledger took the table over") {
				t.Errorf("runs show:\n%s", out)
			}

			mustCLI(t, s.dsn, "runs", "rollback", "4")
			expect("grid:3 grid_run1:1 grid_run2:2 grid_run3:4")
			s.checkRefused("select loadgrid.grid_of('grid')", "no run published table")
			night("5").checkOutput(t)
			expect("grid:5 grid_run1:1 grid_run2:2 grid_run3:4 grid_run4:3")
			night("6").checkOutput(t)
			expect("grid:6 grid_run1:1 grid_run2:2 grid_run4:3 grid_run5:5")
			s.checkCells("grid", 26*10)

			// A ledger restored from a backup does not know the last run.
			s.exec("delete from loadgrid.runs where id = 6")
			r = night("7")
			r.checkOutput(t)
			if got := s.versions(); !strings.Contains(got, "grid:7 ") || !strings.Contains(got, ":6") {
				t.Errorf("versions %s", got)
			}
		})
	}
}

// A table of a ledger that still exists but may not be read is not taken over.
func TestKeepBesideAnotherLedger(t *testing.T) {
	s := newDatabaseSandbox(t)
	args := append(boxes(4, 3), "--if-exists", "replace", "--keep", "1")
	mustCLI(t, s.dsn, append([]string{"load", "--table", "public.grid", "--ledger-schema", "first"}, args...)...)
	second := append([]string{"load", "--table", "public.grid", "--ledger-schema", "second"}, args...)
	cli(t, s.dsn, second...).expect(t, 2, "another ledger")

	// The ledger still exists but belongs to another role, so nobody can know.
	stranger := "stranger_of_" + queryOne[string](t, s.pool, "select current_database()")
	s.exec("create role " + stranger)
	t.Cleanup(func() { s.exec("drop owned by " + stranger + "; drop role " + stranger) })
	s.exec("update first.identity set id = gen_random_uuid()")
	s.exec("alter table first.runs owner to " + stranger)
	cli(t, s.dsn, second...).expect(t, 2, "another ledger")

	s.exec("alter table first.runs owner to current_user")
	cli(t, s.dsn, second...).checkOutput(t, "12 rows")
	if n := queryOne[int](t, s.pool, "select count(*) from pg_class where relname like 'grid_run_' and relkind = 'r'"); n != 1 {
		t.Errorf("%d versions are kept", n)
	}
}
