package integration

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/loader"
)

const square = "st_makeenvelope(0, 0, 3, 3)"

// What a query's functions set or hold in their session is gone when the load begins. Changes that would
// affect others are refused.
func TestQueriesLeaveNoTrace(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec("create schema elsewhere")
	s.exec("create sequence numbers")
	s.exec("create table sentinel as select 1 as n")
	s.exec("create role " + s.schemaRole() + " nologin")
	t.Cleanup(func() { s.exec("drop role " + s.schemaRole()) })

	const either = -1
	for name, test := range map[string]struct {
		sql  string
		code int
		word string
	}{
		"search_path":        {"select " + square + " from set_config('search_path', 'elsewhere, public', false)", 0, ""},
		"role":               {"select " + square + " from set_config('role', '" + s.schemaRole() + "', false)", 0, ""},
		"timeout":            {"select " + square + " from set_config('statement_timeout', '1', false)", 0, ""},
		"read-only sessions": {"select " + square + " from set_config('default_transaction_read_only', 'on', false)", 0, ""},
		"a lock":             {"select " + square + " from pg_advisory_lock(4711)", 0, ""},
		"a listener":         {"select " + square + " from pg_notify('all', 'here')", 0, ""},
		"a sequence":         {"select " + square + " from nextval('numbers')", 2, "25006"},
		"its value":          {"select " + square + " from setval('numbers', 100)", 2, "25006"},
		"read-write":         {"select " + square + " from set_config('transaction_read_only', 'off', false)", 2, "read-write mode"},
		// PostgreSQL 16 and later refuse it; older versions roll it back.
		"a large object":   {"select " + square + " from lo_create(0)", either, ""},
		"the end":          {"commit; drop table sentinel", 2, "42601"},
		"a read-write set": {"set transaction_read_only = off", 2, "returns no columns"},
	} {
		r := cli(t, s.dsn, "load", "--table", "grid", "--if-exists", "replace", "--cell-size", "1", "--aoi-sql", test.sql)
		switch {
		case test.code == either:
		case test.code > 0:
			r.expect(t, test.code, "aoi-sql", test.word)
		case r.code != 0:
			t.Errorf("%s: exit code %d: %s", name, r.code, r.stderr)
		}

		if n := queryOne[int64](t, s.pool, "select count(*) from pg_class where relname = 'grid' and (relnamespace <> 'public'::regnamespace or relowner <> current_user::regrole)"); n != 0 {
			t.Errorf("%s: the table has another schema or another owner", name)
		}
		if n := queryOne[int64](t, s.pool, "select n + (select count(*) filter (where is_called) from numbers) + (select count(*) from pg_largeobject_metadata) from sentinel"); n != 1 {
			t.Errorf("%s: the query wrote something", name)
		}
	}

	// The library behaves the same: its pool stays open, and its sessions are unchanged.
	pool := openPool(t, s.dsn, nil)
	for _, sql := range []string{
		"select " + square + " from set_config('search_path', 'elsewhere', false)",
		"select " + square + " from pg_advisory_lock(4712)",
	} {
		if _, err := loader.ResolveArea(context.Background(), pool, &loader.Area{SQL: sql}, 0); err != nil {
			t.Fatal(err)
		}
	}

	for range 10 {
		if path := queryOne[string](t, pool, "show search_path"); strings.Contains(path, "elsewhere") {
			t.Fatalf("the search_path of the load is %s", path)
		}
	}

	s.waitFor("the query's locks to go", "select not exists (select from pg_locks where locktype = 'advisory' and objid in (4711, 4712))")
}

// schemaRole returns the name of a role of the sandbox.
func (s sandbox) schemaRole() string {
	return "role_" + strings.TrimPrefix(queryOne[string](s.t, s.pool, "select current_database()"), "test_")
}

