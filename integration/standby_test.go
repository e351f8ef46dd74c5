package integration

import (
	"testing"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// becomeStandby restarts the server as a standby without a primary: it answers queries and writes
// nothing.
func (s sandbox) becomeStandby(server *pgtest.Server) {
	s.t.Helper()
	s.exec("copy (select) to '" + queryOne[string](s.t, s.pool, "show data_directory") + "/standby.signal'")
	server.Stop()
	s.pool.Reset()
	server.Start()
	s.pool.Reset()
	if !queryOne[bool](s.t, s.pool, "select pg_is_in_recovery()") {
		s.t.Fatal("the server is not a standby")
	}
}

// A standby refuses writes: a load reports it at once. If the server becomes a standby during a load, the
// load can be resumed.
func TestStandby(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, map[string]string{"fsync": "off"})
	s := sandboxIn(t, server.DSN(), "public")
	args := s.load("grid", smallGrid()...)
	b := s.pauseAtChunk(5)
	p := start(t, s.dsn, args...)
	b.waitUntilReached()
	s.waitForChunks(5)
	s.becomeStandby(server)
	p.wait().expect(t, 4, "25006", "5 of 40 chunks committed", "connect to the primary")

	relations := "select count(*) from pg_class"
	before := queryOne[int64](t, s.pool, relations)
	cli(t, s.dsn, args...).expect(t, 1, "25006", "connect to the primary")
	cli(t, s.dsn, s.load("other", boxes(3, 3)...)...).expect(t, 1, "25006", "connect to the primary")
	cli(t, s.dsn, "runs", "drop", "1", "--ledger-schema", s.schema).expect(t, 1, "25006", "connect to the primary")
	if after := queryOne[int64](t, s.pool, relations); after != before {
		t.Errorf("%d relations became %d", before, after)
	}

	s.checkNoSessions("grid")

	s.exec("select pg_promote()")
	b.markServerGone()
	b.remove()
	mustCLI(t, s.dsn, args...)
	s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows})
}
