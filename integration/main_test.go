// Package integration tests loadgrid as a whole, both the program and the library, against a real
// PostGIS.
package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

func TestMain(m *testing.M) {
	os.Exit(buildAndTest(m))
}

// parallelTests is how many tests run in parallel on each processor, unless the command line sets it.
// Most of the time, tests wait for a server, a lock or a process.
const parallelTests = 3

// binaryVariable is the environment variable with the path of the program that TestMain has built.
const binaryVariable = "LOADGRID_TEST_BINARY"

func buildAndTest(m *testing.M) int {
	if os.Getenv(binaryVariable) != "" { // a worker of a fuzz test, which already has the program
		return pgtest.Main(m)
	}

	dir, err := os.MkdirTemp("", "loadgrid-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "loadgrid")
	args := []string{"build", "-o", binary}
	if withRace { // the program is built like its tests
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "github.com/loadgrid/loadgrid/cmd/loadgrid")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building loadgrid: %v\n%s", err, out)
		return 1
	}

	os.Setenv(binaryVariable, binary)
	// Otherwise each of these many processes sleeps for a second at its end, so that the race detector
	// sees what its goroutines still do.
	os.Setenv("GORACE", "atexit_sleep_ms=20 "+os.Getenv("GORACE"))
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })

	if !chosen {
		if err := flag.Set("test.parallel", fmt.Sprint(parallelTests*runtime.GOMAXPROCS(0))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}

	return pgtest.Main(m)
}

// result is the output of a finished process.
type result struct {
	code           int
	stdout, stderr string
}

// process is a running loadgrid.
type process struct {
	t              *testing.T
	cmd            *exec.Cmd
	dsn            string
	stdout, stderr output
	over           *result // what wait returned
}

// output is what a process has written. It may be read while the process writes more.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// waitForOutput waits until the process has written these words to stderr this many times.
func (p *process) waitForOutput(words string, times int) {
	p.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if strings.Count(p.stderr.String(), words) >= times {
			return
		}
	}
	p.t.Fatalf("waited five minutes for %q in:\n%s", words, p.stderr.String())
}

// start starts loadgrid with a DSN in its environment.
func start(t *testing.T, dsn string, args ...string) *process {
	t.Helper()
	return startWith(t, nil, dsn, args...)
}

// startWith starts loadgrid with a DSN and other variables in its environment.
func startWith(t *testing.T, env []string, dsn string, args ...string) *process {
	t.Helper()
	p := &process{t: t, dsn: dsn, cmd: exec.Command(os.Getenv(binaryVariable), args...)}
	p.cmd.Env = append(append(os.Environ(), env...), "LOADGRID_DSN="+dsn)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// wait waits for the process to end; a code of -1 means that it was killed.
func (p *process) wait() result {
	p.t.Helper()
	if p.over != nil {
		return *p.over
	}

	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			p.t.Fatal(err)
		}
	case <-time.After(15 * time.Minute): // a busy machine needs time
		_ = p.cmd.Process.Kill()
		<-done
		p.t.Fatalf("loadgrid %q did not end:\n%s", p.cmd.Args[1:], p.stderr.String())
	}

	r := result{p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
	if strings.Contains(r.stderr, "DATA RACE") || strings.Contains(r.stderr, "panic:") {
		p.t.Errorf("loadgrid %q:\n%s", p.cmd.Args[1:], r.stderr)
	}

	p.checkNoSecrets(r)
	p.over = &r
	return r
}

// cli runs loadgrid until it ends.
func cli(t *testing.T, dsn string, args ...string) result {
	t.Helper()
	return start(t, dsn, args...).wait()
}

// mustCLI runs loadgrid, checks that it succeeds, and returns its stdout.
func mustCLI(t *testing.T, dsn string, args ...string) string {
	t.Helper()
	r := cli(t, dsn, args...)
	if r.code != 0 {
		t.Fatalf("loadgrid %q: exit code %d\n%s", args, r.code, r.stderr)
	}
	return r.stdout
}

