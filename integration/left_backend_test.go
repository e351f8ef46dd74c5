package integration

import (
	"net/url"
	"strings"
	"testing"
)

// newSandboxOnOldServer returns a sandbox whose server does not check whether its clients still exist,
// like PostgreSQL 13 and servers on some platforms.
func newSandboxOnOldServer(t *testing.T) sandbox {
	t.Helper()
	s := newSandbox(t)
	if queryOne[int](t, s.pool, "select current_setting('server_version_num')::integer") >= 140000 {
		s.dsn = changeDSN(t, s.dsn, func(_ *url.URL, q url.Values) { q.Set("options", "-cclient_connection_check_interval=24h") })
	}

	return s
}

// A statement that ignores its cancellation outlives its client. Whichever part of a load sent it,
// loadgrid ends its backend, which releases its locks.
func TestNoBackendIsLeft(t *testing.T) {
	area := []string{"--aoi-sql", "select st_makeenvelope(0, 0, 20, 10) from BUSY() b"}
	replace := append(boxes(20, 10), "--if-exists", "replace")

	for name, test := range map[string]struct {
		load []string
		code int // after SIGINT; 0 if the load is not stopped
	}{
		"after, chunks":   {appendArgs(replace, "--chunk-rows", "50", "--after", "select BUSY()"), 130},
		"after, time-out": {appendArgs(replace, "--chunk-rows", "50", "--after", "select BUSY()", "--after-timeout", "300ms"), 4},
		"before":          {appendArgs(replace, "--before", "select BUSY()"), 130},
		"area":            {append(area, "--cell-size", "1", "--if-exists", "replace"), 130},
		"trigger":         {append(boxes(20, 10), "--if-exists", "append"), 130},
		"index":           {appendArgs(replace, "--partitions", "2"), 130},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandboxOnOldServer(t)
			busy := s.name("busy")
			s.exec("create table " + s.name("at_work") + " as select")
			s.exec("create function " + busy + `(n integer default 0) returns integer immutable language plpgsql as $$ begin
					while exists (select from ` + s.name("at_work") + `) loop
						begin perform pg_sleep(3600); exception when query_canceled then null; end;
					end loop;
					return n;
				end $$`)

			first := boxes(20, 10)
			if name == "index" {
				first = append(first, "--partitions", "2")
			}
			if name == "trigger" {
				first = []string{"--cell-size", "1", "--extent", "100,0,110,10"}
			}

			mustCLI(t, s.dsn, s.load("grid", first...)...)
			if name == "index" {
				s.exec("delete from " + s.name("at_work"))
				s.exec("create index on " + s.name("grid") + " (" + busy + "(col))")
				s.exec("insert into " + s.name("at_work") + " select")
			}
			if name == "trigger" {
				s.exec("create function " + s.name("slow") + "() returns trigger language plpgsql as $$ begin perform " + busy + "(); return new; end $$")
				s.exec("create trigger slow before insert on " + s.name("grid") + " for each row execute function " + s.name("slow") + "()")
			}

			args := s.load("grid", test.load...)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "BUSY", busy)
			}

			p := start(t, s.dsn, args...)
			s.waitFor("the function to be at work", "select exists (select from pg_stat_activity where application_name = $1 and wait_event = 'PgSleep')", s.application())
			if test.code == 130 {
				_ = p.cmd.Process.Signal(interrupt)
			}
			p.wait().expect(t, test.code)

			s.checkNoSessions("grid")
			s.exec("delete from " + s.name("at_work"))
			mustCLI(t, s.dsn, args...)
		})
	}
}
