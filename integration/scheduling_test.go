package integration

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

const scheduling = "../docs/scheduling.md"

// documented returns the blocks of docs/scheduling.md in one language under a heading.
func documented(t *testing.T, language, heading string) []mdblocks.Block {
	t.Helper()
	blocks, err := mdblocks.Read(scheduling)
	if err != nil {
		t.Fatal(err)
	}

	var found []mdblocks.Block
	for _, b := range blocks {
		if b.Language == language && b.Heading == heading {
			found = append(found, b)
		}
	}

	return found
}

// documentedDatabase returns a sandbox with what the document's examples need: a schema, districts,
// points.
func documentedDatabase(t *testing.T) sandbox {
	t.Helper()
	t.Parallel()
	s := sandboxIn(t, pgtest.Database(t), "grids")
	s.exec("create schema grids")
	s.exec(`create table public.districts as select st_makeenvelope(4321000, 3210000, 4341000, 3220000, 3035) as geom;
		create table public.shops as select st_setsrid(st_makepoint(4321000 + 500 * i, 3210000 + 500 * j), 3035) as geom
		from generate_series(1, 39) i, generate_series(1, 19) j`)
	return s
}

// The queries on the ledger show which loads were published, failed or are running.
func TestTheDocumentedQueries(t *testing.T) {
	s := documentedDatabase(t)
	good := []string{"load", "--table", "grids.good", "--cell-size", "1", "--cols", "30", "--rows", "10"}
	cli(t, s.dsn, appendArgs(good, "--after", "select 1/0")...).expect(t, 4, "22012")
	mustCLI(t, s.dsn, good...) // the earlier failure no longer counts
	cli(t, s.dsn, "load", "--table", "grids.bad", "--cell-size", "1", "--cols", "30", "--rows", "10", "--after", "select 1/0").expect(t, 4, "22012")
	s.exec("update loadgrid.attempts set ended_at = null, outcome = null where run_id = 2; update loadgrid.attempts set outcome = 'failed' where run_id = 2 and no > 1")
	cli(t, s.dsn, "load", "--table", "grids.bad", "--cell-size", "1", "--cols", "30", "--rows", "10", "--after", "select 1/0").expect(t, 4, "22012")

	queries := documented(t, "sql", "The ledger")
	if len(queries) != 3 {
		t.Fatalf("found %d queries, want 3", len(queries))
	}

	for i, want := range [][]string{
		{"grids.bad grids bad <nil> TIME ", "grids.good grids good TIME <nil> <nil>"},
		{"TIME grids.good failed", "TIME grids.good published NUMBER", "TIME grids.bad <nil>", "TIME grids.bad failed"},
		{"2 grids bad 1 TIME "},
	} {
		got := s.lines(queries[i])
		if len(got) != len(want) {
			t.Errorf("%s: %d rows, want %d: %q", queries[i].Name(), len(got), len(want), got)
			continue
		}

		for j := range want {
			if !strings.HasPrefix(got[j], want[j]) {
				t.Errorf("%s: row %d is %q, want %q", queries[i].Name(), j+1, got[j], want[j])
			}
		}
	}

	// A live run has a backend; a killed run has none.
	p := start(t, s.dsn, "load", "--table", "grids.alive", "--cell-size", "1", "--cols", "30", "--rows", "10", "--after", "select pg_sleep(600)", "--after-timeout", "1h")
	s.waitFor("the query to tell who is alive", "select coalesce(string_agg(table_name || ' ' || coalesce(a.state, 'killed'), ', ' order by run), '') = 'bad killed, alive active' from ("+
		strings.TrimSuffix(strings.TrimSpace(queries[2].Text), ";")+") q left join pg_stat_activity a on a.pid = q.backend")
	_ = p.cmd.Process.Signal(interrupt)
	p.wait().expect(t, 130)
}

// The query on a batch shows the result of each job.
func TestTheDocumentedBatch(t *testing.T) {
	s := documentedDatabase(t)
	file := s.write("defaults: {cell-size: 1, cols: 30, rows: 10}\njobs:\n- {table: grids.good}\n- {table: grids.bad, after: select 1/0}\n")
	cli(t, s.dsn, "load", "--job", file, "--share=2026-03-01").expect(t, 4, "1 of 2 jobs failed: grids.bad")

	queries := documented(t, "sql", "What it does")
	if len(queries) != 1 {
		t.Fatalf("found %d queries, want 1", len(queries))
	}

	got, want := s.lines(queries[0]), []string{"grids.good HOST NUMBER 1 0 <nil> published", "grids.bad HOST NUMBER 2 4 "}
	if len(got) != len(want) || got[0] != want[0] || !strings.HasPrefix(got[1], want[1]) || !strings.HasSuffix(got[1], "division by zero (SQLSTATE 22012) failed") {
		t.Errorf("%q, want %q", got, want)
	}
}

