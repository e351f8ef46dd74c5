// Package pgtest gives tests a PostGIS: one server a test process, started when
// the first test asks for it, and servers of their own for tests that stop, kill
// or pause one.
//
// Where a container engine answers, a server is a container; else it is a
// throwaway server of the installed PostgreSQL, and where there is none, of
// Debian's packages, which are then installed. Which of them it is stands on
// stderr. A test never skips for want of a server: it fails and says why.
//
// These environment variables choose:
//
//   - LOADGRID_TEST_SERVER: container or local. Defaults to container where an
//     engine answers.
//   - LOADGRID_TEST_IMAGE: the container's image. Defaults to
//     postgis/postgis:17-3.5, or where that is not on this machine and the image
//     of integration/image is, to the latter.
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

// How long one statement that makes or drops a schema or a database may take.
const statementTimeout = time.Minute

// Main runs the tests of a package and then removes the shared server, if a test
// asked for it. Tests that leave goroutines behind have failed. It returns the exit
// code for os.Exit. A process that ends in
// another way (a panic, a timeout, a signal) leaves its servers to a reaper,
// which removes them a moment later.
func Main(m *testing.M) int {
	code := m.Run()
	if err := tests.close(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest: remove the test server:", err)
		return max(code, 1)
	}

	if code == 0 && !fuzzing() {
		if err := NoLeaks(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest: the tests have left goroutines:", err)
			return 1
		}
	}

	return code
}

// DSN returns the URL of the shared server's database, with its superuser. The
// database has PostGIS and belongs to all tests of the process: make a [Schema]
// or a [Database] in it.
func DSN(t testing.TB) string {
	t.Helper()
	dsn, err := tests.sharedDSN()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return dsn
}

// Pool returns a pool of connections to the shared server's database. It is closed
// when the test ends.
func Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), DSN(t))
	if err != nil {
		t.Fatalf("pgtest: make a pool: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// Schema makes an empty schema in the shared database and returns its name, which
// needs no quotes. It is dropped, with all that is in it, when the test ends.
func Schema(t testing.TB) string {
	t.Helper()
	dsn, name := DSN(t), uniqueName()
	execute(t, dsn, "create schema "+name)
	t.Cleanup(func() { execute(t, dsn, "drop schema if exists "+name+" cascade") })
	return name
}

// Database makes a database with PostGIS, and nothing else in it, on the shared
// server and returns its URL, with the superuser. It is dropped when the test
// ends; connections that are open then are closed.
func Database(t testing.TB) string {
	t.Helper()
	return tests.template.database(t, DSN(t))
}

// template is a database with PostGIS that others are copied from: that takes a
// fraction of the time that making the extension does.
type template struct {
	mu   sync.Mutex
	name string // empty until it is there
}

// database makes a database on the server with this URL, and returns its own.
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
	defer m.mu.Unlock() // also where execute ends the test
	if m.name == "" {
		name := uniqueName()
		execute(t, admin, "create database "+name)
		// Before PostgreSQL 15 anybody may create in public, and a ledger there is refused.
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

// uniqueName returns an identifier that nothing else on the server has.
func uniqueName() string { return "test_" + strings.ToLower(rand.Text()[:16]) }

// execute runs one statement on a connection of its own. It does not end with the
// test's context, which is over when the test cleans up.
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
