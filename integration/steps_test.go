package integration

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
)

// The effects of a step become visible together with the table, with each method.
func TestStepsAroundALoad(t *testing.T) {
	for name, w := range scenarios() {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			if w.before != nil {
				mustCLI(t, s.dsn, s.load("grid", w.before...)...)
			}

			s.exec("create table " + s.name("log") + " (n bigint, at text)")
			note := func(at string) string {
				return "insert into " + s.name("log") + " select count(*), '" + at + "' from {{table}};"
			}

			// By then, the ledger knows the table's grid.
			grid := "create table " + s.name("middle") + " as select " + s.name("cell_at") + "('{{table}}', st_point(3.5, 2.5)) as id;"
			args := appendArgs(w.load, "--after", grid+note("after")+"\n\nanalyze "+s.name("log")+"; select ';'")
			if w.before != nil {
				args = appendArgs(args, "--before", "begin; "+note("before")+" commit; set search_path to nowhere")
			}

			mustCLI(t, s.dsn, s.load("grid", args...)...)
			want := fmt.Sprintf("%d after", w.cols*w.rows)
			if w.before != nil {
				before := queryOne[int64](t, s.pool, "select sum(rows_added)::bigint from "+s.name("runs")+" where id = 1")
				want = fmt.Sprintf("%d before, ", before) + want
			}

			if id := queryOne[int64](t, s.pool, "select id from "+s.name("middle")); id != geomgen.CellID(geomgen.Cell{Col: 3, Row: 2}) {
				t.Errorf("the step finds cell %d", id)
			}
			if got := queryOne[string](t, s.pool, "select string_agg(n || ' ' || at, ', ' order by at desc) from "+s.name("log")); got != want {
				t.Errorf("the steps saw %s rows, want %s", got, want)
			}
		})
	}
}

// If the step after the load fails, nothing is published: readers still have yesterday's table. The error
// names the place, and the next start continues from there.
func TestStepAfterFails(t *testing.T) {
	for name, w := range scenarios() {
		if w.before == nil {
			continue
		}

		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			mustCLI(t, s.dsn, s.load("grid", w.before...)...)
			before := s.tableState("grid")
			reader := s.startReader("grid")
			s.exec("create table " + s.name("log") + " (n bigint)")

			for sql, place := range map[string]string{
				"insert into " + s.name("log") + " values (1);\n  select nope\nfrom {{table}}": "after, statement 2 of 2, line 2, column 10: column \"nope\" does not exist (SQLSTATE 42703)",
				"select 1;\nselect 1;\n\n  select col / 0 from {{table}}":                      "after, statement 3 of 3, line 4, column 3: division by zero (SQLSTATE 22012)",
				"select 1; selec":                                  "after, statement 2 of 2, line 1, column 11: syntax error",
				"vacuum {{table}}":                                 "after, statement 1 of 1, line 1, column 1: VACUUM cannot run inside a transaction block (SQLSTATE 25001)",
				"do $$ begin commit; end $$":                       "invalid transaction termination (SQLSTATE 2D000)",
				"drop table " + s.name("log") + "; select 1 1 1 x": "after, statement 2 of 2",
			} {
				r := cli(t, s.dsn, s.load("grid", appendArgs(w.load, "--after", sql)...)...)
				r.expect(t, 4, place, "run the same command to resume it")
				if got := s.tableState("grid"); got != before {
					t.Errorf("after %q readers see %s, before %s", sql, got, before)
				}
				if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("log")); n != 0 {
					t.Errorf("%q left %d rows", sql, n)
				}
			}

			r := cli(t, s.dsn, s.load("grid", appendArgs(w.load, "--after", "insert into "+s.name("log")+" values (7)", "--progress", "json")...)...)
			if r.code != 0 || r.summary(t).ChunksCopied != 0 {
				t.Errorf("with a correct step: exit code %d: %s", r.code, r.stderr)
			}
			if n := queryOne[int64](t, s.pool, "select sum(n)::bigint from "+s.name("log")); n != 7 {
				t.Errorf("the log has %d", n)
			}

			reader.stop(before)
			s.checkAfter("grid", w)
		})
	}
}

func TestStepsHaveTimeouts(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", smallGrid()...)
	stubborn := `do $$ begin
		loop begin perform pg_sleep(60); exception when query_canceled then null; end; end loop;
	end $$`

	for _, step := range []string{"before", "after"} {
		for name, sql := range map[string]string{"sleeps": "select 1; select pg_sleep(600)", "catches it": stubborn} {
			began := time.Now()
			r := cli(t, s.dsn, appendArgs(args, "--"+step, sql, "--"+step+"-timeout", "300ms")...)
			code := 1
			if step == "after" {
				code = 4
			}

			r.expect(t, code, step+", statement", "a statement may take 300ms, see "+step+"-timeout")
			if took := time.Since(began); took > 2*time.Minute { // the step sleeps in an endless loop
				t.Errorf("%s, %s: it took %s", step, name, took)
			}
			s.waitForEnd()
		}
	}

	mustCLI(t, s.dsn, args...)
	s.checkCells("grid", smallCols*smallRows)
}

