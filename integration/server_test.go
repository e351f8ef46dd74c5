package integration

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// changeDSN returns a DSN with parts replaced.
func changeDSN(t *testing.T, dsn string, change func(*url.URL, url.Values)) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	change(u, q)
	u.RawQuery = q.Encode()
	return u.String()
}

// Errors of the server are one line: what was tried, the server's message with its SQLSTATE, and what to
// do. They never contain the password.
func TestServerTrouble(t *testing.T) {
	s := newSandbox(t)
	const password = canary + "-Passw0rd"
	role := "trouble_" + s.schema
	s.exec("create role " + pgx.Identifier{role}.Sanitize() + " login password '" + password + "'")
	t.Cleanup(func() {
		s.exec("drop owned by " + pgx.Identifier{role}.Sanitize())
		s.exec("drop role " + pgx.Identifier{role}.Sanitize())
	})

	as := func(user, pass string, options ...string) string {
		return changeDSN(t, s.dsn, func(u *url.URL, q url.Values) {
			u.User = url.UserPassword(user, pass)
			for i := 0; i+1 < len(options); i += 2 {
				q.Set(options[i], options[i+1])
			}
		})
	}

	superuser, err := url.Parse(s.dsn)
	if err != nil {
		t.Fatal(err)
	}

	admin := superuser.User.Username()
	adminPassword, _ := superuser.User.Password()
	if adminPassword == "" {
		t.Log("this server accepts its superuser without a password")
	}

	empty := pgtest.Database(t)
	func() {
		conn, err := pgx.Connect(context.Background(), empty)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), "drop extension postgis cascade"); err != nil {
			t.Fatal(err)
		}
	}()

	tests := []struct {
		name  string
		dsn   string
		code  int
		words []string
	}{
		{"no such database", changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.Path = "/nowhere" }), 1,
			[]string{"connecting to", "database nowhere", "SQLSTATE 3D000", "create the database"}},
		{"no PostGIS", empty, 1, []string{"PostGIS is not in this database", "create extension postgis"}},
		{"no privilege", as(role, password), 1, []string{role, "SQLSTATE 42501", "grant usage, create on schema"}},
		{"read-only", as(admin, adminPassword, "default_transaction_read_only", "on"), 1, []string{"read-only", "SQLSTATE 25006"}},
	}

	if adminPassword != "" {
		tests = append(tests, struct {
			name  string
			dsn   string
			code  int
			words []string
		}{"wrong password", as(role, "wrong-"+password), 1, []string{"connecting to", "as " + role, "SQLSTATE 28P01", "PGPASSWORD"}})
	}

	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, args := range [][]string{s.load("grid", append(boxes(3, 3), "--progress", "none")...)} { // takes ten seconds on a busy machine
				r := cli(t, test.dsn, args...)
				r.expect(t, test.code, test.words...)
				if lines := strings.Count(r.stderr, "\n"); lines != 1 || r.stdout != "" {
					t.Errorf("%d lines on stderr, stdout %q:\n%s", lines, r.stdout, r.stderr)
				}
				if out := r.stdout + r.stderr; strings.Contains(out, password) || adminPassword != "" && strings.Contains(out, adminPassword) {
					t.Errorf("the password is in:\n%s", out)
				}
			}
		})
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from pg_class where relnamespace = $1::regnamespace", s.schema); n != 0 {
		t.Errorf("%d relations were written", n)
	}
}

func TestUnknownSRIDAndSchema(t *testing.T) {
	s := newSandbox(t)
	cli(t, s.dsn, s.load("grid", append(boxes(3, 3), "--srid", "999999")...)...).expect(t, 2, "--srid 999999", "does not know")
	cli(t, s.dsn, "load", "--table", "no_such_schema.grid", "--cell-size", "1", "--cols", "3", "--rows", "3").expect(t, 2, "--table no_such_schema.grid", "does not exist")
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_class where relnamespace = $1::regnamespace", s.schema); n != 0 {
		t.Errorf("%d relations were written", n)
	}
}

// A role with nothing but CONNECT on the database, and USAGE and CREATE on one schema, which contains the
// table and the ledger.
func TestRoleWithOneSchema(t *testing.T) {
	s := newSandbox(t)
	role := pgx.Identifier{"role_" + s.schema}.Sanitize()
	s.exec("create role " + role + " login password '" + canary + "'")
	s.exec("grant usage, create on schema " + s.schema + " to " + role)
	t.Cleanup(func() {
		s.exec("drop owned by " + role)
		s.exec("drop role " + role)
	})

	dsn := changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword("role_"+s.schema, canary) })
	if queryOne[bool](t, s.pool, "select has_database_privilege($1, current_database(), 'CREATE')", "role_"+s.schema) {
		t.Fatal("the role may create schemas, so this test proves nothing")
	}

	cli(t, dsn, "load", "--table", s.schema+".grid", "--ledger-schema", "new_"+s.schema, "--cell-size", "1", "--cols", "3", "--rows", "3").
		expect(t, 1, "SQLSTATE 42501", "ledger-schema", "grant create on database")
	mustCLI(t, dsn, s.load("grid", boxes(20, 10)...)...)
	mustCLI(t, dsn, s.load("grid", append(boxes(10, 10), "--if-exists", "replace")...)...)
	s.checkBoxes("grid", 10, 10)

	// A table of another role cannot be replaced, and loadgrid reports this at once.
	s.exec("alter table " + s.name("grid") + " owner to current_user")
	cli(t, dsn, s.load("grid", append(boxes(10, 10), "--if-exists", "replace")...)...).expect(t, 1, "belongs to another role", "42501")
}

