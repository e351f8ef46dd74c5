package integration

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// If a load is stopped while publish waits, a large table has already been analyzed, so its number of
// rows in the catalogue is an estimate.
func TestStoppedAfterAnalyze(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(10, 10)...)...)
	reader, err := s.pool.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}

	if _, err := reader.Exec(context.Background(), "select from "+s.name("grid")); err != nil {
		t.Fatal(err)
	}

	args := s.load("grid", append(boxes(300, 200), "--if-exists", "replace")...)
	p := start(t, s.dsn, args...)
	s.waitFor("publish to wait", "select exists (select from pg_locks where not granted and relation = $1::regclass)", s.name("grid"))
	_ = p.cmd.Process.Signal(interrupt)
	p.wait().expect(t, 130, "run the same command to resume it")
	s.exec("set default_statistics_target = 1; analyze " + s.name(queryOne[string](t, s.pool, "select staging_name from "+s.name("runs")+" where state = 'loading'")))
	if err := reader.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}
	mustCLI(t, s.dsn, args...)
	s.checkBoxes("grid", 300, 200)
}

// Once the ledger's schema exists, it may be the first of the search_path, for example for a role with
// that name. The table still goes where it went before.
func TestLedgerSchemaInTheSearchPath(t *testing.T) {
	t.Parallel()
	dsn := changeDSN(t, pgtest.Database(t), func(_ *url.URL, q url.Values) { q.Set("search_path", "loadgrid,public") })
	pool := openPool(t, dsn, nil)
	for range 2 {
		mustCLI(t, dsn, append([]string{"load", "--table", "grid", "--if-exists", "replace"}, boxes(5, 5)...)...)
	}
	if where := queryOne[string](t, pool, "select string_agg(schemaname, ',') from pg_tables where tablename = 'grid'"); where != "public" {
		t.Errorf("the table is in %s", where)
	}
}

// Settings of a role or a connection string must not change names, values or the course of a load.
func TestSessionSettings(t *testing.T) {
	s := newSandbox(t)
	for name, set := range map[string][2]string{
		"latin1":       {"client_encoding", "latin1"},
		"timeouts":     {"idle_session_timeout", "100"},
		"statements":   {"statement_timeout", "50"},
		"transactions": {"idle_in_transaction_session_timeout", "10"},
		"isolation":    {"default_transaction_isolation", "serializable"},
		"locks":        {"lock_timeout", "1"},
		"strings":      {"standard_conforming_strings", "off"},
	} {
		dsn := changeDSN(t, s.dsn, func(_ *url.URL, q url.Values) { q.Set(set[0], set[1]) })
		mustCLI(t, dsn, s.load("täü€ "+name, append(boxes(300, 300), "--set", "naïve=čaj", "--if-exists", "replace")...)...)
		mustCLI(t, dsn, s.load("täü€ "+name, append(boxes(300, 200), "--set", "naïve=čaj", "--if-exists", "replace")...)...)
		if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("täü€ "+name)+" where \"naïve\" = 'čaj'"); n != 300*200 {
			t.Errorf("%s: %d rows", name, n)
		}
	}
}

// Replace keeps what users have set on the table.
func TestReplaceKeepsOwnerGrantsAndComment(t *testing.T) {
	s := newSandbox(t)
	reader, owner := "reader_"+s.schema, `owner "`+s.schema+`"`
	for _, role := range []string{reader, owner} {
		name := pgx.Identifier{role}.Sanitize()
		s.exec("create role " + name)
		t.Cleanup(func() {
			s.exec("drop owned by " + name)
			s.exec("drop role " + name)
		})
	}

	mustCLI(t, s.dsn, s.load("grid", boxes(5, 5)...)...)
	s.exec("grant usage, create on schema " + s.schema + " to " + pgx.Identifier{owner}.Sanitize())
	s.exec("grant " + pgx.Identifier{owner}.Sanitize() + " to current_user") // so that the current user trusts the owner with the ledger
	s.exec("alter table " + s.name("grid") + " owner to " + pgx.Identifier{owner}.Sanitize())
	s.exec("grant select on " + s.name("grid") + " to public")
	s.exec("grant insert, update on " + s.name("grid") + " to " + reader + " with grant option")
	s.exec("comment on table " + s.name("grid") + " is 'it''s \"mine\"'")
	state := func() string {
		return queryOne[string](t, s.pool, `select concat_ws(' | ', obj_description(oid, 'pg_class'), relowner::regrole,
			(select string_agg(a::text, ' ' order by a::text) from unnest(relacl) a)) from pg_class where oid = $1::regclass`, s.name("grid"))
	}

	before := state()
	mustCLI(t, s.dsn, s.load("grid", append(boxes(6, 6), "--if-exists", "replace")...)...)
	if after := state(); after != before {
		t.Errorf("before: %s\nafter:  %s", before, after)
	}

	s.checkBoxes("grid", 6, 6)
}

