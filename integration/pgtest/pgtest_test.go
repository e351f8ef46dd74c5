package pgtest_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// query returns the value of a query with one row and one column, on a connection of its own.
func query[T any](t *testing.T, dsn, sql string, args ...any) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var value T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}

	return value
}

func TestSharedServerHasPostGIS(t *testing.T) {
	var version string
	if err := pgtest.Pool(t).QueryRow(t.Context(), "select postgis_version()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	t.Log("PostGIS", version)
	if !query[bool](t, pgtest.DSN(t), "select usesuper from pg_user where usename = current_user") {
		t.Error("the user is not a superuser")
	}
}

func TestSchemaIsFreshAndGoneAfterwards(t *testing.T) {
	const exists = "select count(*) from pg_namespace where nspname = $1"
	var first, second string
	t.Run("inside", func(t *testing.T) {
		first, second = pgtest.Schema(t), pgtest.Schema(t)
		if first == second {
			t.Errorf("two schemas have the name %s", first)
		}
		if n := query[int](t, pgtest.DSN(t), exists, first); n != 1 {
			t.Errorf("%d schemas %s, want 1", n, first)
		}
		if _, err := pgtest.Pool(t).Exec(t.Context(), "create table "+first+".t (geom geometry)"); err != nil {
			t.Error(err)
		}
	})

	for _, name := range []string{first, second} {
		if n := query[int](t, pgtest.DSN(t), exists, name); n != 0 {
			t.Errorf("schema %s is still there", name)
		}
	}
}

func TestDatabaseIsFreshAndGoneAfterwards(t *testing.T) {
	var name string
	t.Run("inside", func(t *testing.T) {
		dsn := pgtest.Database(t)
		name = query[string](t, dsn, "select current_database()")
		query[string](t, dsn, "select postgis_version()")
		const tables = "select count(*) from pg_tables where schemaname = 'public' and tablename <> 'spatial_ref_sys'"
		if n := query[int](t, dsn, tables); n != 0 {
			t.Errorf("%d tables in a fresh database", n)
		}
	})

	if n := query[int](t, pgtest.DSN(t), "select count(*) from pg_database where datname = $1", name); n != 0 {
		t.Errorf("database %s is still there", name)
	}
}

func TestServerOfItsOwn(t *testing.T) {
	server := pgtest.NewServer(t, map[string]string{"max_connections": "17"})
	dsn := server.DSN()
	if dsn == pgtest.DSN(t) {
		t.Fatal("it is the shared server")
	}

	for setting, want := range map[string]string{"fsync": "on", "max_connections": "17"} {
		if got := query[string](t, dsn, "select current_setting($1)", setting); got != want {
			t.Errorf("%s = %s, want %s", setting, got, want)
		}
	}

	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "create table kept as select 42 as n"); err != nil {
		t.Fatal(err)
	}

	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if paused, err := pgx.Connect(ctx, dsn); err == nil {
		paused.Close(t.Context())
		t.Error("a paused server answers")
	}

	server.Resume()
	if _, err := conn.Exec(t.Context(), "select 1"); err != nil {
		t.Errorf("the connection did not outlive a pause: %v", err)
	}

	server.Kill()
	if _, err := conn.Exec(t.Context(), "select 1"); err == nil {
		t.Error("a killed server answers")
	} else if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && !strings.Contains(refused.Message, "unexpected postmaster exit") {
		// A backend may notice that its postmaster is gone before it is killed itself.
		t.Errorf("a killed server said %v: it was shut down in order", refused)
	}

	server.Start()
	if n := query[int](t, dsn, "select n from kept"); n != 42 {
		t.Errorf("n = %d after a crash, want 42", n)
	}

	server.Stop()
	server.Start()
	if n := query[int](t, dsn, "select n from kept"); n != 42 {
		t.Errorf("n = %d after a restart, want 42", n)
	}

	server.Stop() // a stopped server can be removed, too
}
