package integration

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/serverlimit"
	"github.com/loadgrid/loadgrid/loader"
)

// sharedDir makes a directory for temporary files that other users may enter. A server on the same
// machine sees its contents.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "loadgrid-bench-test-*")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}

	return dir
}

// bench starts loadgrid bench with its temporary files in dir.
func bench(t *testing.T, dsn, dir string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Getenv(binaryVariable), append([]string{"bench"}, args...)...)}
	p.cmd.Env = append(os.Environ(), "LOADGRID_DSN="+dsn, "TMPDIR="+dir)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// benchResult returns the result from the lines that --progress json writes.
func (r result) benchResult(t *testing.T) serverlimit.Result {
	t.Helper()
	var s struct {
		Type string
		serverlimit.Result
	}
	if err := json.Unmarshal([]byte(lastLine(r.stderr)), &s); err != nil || s.Type != "summary" || r.code != 0 {
		t.Fatalf("no summary: exit code %d, %v\n%s", r.code, err, r.stderr)
	}
	return s.Result
}

// checkBenchLeft checks that a bench left no relations in its schema, open transactions or files.
func (s sandbox) checkBenchLeft(dir string) {
	s.t.Helper()
	if n := queryOne[int64](s.t, s.pool, "select count(*) from pg_class where relnamespace = $1::regnamespace", s.schema); n != 0 {
		s.t.Errorf("%d relations are left in the schema", n)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		s.t.Errorf("%v is left in the directory for temporary files: %v", left, err)
	}
}

// checkBench checks what must hold for each result, whatever the speed.
func checkBench(t *testing.T, b serverlimit.Result, rows int64, by serverlimit.LimitSource) {
	t.Helper()
	if b.Rows != rows || b.RowsAsked != rows || b.Rounds < 3 || b.Rounds > 7 || b.RowBytes != 127 {
		t.Errorf("%d rounds of %d rows of %d bytes", b.Rounds, b.Rows, b.RowBytes)
	}
	if b.LimitBy != by {
		t.Errorf("the limit is %s (%s), want %s", b.LimitBy, b.LimitWhy, by)
	}

	for name, r := range map[string]serverlimit.Rate{"limit": b.Limit, "loadgrid": b.Loadgrid} {
		if r.Min <= 0 || r.Min > r.Median || r.Median > r.Max {
			t.Errorf("%s: %+v", name, r)
		}
	}

	if b.Share != b.Loadgrid.Median/b.Limit.Median || b.Discarded <= 0 || b.Generated <= 0 || b.Verdict == "" {
		t.Errorf("%+v", b)
	}
}

// seesFile reports whether the server sees files in a directory of this test.
func (s sandbox) seesFile(dir string) bool {
	s.t.Helper()
	f, err := os.CreateTemp(dir, "seen-*")
	if err != nil {
		s.t.Fatal(err)
	}
	defer os.Remove(f.Name())
	_ = f.Close()
	return queryOne[bool](s.t, s.pool, "select coalesce((pg_stat_file($1, true)).size = 0, false)", f.Name())
}

// For a superuser, the limit is the server's own COPY if the server sees the file. Otherwise, as in a
// container, it is COPY of prepared bytes from here, with the reason.
func TestBench(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec("create schema bench")
	s.schema = "bench"
	dir := sharedDir(t)
	want := serverlimit.LimitClientFile
	if s.seesFile(dir) {
		want = serverlimit.LimitServerFile
	}

	r := bench(t, s.dsn, dir, "--rows", "3000", "--schema", "bench", "--progress", "json").wait()
	b := r.benchResult(t)
	checkBench(t, b, 3000, want)
	if want == serverlimit.LimitClientFile && (!strings.Contains(b.LimitWhy, "does not see") || !strings.Contains(b.LimitWhy, "58P01")) {
		t.Errorf("why the limit is not a file of the server: %s", b.LimitWhy)
	}

	for _, word := range []string{"limit ", "loadgrid ", "sent alone", "made alone", "limit: ", "share: ", "rows/s", "MB/s"} {
		if !strings.Contains(r.stdout, word) {
			t.Errorf("%q is missing:\n%s", word, r.stdout)
		}
	}

	s.checkBenchLeft(dir)
	if queryOne[bool](t, s.pool, "select to_regnamespace('loadgrid') is not null") {
		t.Error("bench made a ledger")
	}
}

