// Package pgtest provides tests with PostGIS: one shared server per test process, started when the first test
// needs it, and separate servers for tests that stop, kill or pause one.
//
// If a container engine answers, a server is a container. Otherwise, it is a throwaway server of the installed
// PostgreSQL, or of Debian's packages, which are installed if necessary. A line on stderr names the choice. A
// test never skips because it lacks a server: it fails and gives the reason.
//
// These environment variables choose:
//   - LOADGRID_TEST_SERVER: container or local. Defaults to container if an engine answers.
//   - LOADGRID_TEST_IMAGE: the container's image. Defaults to postgis/postgis:17-3.5, or, if only the image of
//     integration/image is on this machine, to that one.
//
// A package whose tests need a server begins with
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Time limit for a statement that makes or drops a schema or a database.
const statementTimeout = time.Minute

// Main runs the tests of a package and then removes the shared server if a test used it. Tests that leave
// goroutines behind fail. It returns the exit code for os.Exit. If a process ends in another way (a panic, a
// timeout, a signal), a reaper removes its servers a moment later.
func Main(m *testing.M) int {
	code := m.Run()
	if err := tests.close(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest: remove the test server:", err)
		return max(code, 1)
	}

	if code == 0 && !fuzzing() {
		if err := NoLeaks(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest: the tests left goroutines behind:", err)
			return 1
		}
	}

	return code
}

// DSN returns the URL of the shared server's database, with its superuser. The database has PostGIS and is shared
// by all tests of the process: make a [Schema] or a [Database] in it.
func DSN(t testing.TB) string {
	t.Helper()
	dsn, err := tests.sharedDSN()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return dsn
}

// Pool returns a pool of connections to the shared server's database. It is closed when the test ends.
func Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), DSN(t))
	if err != nil {
		t.Fatalf("pgtest: make a pool: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Schema makes an empty schema in the shared database and returns its name, which needs no quotes. When the test
// ends, the schema is dropped with everything in it.
func Schema(t testing.TB) string {
	t.Helper()
	dsn, name := DSN(t), uniqueName()
	execute(t, dsn, "create schema "+name)
	t.Cleanup(func() { execute(t, dsn, "drop schema if exists "+name+" cascade") })
	return name
}

// Database makes a database that contains only PostGIS on the shared server, and returns its URL, with the
// superuser. When the test ends, it is dropped, and its open connections are closed.
func Database(t testing.TB) string {
	t.Helper()
	return tests.template.database(t, DSN(t))
}

// template is a database with PostGIS that others are copied from. That takes a fraction of the time for creating
// the extension.
type template struct {
	mu   sync.Mutex
	name string // empty until it exists
}

// database makes a database on the server with this URL, and returns the URL of the database.
func (m *template) database(t testing.TB, admin string) string {
	t.Helper()
	from, name := m.get(t, admin), uniqueName()
	execute(t, admin, "create database "+name+" template "+from)
	t.Cleanup(func() { execute(t, admin, "drop database if exists "+name+" with (force)") })
	return databaseURL(t, admin, name)
}

func (m *template) get(t testing.TB, admin string) string {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock() // even if execute ends the test
	if m.name == "" {
		name := uniqueName()
		execute(t, admin, "create database "+name)
		// Before PostgreSQL 15, anybody may create in public, and a ledger there is refused.
		execute(t, databaseURL(t, admin, name), "create extension postgis; revoke create on schema public from public")
		m.name = name
	}

	return m.name
}

func databaseURL(t testing.TB, dsn, name string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("pgtest: read the server's URL: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

// uniqueName returns an identifier that is unique on the server.
func uniqueName() string { return "test_" + strings.ToLower(rand.Text()[:16]) }

// execute runs one statement on a connection of its own. It ignores the test's context, which has ended when the
// test cleans up.
func execute(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), statementTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("pgtest: connect for %q: %v", statement, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("pgtest: %q: %v", statement, err)
	}
}