// What a step sets for its session affects neither the load nor the ledger.
func TestStepsLeaveNoSettings(t *testing.T) {
	s := newSandbox(t)
	role := s.newRole("step-password")
	s.exec("grant usage, create on schema " + s.name("x")[:strings.LastIndex(s.name("x"), ".")] + " to " + role)
	// The timeout comes last: it is not meant for the step's other statements.
	hostile := "set role " + role + "; set search_path to nowhere; set default_transaction_read_only to on; set lock_timeout to 1; set statement_timeout to 1"
	args := appendArgs(boxes(30, 20), "--if-exists", "replace", "--keep", "1", "--prune-runs", "1s")
	mustCLI(t, s.dsn, s.load("grid", args...)...)

	for range 2 {
		r := cli(t, s.dsn, s.load("grid", appendArgs(args, "--before", hostile, "--after", hostile)...)...)
		if r.code != 0 {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
	}

	s.checkBoxes("grid", 30, 20)
	if owner := queryOne[string](t, s.pool, "select relowner::regrole::text from pg_class where oid = $1::regclass", s.name("grid")); owner == role {
		t.Errorf("the table belongs to %s", owner)
	}

	// The newest previous version is kept, and no other: the work after publish has succeeded, too.
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_class where relkind = 'r' and relnamespace = $1::regnamespace and relname like 'grid%'", s.schema); n != 2 {
		t.Errorf("there are %d versions of the table, want 2", n)
	}
}

// A timeout that a step sets does not apply to the run's later work in the same session, however slow the
// server or the network is.
func TestStepsLeaveNoTimeouts(t *testing.T) {
	s := newSandbox(t)
	n := s.throughProxy(func(url.Values) {})
	n.addToxics(`{"type": "latency", "stream": "upstream", "attributes": {"latency": 10}}`)

	version := queryOne[int](t, s.pool, "select current_setting('server_version_num')::integer")

	for name, sql := range map[string]string{
		// Resetting this many settings takes longer than a millisecond. In this order, they are set
		// quickly.
		"statement": "select count(set_config('zzz.x' || lpad(n::text, 6, '0'), 'x', false)) from generate_series(1, 20000) n; set statement_timeout to 1",
		// A round trip takes longer than this.
		"idle":        "set idle_in_transaction_session_timeout to 5",
		"transaction": "set transaction_timeout to 5",
		"all":         "select set_config('idle_in_transaction_session_timeout', '5', false), set_config('statement_timeout', '1', false)",
	} {
		if name == "transaction" && version < 170000 {
			continue
		}

		r := cli(t, s.dsn, s.load("grid", appendArgs(boxes(20, 10), "--if-exists", "replace", "--after", sql)...)...)
		r.expect(t, 0)
		s.checkCells("grid", 200)
	}

	// It applies to the step itself, and would apply again: the publish is not retried.
	cli(t, s.dsn, s.load("grid", appendArgs(boxes(20, 10), "--if-exists", "replace", "--after", "set idle_in_transaction_session_timeout to 5; select 1")...)...).
		expect(t, 4, "SQLSTATE 25P03")
	if n := queryOne[int](t, s.pool, "select retries from "+s.name("attempts")+" order by started_at desc limit 1"); n != 0 {
		t.Errorf("the publish was retried %d times", n)
	}
}

// What a step does to its session breaks neither the publish nor the ledger's record of it.
func TestStepAfterOnItsSession(t *testing.T) {
	s := newSandbox(t)
	for name, sql := range map[string]string{
		"prepared statements": "deallocate all",
		"encoding":            "set client_encoding to 'LATIN1'",
		"search path":         "set search_path to pg_catalog",
		"a lock":              "select pg_advisory_unlock_all()",
		"plans":               "discard plans; discard temp; listen x; unlisten *",
		"temporary tables":    "create temp table pg_class (x int); create temp table pg_settings (x int)",
	} {
		args := s.load("grid", appendArgs(boxes(20, 10), "--set", "größe:int=1", "--if-exists", "replace", "--after", sql)...)
		r := cli(t, s.dsn, appendArgs(args, "--log-format", "json")...)
		if w := r.warnings(t); r.code != 0 || len(w) != 0 {
			t.Errorf("%s: exit code %d, warnings %q: %s", name, r.code, w, r.stderr)
			continue
		}

		s.checkCells("grid", 200)
		if skipped, why := s.unchanged(args); !skipped {
			t.Errorf("%s: loaded again: %s", name, why)
		}
	}

	for _, sql := range []string{"drop table {{table}}", "alter table {{table}} rename to elsewhere", "alter table {{table}} set schema public",
		"alter table {{table}} rename to elsewhere; create table {{table}} (like " + s.name("elsewhere") + ")"} {
		cli(t, s.dsn, s.load("grid", appendArgs(boxes(20, 10), "--if-exists", "replace", "--after", sql)...)...).expect(t, 4, "the step after has dropped, renamed or moved it")
	}

	mustCLI(t, s.dsn, s.load("grid", appendArgs(boxes(20, 10), "--if-exists", "replace")...)...)
	s.checkCells("grid", 200)
}