// A query cannot escape its time limit, and no server process continues it afterwards.
func TestQueriesHaveATimeout(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec(`create function stubborn() returns geometry language plpgsql as $$ begin
		loop begin perform pg_sleep(3600); exception when query_canceled then end; end loop; end $$`)

	// The planner evaluates immutable functions, before the query's time begins.
	s.exec(`create function untimed() returns geometry immutable language plpgsql as $$ begin
		perform set_config('statement_timeout', '0', false); return st_makeenvelope(0, 0, 1, 1); end $$`)
	for name, sql := range map[string]string{
		"one that sleeps":          "select " + square + " from pg_sleep(3600)",
		"one that computes":        "select " + square + " from generate_series(1, 1e15::bigint) n where n < 0",
		"one that goes on":         "select stubborn()",
		"one without a time limit": "select untimed() from pg_sleep(3600)",
	} {
		for _, args := range [][]string{{"load", "--table", "grid"}, {"plan"}} {
			if args[0] == "plan" && name != "one that sleeps" {
				continue
			}
			r := cli(t, s.dsn, append(args, "--cell-size", "1", "--aoi-sql", sql, "--aoi-sql-timeout", "300ms")...)
			if !strings.Contains(r.stderr, "limits to 300ms") {
				t.Errorf("%s: the error does not mention the time limit", name)
			}
			r.expect(t, 1, "aoi-sql-timeout")
		}
		s.waitFor(name+" to end", "select not exists (select from pg_stat_activity where datname = current_database() and application_name = $1)", s.application())
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from pg_class where relname in ('grid', 'runs')"); n != 0 {
		t.Error("the query or the load made something")
	}

	// A sufficient limit causes no error, and the load may take longer than the query.
	mustCLI(t, s.dsn, "load", "--table", "grid", "--cell-size", "1", "--aoi-sql", "select "+square, "--aoi-sql-timeout", "1h")
	if _, err := loader.ResolveArea(context.Background(), s.pool, &loader.Area{SQL: "select 1", SQLTimeout: -time.Second}, 0); err == nil || !strings.Contains(err.Error(), "aoi-sql-timeout") {
		t.Errorf("a negative time: %v", err)
	}
}

// If somebody cancels the query, the job is not wrong: it may succeed next time.
func TestACancelledQuery(t *testing.T) {
	s := newSandbox(t)
	pool := openPool(t, s.dsn, nil)
	done := make(chan error, 1)
	go func() {
		_, err := loader.ResolveArea(context.Background(), pool, &loader.Area{SQL: "select " + square + " from pg_sleep(3600) /* " + s.schema + " */"}, 0)
		done <- err
	}()

	s.waitFor("the query to be cancelled", "select count(pg_cancel_backend(pid)) > 0 from pg_stat_activity where query like '%pg_sleep%' || $1 || '%' and pid <> pg_backend_pid() and state = 'active'", s.schema)

	// A cancel request between two protocol messages is lost, so keep sending it.
	var err error
	for ended := false; !ended; {
		select {
		case err = <-done:
			ended = true
		case <-time.After(time.Second):
			s.exec("select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep%' || $1 || '%' and pid <> pg_backend_pid()", s.schema)
		}
	}

	var trouble *loader.ServerError
	if !errors.As(err, &trouble) || strings.Contains(err.Error(), "aoi-sql-timeout") {
		t.Errorf("got %v", err)
	}
}

// What the server lacks, or denies to a role, is not an error of the job: a schedule tries again.
func TestQueriesThatTheServerCannotRun(t *testing.T) {
	s := newSandbox(t)
	role := s.newRole("area")
	s.exec("grant usage, create on schema " + s.schema + " to " + role + "; alter role " + role + " set temp_file_limit = '1MB'; alter role " + role + " set work_mem = '64kB'")
	s.exec("create table " + s.name("districts") + " (geom geometry)")
	dsn := s.dsnOf(role, "area")

	for sql, words := range map[string][]string{
		"select geom from " + s.name("districts"): {"SQLSTATE 42501", "ask for the privilege"},
		"select st_makeenvelope(n, 0, n + 1, 1) from (select n from generate_series(1, 200000) n order by md5(n::text)) t limit 1": {"SQLSTATE 53400", "temp_file_limit"},
	} {
		cli(t, dsn, s.load("grid", "--cell-size", "1", "--aoi-sql", sql)...).expect(t, 1, append(words, "area of interest")...)
	}
}