// expect fails unless a process ended with this exit code and one line of error that contains all of the
// words.
func (r result) expect(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d: %s", r.code, code, r.stderr)
	}

	last := lastLine(r.stderr)
	for _, w := range words {
		if !strings.Contains(last, w) {
			t.Errorf("want %q in: %s", w, last)
		}
	}
}

// lastLine returns the last line, without progress and without the lines below a run's error. On a busy
// machine, a progress line may appear at any time, once a stage has taken a second.
func lastLine(s string) string {
	progress := regexp.MustCompile(`^(\{"type":"progress"|(plan|load|freeze|index|analyze|publish): [0-9]|  (kept|next): )`)
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for _, line := range slices.Backward(lines) {
		if !progress.MatchString(line) {
			return line
		}
	}
	return lines[len(lines)-1]
}

// summary returns the summary from the lines that --progress json writes.
func (r result) summary(t *testing.T) loader.Summary {
	t.Helper()
	for _, line := range strings.Split(r.stderr, "\n") {
		var s struct {
			Type string
			loader.Summary
		}
		if json.Unmarshal([]byte(line), &s) == nil && s.Type == "summary" {
			return s.Summary
		}
	}

	t.Fatalf("no summary: exit code %d\n%s", r.code, r.stderr)
	return loader.Summary{}
}

// mustSummary runs loadgrid, checks that it succeeds, and returns its summary.
func mustSummary(t *testing.T, dsn string, args ...string) loader.Summary {
	t.Helper()
	r := cli(t, dsn, appendArgs(args, "--progress", "json")...)
	if r.code != 0 {
		t.Fatalf("loadgrid %q: exit code %d\n%s", args, r.code, r.stderr)
	}
	return r.summary(t)
}

// warnings returns the warnings from the lines that --log-format json writes.
func (r result) warnings(t *testing.T) (list []string) {
	t.Helper()
	logged := false
	for line := range strings.Lines(r.stderr) {
		var record struct{ Level, Msg string }
		if json.Unmarshal([]byte(line), &record) != nil {
			continue
		}

		logged = logged || record.Level != ""
		if record.Level == "WARN" {
			list = append(list, record.Msg)
		}
	}

	if !logged {
		t.Errorf("no log in JSON: %s", r.stderr)
	}
	return list
}

// sandbox is a schema for the tables and the ledger of one test.
type sandbox struct {
	t      *testing.T
	pool   *pgxpool.Pool
	dsn    string // for loadgrid
	schema string
	quiet  bool // nothing else uses the server
	// crashed reports whether the server was killed and has lost its statistics of VACUUM.
	crashed bool
}

func newSandbox(t *testing.T) sandbox {
	t.Helper()
	t.Parallel()
	s := sandboxIn(t, pgtest.DSN(t), pgtest.Schema(t))
	t.Cleanup(s.checkNoSecrets)
	return s
}

// newDatabaseSandbox returns a sandbox with its own database, for tests that concern a whole database.
func newDatabaseSandbox(t *testing.T) sandbox {
	t.Helper()
	t.Parallel()
	s := sandboxIn(t, pgtest.Database(t), "public")
	t.Cleanup(s.checkNoSecrets)
	return s
}

func sandboxIn(t *testing.T, dsn, schema string) sandbox {
	t.Helper()
	s := sandbox{t: t, pool: openPool(t, dsn, nil), schema: schema}
	s.dsn = changeDSN(t, dsn, func(_ *url.URL, q url.Values) { q.Set("application_name", s.application()) })
	return s
}

// application is the application name of the sandbox's loadgrid processes.
func (s sandbox) application() string { return "loadgrid-in-" + s.schema }

