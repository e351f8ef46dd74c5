package integration

import (
	"context"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
)

// limitedRole makes a role that may have a limited number of connections. Further ones are refused with
// the error of a server that has too many (53300). The role owns a ledger in the sandbox.
func (s sandbox) limitedRole() (dsn string, limit func(connections string)) {
	s.t.Helper()
	name := "limited_" + s.schema
	role := pgx.Identifier{name}.Sanitize()
	s.exec("create role " + role + " login password 'x'; grant " + role + " to current_user") // so that the current user trusts the role with the ledger
	s.t.Cleanup(func() {
		s.exec("drop owned by " + role)
		s.exec("drop role " + role)
	})

	s.exec("grant usage, create on schema " + s.schema + " to " + role)
	dsn = changeDSN(s.t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(name, "x") })
	return dsn, func(connections string) {
		s.t.Helper()
		s.exec("alter role " + role + " connection limit " + connections)
	}
}

func TestTooManyConnectionsAtTheStart(t *testing.T) {
	s := newSandbox(t)
	dsn, limit := s.limitedRole()
	args := s.load("grid", smallGrid()...)
	for _, connections := range []string{"0", "1"} {
		limit(connections)
		p := start(t, dsn, appendArgs(args, "--if-exists", "replace")...)
		p.waitForOutput("53300", 2)

		if n := queryOne[int64](t, s.pool, "select count(*) from pg_class where relnamespace = $1::regnamespace", s.schema); connections == "0" && n != 0 {
			t.Errorf("with %s connections, %d relations were written", connections, n)
		}

		limit("-1")
		p.wait().expect(t, 0)
		s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows})
	}
}

// If no connection is available in the middle of a load, a stream waits for one.
func TestTooManyConnectionsInTheMiddle(t *testing.T) {
	s := newSandbox(t)
	dsn, limit := s.limitedRole()
	mustCLI(t, dsn, "migrate", "up", "--ledger-schema", s.schema)
	b := s.pauseAtChunk(3)
	p := start(t, dsn, s.load("grid", appendArgs(smallGrid(), "--progress", "json")...)...)
	b.waitUntilReached()
	s.waitForChunks(3)
	limit("1")
	s.exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'", s.application())
	p.waitForOutput("53300", 1)
	limit("-1")
	b.release()
	if r := p.wait(); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}

	s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows})
}

// Two loads of the same table start at the same moment: one of them loads it, and the other one leaves
// the table to it or finds it done.
func TestTwoLoadsAtOnce(t *testing.T) {
	s := newSandbox(t)
	for range 20 {
		s.startTwice(appendArgs(boxes(60, 50), "--chunk-rows", "500", "--progress", "json"), 60, 50)
		s.exec("drop table if exists " + s.name("grid"))
	}
}

// startTwice starts a load twice at once and checks the result.
func (s sandbox) startTwice(load []string, cols, rows int64) {
	s.t.Helper()
	args := s.load("grid", load...)
	runs := "select count(*) from " + s.name("runs") + " where state = 'published'"
	before := int64(0)
	if queryOne[bool](s.t, s.pool, "select to_regclass($1) is not null", s.name("runs")) {
		before = queryOne[int64](s.t, s.pool, runs)
	}

	both := []*process{start(s.t, s.dsn, args...), start(s.t, s.dsn, args...)}
	done := 0
	for _, p := range both {
		switch r := p.wait(); r.code {
		case 0:
			done++
		case 3:
			r.expect(s.t, 3, "another run holds table")
		case 2:
			r.expect(s.t, 2, "exists already")
		default:
			s.t.Errorf("exit code %d: %s", r.code, r.stderr)
		}
	}

	if done != 1 {
		s.t.Errorf("%d of two simultaneous loads loaded the table:\n%s\n%s", done, both[0].stderr.String(), both[1].stderr.String())
	}
	if n := queryOne[int64](s.t, s.pool, runs) - before; n != 1 {
		s.t.Errorf("the table was published %d times", n)
	}

	s.checkAfter("grid", scenario{cols: cols, rows: rows})
}

// Time limits that a role or a database sets against stray sessions do not end a load in any stage, even
// if its work or its waiting takes longer.
func TestTimeoutsOfARole(t *testing.T) {
	s := newSandbox(t)
	dsn, _ := s.limitedRole()
	role := pgx.Identifier{"limited_" + s.schema}.Sanitize()
	for _, setting := range []string{"statement_timeout = '200ms'", "lock_timeout = '100ms'", "idle_in_transaction_session_timeout = '100ms'"} {
		s.exec("alter role " + role + " set " + setting)
	}

	mustCLI(t, dsn, "migrate", "up", "--ledger-schema", s.schema)
	b := s.pauseAtChunk(3)
	p := start(t, dsn, s.load("grid", smallGrid()...)...)
	b.waitUntilReached()
	s.waitForChunks(3)
	if _, err := s.pool.Exec(context.Background(), "select pg_sleep(0.5)"); err != nil {
		t.Fatal(err)
	}

	b.release()
	if r := p.wait(); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}

	s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows})
}