// Two ledgers in one database do not know each other, but they share the lock of a table, and their
// staging tables do not collide.
func TestTwoLedgers(t *testing.T) {
	s := newSandbox(t)
	other := pgtest.Schema(t)
	b := s.pauseAtChunk(1)
	first := start(t, s.dsn, s.load("grid", smallGrid()...)...)
	s.waitForChunks(1)
	args := append([]string{"load", "--table", s.schema + ".grid", "--ledger-schema", other}, boxes(10, 10)...)
	cli(t, s.dsn, args...).expect(t, 3, "another run holds table")
	args[2] = s.schema + ".small"
	mustCLI(t, s.dsn, args...)
	b.release()
	if r := first.wait(); r.code != 0 {
		t.Fatal(r.stderr)
	}
	s.checkBoxes("grid", smallCols, smallRows)
	s.checkBoxes("small", 10, 10)
}

// PostGIS in a schema that is not in the search_path.
func TestPostGISInASchemaOfItsOwn(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := sandboxIn(t, dsn, "public")
	pool := s.pool
	s.exec("drop extension postgis cascade")
	s.exec("create schema gis")
	s.exec("create extension postgis schema gis")
	mustCLI(t, dsn, "load", "--table", "grid", "--cell-size", "10", "--srid", "3857", "--cols", "10", "--rows", "10")
	mustCLI(t, dsn, "load", "--table", "grid", "--cell-size", "10", "--srid", "3857", "--extent", "100,0,200,100", "--if-exists", "append")
	mustCLI(t, dsn, "load", "--table", "grid", "--cell-size", "10", "--srid", "3857", "--cols", "20", "--rows", "10", "--if-exists", "replace")
	if out := mustCLI(t, dsn, "demo", "--picture", ""); strings.Count(out, " right ") != 5 {
		t.Errorf("the demo prints:\n%s", out)
	}
	if n := queryOne[int64](t, pool, "select count(*) from grid"); n != 200 {
		t.Errorf("%d rows", n)
	}
	if typ := queryOne[string](t, pool, "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'grid'::regclass and attname = 'geom'"); typ != "gis.geometry(Polygon,3857)" {
		t.Errorf("the geometry is a %s", typ)
	}
	if n := queryOne[int64](t, pool, "select count(*) from pg_namespace where nspname = 'loadgrid'"); n != 1 {
		t.Error("the default ledger does not exist")
	}
}

// The demo leaves an existing database unchanged, even after Ctrl-C.
func TestDemoLeavesADatabaseAsItWas(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := sandboxIn(t, dsn, "public")
	pool := s.pool
	state := func() string {
		return queryOne[string](t, pool, `select (select string_agg(nspname, ',' order by 1) from pg_namespace where nspname not like 'pg_temp%' and nspname not like 'pg_toast%')
			|| (select string_agg(oid::text, ',' order by oid) from pg_class where relnamespace not in (select oid from pg_namespace where nspname like 'pg\_%'))`)
	}

	before := state()
	picture := filepath.Join(t.TempDir(), "demo.png")
	out := mustCLI(t, dsn, "demo", "--picture", picture)
	if strings.Count(out, " right ") != 5 || !strings.Contains(out, "800,000 rows") {
		t.Errorf("the demo prints:\n%s", out)
	}
	if after := state(); after != before {
		t.Errorf("after the demo: %s\nbefore: %s", after, before)
	}

	for i, moment := range []string{
		"select exists (select from pg_namespace where nspname like 'loadgrid\\_demo%')",
		"select exists (select from pg_class where relname like 'loadgrid\\_staging%')",
		// The view shows all databases, and other tests build indexes in their own.
		"select exists (select from pg_stat_progress_create_index where datname = current_database())",
	} {
		p := start(t, dsn, "demo", "--picture", strings.Replace(picture, "demo", fmt.Sprint("demo", i), 1))
		s.waitFor("the moment", moment)
		_ = p.cmd.Process.Signal(interrupt)
		p.wait().expect(t, 130, "SIGINT")
		if after := state(); after != before {
			t.Errorf("after Ctrl-C at moment %d: %s\nbefore the demo: %s", i, after, before)
		}
	}
}