// connect returns a connection for the test itself.
func (s sandbox) connect() *pgx.Conn {
	s.t.Helper()
	conn, err := pgx.ConnectConfig(context.Background(), s.pool.Config().ConnConfig)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// waitForEnd waits until the server has noticed the end of the sandbox's loadgrid processes.
func (s sandbox) waitForEnd() {
	s.t.Helper()
	s.waitFor("the connections of a killed load to end",
		"select not exists (select from pg_stat_activity where datname = current_database() and application_name = $1)", s.application())
}

// load returns the arguments of a load into a table of the sandbox.
func (s sandbox) load(table string, args ...string) []string {
	return append([]string{"load", "--table", s.schema + "." + table, "--ledger-schema", s.schema}, args...)
}

// name returns a table's name for SQL.
func (s sandbox) name(table string) string {
	return pgx.Identifier{s.schema, table}.Sanitize()
}

func (s sandbox) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.pool.Exec(context.Background(), sql, args...); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// queryOne returns the single value of a query.
func queryOne[T any](t *testing.T, pool *pgxpool.Pool, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := pool.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// checkBoxes checks with PostGIS that the table contains exactly the unit boxes of the columns 0 to
// cols-1 and rows 0 to rows-1, byte for byte, each once, with key, index and statistics. It also checks
// that nothing of the run is left over.
func (s sandbox) checkBoxes(table string, cols, rows int64) {
	s.t.Helper()
	s.checkCells(table, cols*rows)
	wrong := queryOne[int64](s.t, s.pool, `
		select count(*) from `+s.name(table)+`
		where col not between 0 and $1 - 1 or row not between 0 and $2 - 1
		   or st_asbinary(geom, 'NDR') <> st_asbinary(st_makepolygon(st_makeline(array[
		        st_point(col + 1, row), st_point(col + 1, row + 1), st_point(col, row + 1), st_point(col, row), st_point(col + 1, row)])), 'NDR')`,
		cols, rows)
	if wrong != 0 {
		s.t.Errorf("%d rows of %s are not the expected boxes", wrong, table)
	}
}

// checkCells checks what must hold for each finished table.
func (s sandbox) checkCells(table string, rows int64) {
	s.t.Helper()
	name := s.name(table)
	if n := queryOne[int64](s.t, s.pool, "select count(*) from "+name); n != rows {
		s.t.Errorf("%s has %d rows, want %d", table, n, rows)
	}
	if n := queryOne[int64](s.t, s.pool, "select count(*) from (select distinct col, row from "+name+") d"); n != rows {
		s.t.Errorf("%s has %d different cells, want %d", table, n, rows)
	}
	if n := queryOne[int64](s.t, s.pool, `select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
		where i.indrelid = $1::regclass and i.indisvalid and (i.indisprimary and a.amname = 'btree' or a.amname = 'gist')`, name); n != 2 {
		s.t.Errorf("%s has %d of primary key and spatial index", table, n)
	}

	if n := queryOne[int64](s.t, s.pool, "select count(*) from pg_stats where schemaname = $1 and tablename = $2", s.schema, table); n < 4 {
		s.t.Errorf("%s has statistics of %d columns", table, n)
	}
	s.checkNothingLeft()
}

// states returns the states of the runs in the ledger, in order.
func (s sandbox) states() string {
	s.t.Helper()
	return queryOne[string](s.t, s.pool, "select coalesce(string_agg(state, ' ' order by id), '') from "+s.name("runs"))
}

// retries returns the number of retries in the newest start in the ledger.
func (s sandbox) retries() int {
	s.t.Helper()
	return queryOne[int](s.t, s.pool, "select coalesce(retries, 0) from "+s.name("attempts")+" order by started_at desc limit 1")
}

// checkNothingLeft checks that there are no staging tables, unfinished runs or locks.
func (s sandbox) checkNothingLeft() {
	s.t.Helper()
	if n := queryOne[int64](s.t, s.pool, "select count(*) from pg_class where relnamespace = $1::regnamespace and relname like 'loadgrid\\_staging%'",
		pgx.Identifier{s.schema}.Sanitize()); n != 0 {
		s.t.Errorf("%d staging tables or indexes are left", n)
	}

	if queryOne[bool](s.t, s.pool, "select to_regclass($1) is not null", s.name("runs")) {
		if n := queryOne[int64](s.t, s.pool, "select count(*) from "+s.name("runs")+" where state = 'loading'"); n != 0 {
			s.t.Errorf("%d runs are unfinished in the ledger", n)
		}
	}
}