// A server that sees this machine's files copies from its own file.
func TestBenchOfTheServersOwnFile(t *testing.T) {
	t.Parallel()
	dir := sharedDir(t)
	dsn := pgtest.NewServerWithFiles(t, dir).DSN()
	pool, err := loader.Open(t.Context(), dsn, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	relations := "select count(*) from pg_class where relname like 'loadgrid\\_staging%'"

	for _, tt := range []struct {
		name string
		dir  string
		mode os.FileMode
		want serverlimit.LimitSource
	}{
		{"seen", dir + "/seen", 0o755, serverlimit.LimitServerFile},
		{"a quote and a backslash in its name", dir + `/it's a \ dir`, 0o755, serverlimit.LimitServerFile},
		{"nobody else may enter the directory", dir + "/private", 0o700, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.Mkdir(tt.dir, tt.mode); err != nil {
				t.Fatal(err)
			}

			progress := new(loader.Progress)
			b, err := serverlimit.Measure(t.Context(), pool, serverlimit.Options{Rows: 2500, TempDir: tt.dir, Progress: progress})
			if err != nil {
				t.Fatal(err)
			}

			if tt.want == "" { // unless root runs the test, the server runs as the same user
				tt.want = b.LimitBy
				if os.Getuid() == 0 && (b.LimitBy != serverlimit.LimitClientFile || !strings.Contains(b.LimitWhy, "42501")) {
					t.Errorf("the limit is %s, since %s", b.LimitBy, b.LimitWhy)
				}
			}

			checkBench(t, b, 2500, tt.want)
			if p := progress.Snapshot(); p.Done != 2*int64(b.Rounds)*2500 || p.Total != p.Done {
				t.Errorf("the progress ends at %d of %d rows", p.Done, p.Total)
			}
			if left, err := os.ReadDir(tt.dir); err != nil || len(left) != 0 {
				t.Errorf("%v remain: %v", left, err)
			}
		})

		if n := queryOne[int64](t, pool, relations); n != 0 {
			t.Errorf("%d tables are left", n)
		}
	}
}

// A role with nothing but a schema sends the bytes from here and needs no ledger. What the role lacks is
// refused, as load would refuse it.
func TestBenchAsAnOrdinaryRole(t *testing.T) {
	s := newSandbox(t)
	role := pgx.Identifier{"bench_" + s.schema}.Sanitize()
	s.exec("create role " + role + " login password '" + canary + "'")
	t.Cleanup(func() { s.exec("drop owned by " + role + "; drop role " + role) })

	as := func(options ...string) string {
		return changeDSN(t, s.dsn, func(u *url.URL, q url.Values) {
			u.User = url.UserPassword("bench_"+s.schema, canary)
			for i := 0; i+1 < len(options); i += 2 {
				q.Set(options[i], options[i+1])
			}
		})
	}

	dir := sharedDir(t)
	run := func(dsn string, args ...string) result { return bench(t, dsn, dir, args...).wait() }
	run(as(), "--schema", s.schema).expect(t, 1, "SQLSTATE 42501", "grant usage, create on schema "+pgx.Identifier{s.schema}.Sanitize())
	run(as(), "--schema", "no_such_schema").expect(t, 2, "--schema no_such_schema", "does not exist")
	run(as(), "--schema", "pg_catalog").expect(t, 2, "--schema pg_catalog", "belongs to PostgreSQL")
	run(as("default_transaction_read_only", "on"), "--schema", s.schema).expect(t, 1, "read-only", "SQLSTATE 25006")
	s.exec("grant usage, create on schema " + s.schema + " to " + role)
	b := run(as("search_path", s.schema+",public"), "--rows", "700", "--progress", "json").benchResult(t)
	checkBench(t, b, 700, serverlimit.LimitClientFile)
	if !strings.Contains(b.LimitWhy, "pg_read_server_files") {
		t.Errorf("why the limit is not a file of the server: %s", b.LimitWhy)
	}

	s.checkBenchLeft(dir)
}

// Ctrl-C in the middle of a COPY leaves no file, table or active backend.
func TestBenchStopped(t *testing.T) {
	s := newSandbox(t)
	for i, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		dir := sharedDir(t)
		p := bench(t, s.dsn, dir, "--rows", fmt.Sprint(3_000_000+i), "--schema", s.schema)
		for s.waitForCopy(); ; {
			if files, err := os.ReadDir(dir); err != nil {
				t.Fatal(err)
			} else if len(files) > 0 {
				break
			}
		}

		s.waitForCopy()
		_ = p.cmd.Process.Signal(signal)
		p.wait().expect(t, 128+int(signal), "stopped by SIG")
		s.waitFor("its backend to end", "select not exists (select from pg_stat_activity where query like 'copy %' || $1 || '%' and pid <> pg_backend_pid())", s.schema)
		s.checkBenchLeft(dir)
	}
}