// lines runs a query and returns its rows, without values that vary from time to time.
func (s sandbox) lines(b mdblocks.Block) (lines []string) {
	s.t.Helper()
	rows, err := s.pool.Query(context.Background(), `select (select string_agg(case
			when value is null then '<nil>'
			when key in ('started_at', 'last_success', 'last_failure') then 'TIME'
			when key in ('seconds', 'rows_per_second', 'process') then 'NUMBER'
			when key = 'host' and value <> '' then 'HOST'
			else value end, ' ' order by n) from json_each_text(row_to_json(q)) with ordinality as e (key, value, n))
		from (`+strings.TrimSuffix(strings.TrimSpace(b.Text), ";")+") q")
	if err != nil {
		s.t.Fatalf("%s: %v", b.Name(), err)
	}
	defer rows.Close()

	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			s.t.Fatalf("%s: %v", b.Name(), err)
		}
		lines = append(lines, line)
	}

	if err := rows.Err(); err != nil {
		s.t.Fatalf("%s: %v", b.Name(), err)
	}
	return lines
}

// The recipes for before and after do what the document describes, on two nights. The second night has
// other points.
func TestTheDocumentedSteps(t *testing.T) {
	s := documentedDatabase(t)
	recipes := documented(t, "yaml", "before and after")
	if len(recipes) != 3 {
		t.Fatalf("found %d recipes, want 3", len(recipes))
	}

	file := filepath.Join(t.TempDir(), "job.yaml")
	for _, night := range []string{"first", "second"} {
		for _, r := range recipes {
			if err := os.WriteFile(file, []byte(r.Text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := cli(t, s.dsn, "load", "--job", file); got.code != 0 {
				t.Fatalf("%s night, %s: exit code %d: %s", night, r.Name(), got.code, got.stderr)
			}
		}

		for query, want := range map[string]int64{
			"select count(*) from grids.shops_1km where st_within(geom, (select geom from districts))":                                                      200,
			"select count(*) from grids.shops_count":                                                                                                        200,
			"select sum(n) from grids.shops_count":                                                                                                          queryOne[int64](t, s.pool, "select count(*) from shops"),
			"select count(*) from pg_index where indrelid = 'grids.europe_10km'::regclass and array_length(indkey::int2[], 1) = 2":                          1,
			"select count(*) from information_schema.role_table_grants where table_name = 'europe_10km' and grantee = 'PUBLIC'":                             1,
			"select count(*) from grids.europe_10km where obj_description('grids.europe_10km'::regclass) = 'cells of 10 km, made every night' and col = 90": 460,
			"select sum(cells)::bigint from grids.overview_rows":                                                                                            65 * 46,
		} {
			if n := queryOne[int64](t, s.pool, query); n != want {
				t.Errorf("%s night: %s: %d, want %d", night, query, n, want)
			}
		}

		s.exec("delete from shops where st_x(geom) = 4321500")
		s.exec("insert into shops select st_setsrid(st_makepoint(4321500, 3210500 + j * 1000), 3035) from generate_series(0, 9) j")
	}
}

// cronNight is the document's cron script with its job file and directories of the test for its files.
type cronNight struct {
	t              *testing.T
	bin            string // contains loadgrid
	etc, log, prom string // for the job file, the log and the metrics
	script         string
}

// newCronNight takes the script and the job file from the document. It only replaces the script's
// directories, and uses cells of 100 km for the grid of Europe, so that the test is quick.
func newCronNight(t *testing.T) *cronNight {
	t.Helper()
	dir := t.TempDir()
	n := &cronNight{t: t}
	for name, to := range map[string]*string{"bin": &n.bin, "etc": &n.etc, "log": &n.log, "prom": &n.prom} {
		*to = filepath.Join(dir, name)
		if err := os.Mkdir(*to, 0o755); err != nil {
			t.Fatal(err)
		}
	}

	if err := os.Symlink(os.Getenv(binaryVariable), filepath.Join(n.bin, "loadgrid")); err != nil {
		t.Fatal(err)
	}

	for _, b := range documented(t, "sh", "cron") {
		if strings.HasPrefix(b.Text, "#!/bin/sh\n") {
			n.script = b.Text
		}
	}
	for from, to := range map[string]string{"/etc/loadgrid/": n.etc, "/var/log/loadgrid/": n.log, "/var/lib/prometheus/node-exporter/": n.prom} {
		n.script = replaceOnce(t, n.script, from, to+"/")
	}

	jobs := documented(t, "yaml", "The job")
	if len(jobs) != 1 {
		t.Fatalf("found %d job files, want 1", len(jobs))
	}
	n.writeJobs(replaceOnce(t, jobs[0].Text, "cell-size: 1000\n", "cell-size: 100000\n"))

	return n
}

// replaceOnce replaces a text that must occur exactly once.
func replaceOnce(t *testing.T, text, from, to string) string {
	t.Helper()
	if n := strings.Count(text, from); n != 1 {
		t.Fatalf("%q occurs %d times, want once, in:\n%s", from, n, text)
	}
	return strings.Replace(text, from, to, 1)
}

func (n *cronNight) jobs() string { return n.read(filepath.Join(n.etc, "nightly.yaml")) }

func (n *cronNight) writeJobs(text string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.etc, "nightly.yaml"), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

func (n *cronNight) read(file string) string {
	n.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		n.t.Fatal(err)
	}
	return string(text)
}

// run runs a script as cron does, with few variables. It returns the exit code, what cron would mail, and
// the pauses between tries, without waiting for them.
func (n *cronNight) run(script, dsn string) (code int, mail string, pauses []string) {
	n.t.Helper()
	file, slept := filepath.Join(n.t.TempDir(), "loadgrid-nightly"), filepath.Join(n.t.TempDir(), "slept")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		n.t.Fatal(err)
	}

	cmd := exec.Command("/bin/sh", "-c", `sleep() { echo "$1" >>"$SLEPT"; }; . "$0"`, file)
	cmd.Dir = n.t.TempDir()
	cmd.Env = []string{"PATH=" + n.bin + ":/usr/bin:/bin", "HOME=" + cmd.Dir, "LOADGRID_DSN=" + dsn, "SLEPT=" + slept}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		n.t.Fatal(err)
	}

	if text, err := os.ReadFile(slept); err == nil {
		pauses = strings.Fields(string(text))
	} else if !errors.Is(err, os.ErrNotExist) {
		n.t.Fatal(err)
	}

	return cmd.ProcessState.ExitCode(), string(out), pauses
}