// What could only fail at the end is refused before anything is written.
func TestRefusedBeforeTheLoad(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(5, 5)...)...)
	replace := s.load("grid", append(boxes(6, 6), "--if-exists", "replace")...)
	s.exec("create table " + s.name("holds") + " (g " + s.name("grid") + ")")
	cli(t, s.dsn, replace...).expect(t, 2, "depend on it", "holds")
	s.exec("drop table " + s.name("holds"))
	if pgtest.VersionOf(t, s.pool).Postgres >= 14 { // older servers do not check function bodies
		s.exec("create function " + s.name("f") + "() returns bigint language sql begin atomic select count(*) from " + s.name("grid") + "; end")
		cli(t, s.dsn, replace...).expect(t, 2, "depend on it", "function")
		s.exec("drop function " + s.name("f"))
	}
	s.exec("create function " + s.name("f") + "(" + s.name("grid") + ") returns bigint language sql as 'select 1::bigint'")
	cli(t, s.dsn, replace...).expect(t, 2, "depend on it", "function")
	s.exec("drop function " + s.name("f"))
	mustCLI(t, s.dsn, replace...)

	s.exec("create type " + s.name("kind") + " as enum ('a')")
	cli(t, s.dsn, s.load("kind", boxes(5, 5)...)...).expect(t, 2, "--table", "name of a type")
	cli(t, s.dsn, s.load("chunks", boxes(5, 5)...)...).expect(t, 2, "--table", "the ledger has a table")
	cli(t, s.dsn, append([]string{"load", "--table", "pg_catalog.grid"}, boxes(5, 5)...)...).expect(t, 2, "belongs to PostgreSQL")

	role := "appender_" + s.schema
	s.exec("create role " + role + " login password '" + canary + "'")
	t.Cleanup(func() {
		s.exec("drop owned by " + role)
		s.exec("drop role " + role)
	})

	s.exec("grant usage, create on schema " + s.schema + " to " + role)
	s.exec("grant select on all tables in schema " + s.schema + " to " + role)
	dsn := changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(role, canary) })
	cli(t, dsn, s.load("grid", "--cell-size", "1", "--extent", "10,0,20,5", "--if-exists", "append")...).expect(t, 1, "42501", "grant select, insert")
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")+" where state <> 'published'"); n != 0 {
		t.Errorf("%d of the refused loads are in the ledger", n)
	}
}

// The table's statistics include appended rows before readers come.
func TestAppendAnalyzes(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(10, 10)...)...)
	out := mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--extent", "10,0,20,10", "--if-exists", "append")...)
	if !strings.HasPrefix(out, "100 rows were added to table") {
		t.Errorf("summary:\n%s", out)
	}
	if n := queryOne[int64](t, s.pool, "select reltuples::bigint from pg_class where oid = $1::regclass", s.name("grid")); n != 200 {
		t.Errorf("the statistics have %d rows, want 200", n)
	}

	s.checkBoxes("grid", 20, 10)
}

// If another session takes the lock of the table from a run, the run stops and removes nothing that now
// belongs to the other session.
func TestLockLostToAnother(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", append(smallGrid(), "--streams", "1", "--progress", "json")...)
	b := s.pauseAtChunk(1)
	p := start(t, s.dsn, args...)
	s.waitForChunks(1)
	conn := s.connect()
	sum := sha256.Sum256([]byte("loadgrid\x00" + s.schema + "\x00grid")) // as internal/tablelock has it
	key := int64(binary.BigEndian.Uint64(sum[:8]))
	pid := queryOne[int](t, s.pool, `select pid from pg_locks where locktype = 'advisory' and objsubid = 1 and (classid::bigint << 32 | objid::bigint) = $1`, key)
	if _, err := conn.Exec(context.Background(), "select pg_terminate_backend($1)", pid); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(context.Background(), "select pg_advisory_lock($1)", key); err != nil {
		t.Fatal(err)
	}

	r := p.wait()
	r.expect(t, 3, "another run holds table")
	for _, line := range strings.Split(strings.TrimSpace(r.stderr), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("with --progress json a line is %q", line)
		}
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")+" where state = 'loading'"); n != 1 {
		t.Error("the run was removed although it belonged to another session")
	}
	if _, err := conn.Exec(context.Background(), "select pg_advisory_unlock($1)", key); err != nil {
		t.Fatal(err)
	}

	b.release()
	mustCLI(t, s.dsn, args...)
	s.checkBoxes("grid", smallCols, smallRows)
}

// The server crashes while it builds the spatial index, after it built the key. A commit that did not
// wait for the disk is lost here.
func TestServerCrashInTheIndexStage(t *testing.T) {
	server := pgtest.NewServer(t, map[string]string{"wal_writer_delay": "10s"})
	s := sandboxIn(t, server.DSN(), "public")
	b := s.newPausepoint() // until the crash
	b.atStatement(`create index%loadgrid\_staging%`)
	p := start(t, s.dsn, s.load("grid", boxes(300, 200)...)...)
	b.waitUntilReached()
	s.waitFor("the key's index", `select exists (select from pg_class where relname like 'loadgrid\_staging%\_pkey')`)
	server.Kill()
	server.Start()
	if r := p.wait(); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	s.checkBoxes("grid", 300, 200)
}