// If a step releases the table's lock while another start waits for it, nothing is published.
func TestStepAfterGivesTheLockAway(t *testing.T) {
	s := newSandbox(t)
	one := start(t, s.dsn, s.load("grid", appendArgs(boxes(20, 10), "--if-exists", "replace", "--after", "select pg_advisory_unlock_all(); select pg_sleep(4)")...)...)
	s.waitFor("the step to sleep", "select exists (select from pg_stat_activity where application_name = $1 and query like '%pg_sleep%')", s.application())
	other := start(t, s.dsn, s.load("grid", appendArgs(boxes(5, 5), "--if-exists", "replace", "--wait", "1m")...)...)
	one.wait().expect(t, 3, "another run holds")
	other.wait().expect(t, 0)
	s.checkBoxes("grid", 5, 5)
	s.checkNothingLeft()
}

// The step before the load runs under the table's lock, so that two starts do not run it at the same
// time. It runs before the query for the area of interest. If it leaves a transaction open, that is an
// error.
func TestStepBeforeComesFirst(t *testing.T) {
	s := newSandbox(t)
	area, log := s.name("area"), s.name("log")
	s.exec("create table " + log + " (n bigint)")
	args := s.load("grid", "--cell-size", "1", "--if-exists", "replace", "--wait", "1m",
		"--before", "insert into "+log+" values (1); drop table if exists "+area+"; create table "+area+" as select st_makeenvelope(0.5, 0.5, 9.5, 4.5) as geom; select pg_sleep(0.3)",
		"--aoi-sql", "select geom from "+area)
	var all []*process
	for range 3 {
		all = append(all, start(t, s.dsn, args...))
	}
	for _, p := range all {
		p.wait().expect(t, 0)
	}

	s.checkCells("grid", 50)
	if n := queryOne[int64](t, s.pool, "select count(*) from "+log); n != 3 {
		t.Errorf("the step ran %d times", n)
	}

	cli(t, s.dsn, s.load("other", appendArgs(smallGrid(), "--before", "begin; select 1")...)...).expect(t, 1, "leaves a transaction open")
	cli(t, s.dsn, s.load("other", appendArgs(smallGrid(), "--before", "select 1; select 1/0")...)...).expect(t, 1, "before, statement 2 of 2, line 1, column 11", "22012")
	s.checkNoSessions("other")

	// Nothing changed, and the area does not come from a query, so no step runs.
	plain := s.load("plain", appendArgs(boxes(5, 5), "--if-exists", "replace", "--skip-unchanged", "--before", "insert into "+log+" values (100)")...)
	mustCLI(t, s.dsn, plain...)
	mustCLI(t, s.dsn, plain...)
	if n := queryOne[int64](t, s.pool, "select sum(n)::bigint from "+log); n != 103 {
		t.Errorf("the log adds up to %d, want 103", n)
	}
}

// Readers wait while the step after the load runs. If somebody delays them beyond the lock timeout, the
// whole publish is retried, including the step.
func TestStepAfterIsTriedAgain(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", appendArgs(boxes(20, 10), "--if-exists", "replace", "--after", "lock table "+s.name("busy")+"; insert into "+s.name("busy")+" values (1)")...)
	s.exec("create table " + s.name("busy") + " (n bigint)")
	tx, err := s.connect().Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}

	if _, err := tx.Exec(context.Background(), "lock table "+s.name("busy")); err != nil {
		t.Fatal(err)
	}

	p := start(t, s.dsn, args...)
	p.waitForOutput("55P03", 1)
	if err := tx.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}

	p.wait().expect(t, 0)
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("busy")); n != 1 {
		t.Errorf("the step left %d rows", n)
	}
	if n := queryOne[int64](t, s.pool, "select retries from "+s.name("attempts")); n < 1 {
		t.Errorf("the ledger has %d retries", n)
	}
	if got := queryOne[string](t, s.pool, "select troubles -> 0 ->> 'sqlstate' || ' ' || (troubles -> 0 ->> 'stage') from "+s.name("attempts")); got != "55P03 publish" {
		t.Errorf("the ledger contains %s", got)
	}
}