// checkLog checks that each line of the log is an object, and that it has summaries of these jobs in this
// order. It empties the log.
func (n *cronNight) checkLog(jobs ...string) {
	n.t.Helper()
	file := filepath.Join(n.log, "nightly.log")
	var summaries []string
	for line := range strings.Lines(n.read(file)) {
		var object struct{ Type, Job string }
		if err := json.Unmarshal([]byte(line), &object); err != nil || object.Type == "" {
			n.t.Errorf("the log has no object in the line %q: %v", line, err)
		}
		if object.Type == "summary" {
			summaries = append(summaries, object.Job)
		}
	}

	if !slices.Equal(summaries, jobs) {
		n.t.Errorf("the log has summaries of %q, want %q", summaries, jobs)
	}
	if err := os.Truncate(file, 0); err != nil {
		n.t.Fatal(err)
	}
}

// checkTextfile compares the metrics in the job's own file with numbers and returns all of them. Users
// other than the owner must be able to read the file.
func (n *cronNight) checkTextfile(job string, want map[string]float64) map[string]float64 {
	n.t.Helper()
	file := filepath.Join(n.prom, "loadgrid_"+job+".prom")
	got := metricsIn(n.t, file, job)
	for name, v := range want {
		if g, ok := got[name]; !ok || g != v {
			n.t.Errorf("%s of %s is %v (there: %v), want %v", name, job, g, ok, v)
		}
	}

	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
		n.t.Errorf("the mode of %s is not 0644: %v %v", file, info, err)
	}
	return got
}

// checkTextfiles fails if node_exporter's directory contains files other than those of the two jobs.
func (n *cronNight) checkTextfiles() {
	n.t.Helper()
	entries, err := os.ReadDir(n.prom)
	if err != nil {
		n.t.Fatal(err)
	}

	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"loadgrid_districts.prom", "loadgrid_europe.prom"}; !slices.Equal(names, want) {
		n.t.Errorf("the directory of node_exporter has %q, want %q", names, want)
	}
}

