package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testleak"
	"github.com/loadgrid/loadgrid/loader"
)

// asLoadgrid makes the test binary behave as loadgrid itself, for tests that
// need a process.
const asLoadgrid = "LOADGRID_TEST_AS_LOADGRID"

func TestMain(m *testing.M) {
	if os.Getenv(asLoadgrid) != "" {
		main()
	}
	testleak.Main(m)
}

// call runs loadgrid with these arguments. It fails if the output contains one of the passwords of the tests.
func call(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, args, strings.NewReader(""), &out, &errs)
	for _, s := range []string{secret, "s3kr1tPw"} { // the tests' passwords
		if strings.Contains(out.String(), s) || strings.Contains(errs.String(), s) {
			panic("a password is shown: " + out.String() + errs.String())
		}
	}

	return code, out.String(), errs.String()
}

// clearEnv removes the variables, and the service and password files of the home directory, that would
// lead a test to a real server.
func clearEnv(t testing.TB) {
	t.Helper()
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "PG") || name == "LOADGRID_DSN" {
			t.Setenv(name, "") // so that it is put back
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}

	t.Setenv("HOME", t.TempDir())
}

// unusedServer is a server to which the test must not connect.
func unusedServer(t *testing.T) (dsn string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	touched := make(chan bool)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_ = conn.Close()
		}
		touched <- err == nil
	}()

	t.Cleanup(func() {
		_ = l.Close()
		if <-touched {
			t.Error("somebody connected to the server")
		}
	})

	return "postgresql://me@" + l.Addr().String() + "/gis?sslmode=disable"
}

// checkOneLine fails unless stderr is one line of loadgrid that contains all of want.
func checkOneLine(t *testing.T, stderr string, want ...string) {
	t.Helper()
	if !strings.HasPrefix(stderr, "loadgrid: ") || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "\n") {
		t.Errorf("stderr should be one line: %q", stderr)
	}

	for _, w := range want {
		if !strings.Contains(stderr, w) {
			t.Errorf("stderr lacks %s: %s", w, stderr)
		}
	}
}

func TestExitCodeAndReport(t *testing.T) {
	param := &geomgen.ParamError{Param: "cell-size", Value: "0", Reason: "must be greater than 0"}
	server := &loader.ServerError{Doing: "connecting to db:5432", Err: errors.New("no\n\tanswer"), Advice: "look"}
	resumable := &loader.ResumableError{Run: 7, Committed: 3, Chunks: 9, Err: server}
	locked := &loader.LockedError{Table: loader.Table{Schema: "a", Name: "b"}, Holder: "backend 12"}
	interrupted, terminated := signalError{2}, signalError{15}

	for _, tt := range []struct {
		name  string
		cause error // why the context ended, nil if it did not
		err   error
		code  int
		want  string
	}{
		{"param", nil, param, 2, "loadgrid: --cell-size 0: must be greater than 0\n"},
		{"param inside another", nil, fmt.Errorf("planning: %w", param), 2, "loadgrid: --cell-size 0: must be greater than 0\n"},
		{"param without a value", nil, &geomgen.ParamError{Param: "extent", Reason: "is empty"}, 2, "loadgrid: --extent \"\": is empty\n"},
		{"param of two lines", nil, &geomgen.ParamError{Param: "set", Value: "a\nb", Reason: "no"}, 2, "loadgrid: --set a b: no\n"},
		{"usage", nil, usageError{errors.New("unknown flag: --x")}, 2, "loadgrid: unknown flag: --x: see 'loadgrid plan --help'\n"},
		{"no ledger", nil, &loader.NoLedgerError{Schema: "lodgrid", Database: "gis"}, 2, "loadgrid: there is no ledger in schema lodgrid of database gis: the first load creates it; use --ledger-schema for another schema\n"},
		{"no run", nil, &loader.NoRunError{Schema: "loadgrid", ID: 5}, 2, "loadgrid: the ledger in schema loadgrid has no run 5\n"},
		{"locked", nil, locked, 3, "loadgrid: another run holds table a.b (backend 12): wait until it ends\n"},
		{"resumable", nil, resumable, 4,
			"loadgrid: run 7 stopped with 3 of 9 chunks committed; run the same command to resume it: connecting to db:5432: no answer: look\n"},
		{"resumable before what stopped it", nil,
			&loader.ResumableError{Run: 7, Committed: 3, Chunks: 9, Err: param}, 4,
			"loadgrid: run 7 stopped with 3 of 9 chunks committed; run the same command to resume it: cell-size 0: must be greater than 0\n"},
		{"server", nil, server, 1, "loadgrid: connecting to db:5432: no answer: look\n"},
		{"other", nil, errors.New("a\nb"), 1, "loadgrid: a b\n"},
		{"cancelled by no signal", context.Canceled, context.Canceled, 1, "loadgrid: context canceled\n"},
		{"SIGINT", interrupted, context.Canceled, 130, "loadgrid: stopped by SIGINT\n"},
		{"SIGTERM", terminated, fmt.Errorf("copying: %w", context.Canceled), 143, "loadgrid: stopped by SIGTERM\n"},
		{"SIGINT with something to resume", interrupted, resumable, 130,
			"loadgrid: stopped by SIGINT: run 7 has 3 of 9 chunks committed; run the same command to resume it\n"},
		{"SIGTERM with something to resume", terminated, resumable, 143,
			"loadgrid: stopped by SIGTERM: run 7 has 3 of 9 chunks committed; run the same command to resume it\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)

			if tt.cause != nil {
				cancel(tt.cause)
			}
			if code := exitCode(ctx, tt.err); code != tt.code {
				t.Errorf("exit code %d, should be %d", code, tt.code)
			}

			var b bytes.Buffer
			if reportError(&b, ctx, "loadgrid plan", false, tt.err); b.String() != tt.want {
				t.Errorf("got  %q\nwant %q", b.String(), tt.want)
			}
		})
	}
}
