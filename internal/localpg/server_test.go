//go:build unix

package localpg

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// installation returns the installed PostgreSQL. If there is none, the test fails if
// LOADGRID_TEST_LOCALPG is set, and otherwise reports that it is skipped.
func installation(t *testing.T) Installation {
	t.Helper()
	inst, err := Find()
	if err != nil {
		if os.Getenv("LOADGRID_TEST_LOCALPG") != "" {
			t.Fatalf("LOADGRID_TEST_LOCALPG is set, so this test must run: %v", err)
		}
		t.Skipf("skipped, because there is no server to start (with LOADGRID_TEST_LOCALPG=1 this would be a failure): %v", err)
	}
	return inst
}

// emptyTempDir makes servers use an empty temporary directory.
func emptyTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "lg test+*") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)

	return dir
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Errorf("left behind: %s", entry.Name())
	}
}

func query(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var answer string
	if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatal(err)
	}

	return answer
}

func TestServerOnSocket(t *testing.T) {
	inst := installation(t)
	tmp := emptyTempDir(t)
	s, err := Start(t.Context(), inst, Options{Settings: map[string]string{"full_page_writes": "on", "application_name": `it's a \ test`}})
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { s.Stop() })
	for sql, want := range map[string]string{
		"select st_astext('point(1 2)'::geometry)":                          "POINT(1 2)",
		"select current_database()":                                         "loadgrid",
		"select current_setting('server_encoding')":                         "UTF8",
		"select current_setting('fsync')":                                   "off",
		"select current_setting('full_page_writes')":                        "on",
		"select current_setting('listen_addresses')":                        "",
		"select reset_val from pg_settings where name = 'application_name'": `it's a \ test`,
	} {
		if got := query(t, s.DSN(), sql); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}

	info, err := os.Stat(s.Dir())
	if err != nil {
		t.Fatal(err)
	}

	if info.Mode().Perm() != 0o700 {
		t.Errorf("the server's directory is open: %v", info.Mode())
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; owner == 0 {
		t.Error("the server's directory belongs to root")
	}

	// An open transaction does not delay the stop.
	conn, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "begin; create table t ()"); err != nil {
		t.Fatal(err)
	}

	pid := s.process.Process.Pid
	start := time.Now()
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}

	if took := time.Since(start); took > stopTimeout {
		t.Errorf("stopping took %v", took)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}

	requireEmpty(t, tmp)
}

func TestServerOnTCPWantsPassword(t *testing.T) {
	inst := installation(t)
	emptyTempDir(t)
	s, err := Start(t.Context(), inst, Options{TCP: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if got := query(t, s.DSN(), "select host(inet_server_addr())"); got != "127.0.0.1" {
		t.Errorf("connected to %s", got)
	}

	u, err := url.Parse(s.DSN())
	if err != nil {
		t.Fatal(err)
	}

	u.User = url.UserPassword("loadgrid", "guess")
	_, err = pgx.Connect(t.Context(), u.String())
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != pgerrcode.InvalidPassword {
		t.Errorf("a wrong password gets %v, want SQLSTATE 28P01", err)
	}
}

func TestStartFailsAndLeavesNothing(t *testing.T) {
	inst := installation(t)
	tests := []struct{ name, setting, value, want string }{
		{"a setting that the server does not know", "no_such_setting", "1", "no_such_setting"},
		{"a value that it refuses", "shared_buffers", "a lot", "its log"},
		{"an invalid name", "a = b", "1", "not a name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tmp := emptyTempDir(t)
			s, err := Start(t.Context(), inst, Options{Settings: map[string]string{test.setting: test.value}})
			if err == nil {
				s.Stop()
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error does not say %q: %v", test.want, err)
			}
			requireEmpty(t, tmp)
		})
	}
}

func TestStartCancelledLeavesNothing(t *testing.T) {
	inst := installation(t)
	// During initdb, server start or create extension, depending on the machine, or not at all.
	for _, after := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond,
		500 * time.Millisecond, 700 * time.Millisecond, 900 * time.Millisecond, 1200 * time.Millisecond, 1800 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			tmp := emptyTempDir(t)
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(after, cancel)
			defer timer.Stop()

			s, err := Start(ctx, inst, Options{})
			switch {
			case err == nil:
				if err := s.Stop(); err != nil {
					t.Error(err)
				}
			case !errors.Is(err, context.Canceled):
				t.Errorf("error %v, want context.Canceled", err)
			}
			requireEmpty(t, tmp)
		})
	}
}

func TestSettingLines(t *testing.T) {
	got, err := settingLines(map[string]string{"b.c": `it's \`, "a": ""})
	if want := "a = ''\nb.c = 'it''s \\\\'\n"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for name, value := range map[string]string{"a b": "", "": "", "a": "1\nb = 2"} {
		if _, err := settingLines(map[string]string{name: value}); err == nil {
			t.Errorf("%q = %q was taken", name, value)
		}
	}
}

func TestTail(t *testing.T) {
	if got := tail(strings.Repeat("line\n", 30)); strings.Count(got, "line") != 20 {
		t.Errorf("tail kept %q", got)
	}
}