// checkMail checks what cron would mail: one line, which ends in the last line of the log.
func (n *cronNight) checkMail(mail, begins string, words ...string) {
	n.t.Helper()
	cause, ok := strings.CutPrefix(mail, begins)
	var object struct{ Level, Msg string }
	if err := json.Unmarshal([]byte(cause), &object); !ok || err != nil || object.Level != "ERROR" {
		n.t.Errorf("the mail is %q, want %q and an error as an object (%v)", mail, begins, err)
	}

	for _, w := range words {
		if !strings.Contains(object.Msg, w) {
			n.t.Errorf("the mail does not contain %q: %s", w, object.Msg)
		}
	}
}

// The cron script loads, retries what may pass, leaves a wrong job to a person, and mails only failures.
func TestTheDocumentedCronScript(t *testing.T) {
	s := documentedDatabase(t)
	n := newCronNight(t)
	const nowhere = "host=127.0.0.1 port=1 user=nobody dbname=gis sslmode=disable"
	success := "loadgrid_last_success_timestamp_seconds"

	// The first night loads both tables; the second finds them unchanged.
	for _, outcome := range []string{"published", "unchanged"} {
		if code, mail, pauses := n.run(n.script, s.dsn); code != 0 || mail != "" || pauses != nil {
			t.Fatalf("a night with the outcome %s: exit code %d, mail %q, pauses %q, log:\n%s", outcome, code, mail, pauses, n.read(filepath.Join(n.log, "nightly.log")))
		}

		n.checkLog("europe", "districts")
		n.checkTextfiles()
		// The districts are 80 x 40 cells, plus the cells around them that share a line with them.
		for job, rows := range map[string]float64{"europe": 65 * 46, "districts": 82 * 42} {
			n.checkTextfile(job, map[string]float64{"loadgrid_runs_total " + outcome: 1, "loadgrid_runs_total published": 1, "loadgrid_runs_total failed": 0,
				"loadgrid_last_run_success": 1, "loadgrid_last_run_exit_code": 0, "loadgrid_table_rows": rows})
		}
	}

	// The server is away: three tries, and each stops at the first job. Metrics of earlier nights remain.
	good := n.checkTextfile("europe", nil)
	districts := n.read(filepath.Join(n.prom, "loadgrid_districts.prom"))
	code, mail, pauses := n.run(n.script, nowhere)
	if code != 1 || !slices.Equal(pauses, []string{"60", "600"}) {
		t.Errorf("without a server: exit code %d, pauses %q", code, pauses)
	}
	n.checkMail(mail, "loadgrid ended with exit code 1: ", "europe", "connecting to")
	n.checkLog()
	n.checkTextfiles()
	n.checkTextfile("europe", map[string]float64{"loadgrid_runs_total published": 1, "loadgrid_runs_total unchanged": 1, "loadgrid_runs_total failed": 3,
		"loadgrid_last_run_success": 0, "loadgrid_last_run_exit_code": 1, "loadgrid_table_rows": 65 * 46, success: good[success]})
	if n.read(filepath.Join(n.prom, "loadgrid_districts.prom")) != districts {
		t.Error("the metrics of a job that was not reached have changed")
	}

	// Wrong jobs are refused before anything is loaded, and are not retried.
	right, europe := n.jobs(), n.read(filepath.Join(n.prom, "loadgrid_europe.prom"))
	for name, c := range map[string]struct{ script, jobs, says string }{
		"a key":                 {n.script, right + "    colour: red\n", "colour"},
		"one file for all jobs": {replaceOnce(t, n.script, "loadgrid_{job}.prom", "loadgrid.prom"), right, "{job}"},
	} {
		n.writeJobs(c.jobs)
		code, mail, pauses := n.run(c.script, s.dsn)
		if code != 2 || pauses != nil {
			t.Errorf("wrong job, %s: exit code %d, pauses %q", name, code, pauses)
		}
		n.checkMail(mail, "loadgrid ended with exit code 2: ", c.says)
		n.checkLog()
		n.checkTextfiles()
		if n.read(filepath.Join(n.prom, "loadgrid_europe.prom")) != europe {
			t.Errorf("wrong job, %s: the metrics have changed", name)
		}
	}
}
