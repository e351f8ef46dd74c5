package textfile

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// asWriter makes the test binary write one record into the file that this variable names.
const asWriter = "TEXTFILE_TEST_WRITES_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(asWriter); path != "" {
		if err := Write(path, record(os.Getenv(asWriter+"_JOB"))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func record(job string) Record {
	return Record{
		Job: job, Table: "public.grid", Version: "1.2.3", Ended: time.Unix(1_800_000_000, 0), Outcome: Published,
		TableRows: 800, HeapBytes: 1000, IndexBytes: 500, CopiedRows: 600, CopiedBytes: 700, WALBytes: 900,
		Stages: map[string]float64{"plan": 0.5, "load": 2}, Seconds: 2.5, Retries: 2,
		Chunks: Chunks{Committed: 3, Resumed: 1},
	}
}

// file returns a metrics file in a new directory, with this content if any.
func file(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "loadgrid.prom")
	if content != "" {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func write1(t testing.TB, path string, r Record) {
	t.Helper()
	if err := Write(path, r); err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// value returns the number of a job's only series with these labels, as Prometheus's parser reads
// it, and whether there is one.
func value(t testing.TB, path, name, job string, more ...string) (float64, bool) {
	t.Helper()
	all, err := parse(content(t, path))
	if err != nil {
		t.Fatal(err)
	}

	want := append([]string{"job_name=" + job}, more...)
	var found []float64
	for _, m := range all[name].GetMetric() {
		has := make(map[string]bool)
		for _, l := range m.GetLabel() {
			has[l.GetName()+"="+l.GetValue()] = true
		}

		matches := true
		for _, w := range want {
			matches = matches && has[w]
		}
		if matches {
			found = append(found, m.GetGauge().GetValue()+m.GetCounter().GetValue())
		}
	}

	if len(found) > 1 {
		t.Fatalf("%s of %q occurs %d times", name, want, len(found))
	}
	if len(found) == 0 {
		return 0, false
	}

	return found[0], true
}

func expect(t testing.TB, path string, want float64, name, job string, more ...string) {
	t.Helper()
	if got, ok := value(t, path, name, job, more...); !ok || got != want {
		t.Errorf("%s of %s %q is %v (there: %v), want %v", name, job, more, got, ok, want)
	}
}

// checkFiles fails if a file's directory has files other than these.
func checkFiles(t testing.TB, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}

	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		t.Errorf("the directory holds %q, want %q", got, names)
	}
}

func TestARecordIsWritten(t *testing.T) {
	path := file(t, "")
	write1(t, path, record("eu"))
	expect(t, path, 1, "loadgrid_last_run_success", "eu", "table=public.grid")
	expect(t, path, 1.8e9, "loadgrid_last_success_timestamp_seconds", "eu")
	expect(t, path, 2, "loadgrid_last_run_stage_seconds", "eu", "stage=load")
	expect(t, path, 3, "loadgrid_last_run_chunks", "eu", "state=committed")
	expect(t, path, 1, "loadgrid_last_run_chunks", "eu", "state=resumed")
	expect(t, path, 800, "loadgrid_table_rows", "eu")
	expect(t, path, 600, "loadgrid_last_run_rows", "eu")
	expect(t, path, 1, "loadgrid_last_run_info", "eu", "version=1.2.3")
	expect(t, path, 0, "loadgrid_runs_total", "eu", "outcome=failed")
	if _, ok := value(t, path, "loadgrid_last_failure_timestamp_seconds", "eu"); ok {
		t.Error("a job that never failed has a last failure")
	}

	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	checkFiles(t, filepath.Dir(path), "loadgrid.prom")
	problems, err := promlint.New(strings.NewReader(content(t, path))).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

func TestAFailureKeepsTheLastSuccess(t *testing.T) {
	path := file(t, "")
	write1(t, path, record("eu"))
	failed := record("eu")
	failed.Outcome, failed.ExitCode, failed.Ended = Failed, 4, failed.Ended.Add(time.Hour)
	failed.TableRows, failed.Stages = 0, map[string]float64{"plan": 1}
	write1(t, path, failed)
	expect(t, path, 0, "loadgrid_last_run_success", "eu")
	expect(t, path, 4, "loadgrid_last_run_exit_code", "eu")
	expect(t, path, 1.8e9, "loadgrid_last_success_timestamp_seconds", "eu")
	expect(t, path, 1.8e9+3600, "loadgrid_last_failure_timestamp_seconds", "eu")
	expect(t, path, 800, "loadgrid_table_rows", "eu")
	expect(t, path, 4, "loadgrid_retries_total", "eu")
	expect(t, path, 1, "loadgrid_runs_total", "eu", "outcome=failed")
	if _, ok := value(t, path, "loadgrid_last_run_stage_seconds", "eu", "stage=load"); ok {
		t.Error("a stage of the previous run is still there")
	}

	unchanged := record("eu")
	unchanged.Outcome, unchanged.TableRows, unchanged.Ended = Unchanged, 0, unchanged.Ended.Add(2*time.Hour)
	write1(t, path, unchanged)
	expect(t, path, 1.8e9+7200, "loadgrid_last_success_timestamp_seconds", "eu")
	expect(t, path, 1.8e9+3600, "loadgrid_last_failure_timestamp_seconds", "eu")
	expect(t, path, 800, "loadgrid_table_rows", "eu")
}

func TestLabelsOfAnyText(t *testing.T) {
	for _, job := range []string{`say "grid"`, "two\nlines", `C:\grids\`, "größe 网格", "a\r\tb", `{x="y"} 1`, "no\xffUTF-8"} {
		path := file(t, "")
		write1(t, path, record(job))
		write1(t, path, record(job)) // found again
		expect(t, path, 2, "loadgrid_runs_total", strings.ToValidUTF8(job, "?"), "outcome=published")
	}
}

// Jobs with different names have different files, whose names are valid everywhere.
func TestExpand(t *testing.T) {
	if got := Expand("/a/loadgrid.prom", "x"); got != "/a/loadgrid.prom" {
		t.Errorf("without a place for the job: %s", got)
	}
	if got := Expand("/a/lg_{job}.prom", "stats.eu_1km-v2"); got != "/a/lg_stats.eu_1km-v2.prom" {
		t.Errorf("a plain name: %s", got)
	}

	seen := make(map[string]string)
	for _, job := range []string{"a/b", "a_b", "a b", `a\b`, "..", ".", "a:b", "../../etc/passwd", "größe", "grösse", "网格", "\"a.b\"", strings.Repeat("网", 33),
		strings.Repeat("a", 300), strings.Repeat("a", 301)} {
		got := Expand("/m/{job}.prom", job)
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q have the file %s", job, other, got)
		}
		seen[got] = job

		name := strings.TrimSuffix(strings.TrimPrefix(got, "/m/"), ".prom")
		if filepath.Dir(got) != "/m" || strings.ContainsFunc(name, func(r rune) bool { return r > 127 || strings.ContainsRune(`/\: "`, r) }) || len(name) > 200 {
			t.Errorf("%q has the file %s", job, got)
		}
	}
}

func TestCheckJobs(t *testing.T) {
	for _, tt := range []struct {
		files []string
		index int
	}{
		{nil, -1}, {[]string{"", "", "a.prom"}, -1}, {[]string{"a.prom", "b.prom"}, -1}, {[]string{"a.prom", "b.prom", "a.prom"}, 2}, {[]string{"d/a.prom", "d//./a.prom"}, 1},
	} {
		if index, err := CheckJobs(tt.files); index != tt.index || (err == nil) != (index < 0) {
			t.Errorf("%q: %d, %v", tt.files, index, err)
		}
	}
}

// A file holds one job: a file of another job stays unchanged, and the error names that job.
func TestAFileOfOthersStays(t *testing.T) {
	ours := file(t, "")
	write1(t, ours, record("us"))
	for name, tt := range map[string]struct{ old, metric, owner string }{
		"another job":              {content(t, ours), "loadgrid_", "us"},
		"another program":          {"# TYPE backup_age_seconds gauge\nbackup_age_seconds{disk=\"a b\"} 1.5\n", "backup_age_seconds", ""},
		"a name that begins alike": {"loadgrid_of_somebody{x=\"y\"} 1\n", "loadgrid_of_somebody", ""},
		"truncated":                {content(t, ours) + "backup_age_sec", "loadgrid_", "us"},
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, tt.old)
			err := Write(path, record("eu"))
			var foreign *ForeignError
			if !errors.As(err, &foreign) || foreign.Owner != tt.owner || !strings.HasPrefix(foreign.Metric, tt.metric) {
				t.Errorf("error %v", err)
			}
			if got := content(t, path); got != tt.old {
				t.Errorf("the file has become %s", got)
			}
			checkFiles(t, filepath.Dir(path), "loadgrid.prom")
		})
	}
}

// The counters of a job begin at 0 when its table gets another name.
func TestAnotherTableOfTheJob(t *testing.T) {
	path := file(t, "")
	write1(t, path, record("eu"))
	other := record("eu")
	other.Table = "public.other"
	write1(t, path, other)
	expect(t, path, 1, "loadgrid_runs_total", "eu", "outcome=published", "table=public.other")
	if _, ok := value(t, path, "loadgrid_runs_total", "eu", "outcome=published", "table=public.grid"); ok {
		t.Error("the previous table is still there")
	}
}

func TestABrokenFileIsReplaced(t *testing.T) {
	valid := file(t, "")
	write1(t, valid, record("eu"))
	eu := content(t, valid)
	for name, old := range map[string]string{
		"no metrics":        "<html>\n",
		"cut off in a line": eu + "loadgrid_last_run_rows{job_name=\"eu\"} 1\nloadgrid_last_run_rows{job_na",
		"bytes":             eu + "\x00\xff{\n",
		"a type twice":      eu + "# TYPE loadgrid_a gauge\n# TYPE loadgrid_a gauge\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, old)
			var warning *Warning
			if err := Write(path, record("eu")); !errors.As(err, &warning) || warning.Err == nil {
				t.Fatalf("error %v", err)
			}

			expect(t, path, 1, "loadgrid_runs_total", "eu", "outcome=published")
			write1(t, path, record("eu")) // repaired
			expect(t, path, 2, "loadgrid_runs_total", "eu", "outcome=published")
			checkFiles(t, filepath.Dir(path), "loadgrid.prom")
		})
	}

	// An empty file, as a crash may leave it, is not an error.
	path := file(t, "")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	write1(t, path, record("eu"))
}

func TestNumbersThatAreNone(t *testing.T) {
	path := file(t, `loadgrid_retries_total{job_name="eu",table="public.grid"} NaN`+"\n"+
		`loadgrid_runs_total{job_name="eu",outcome="published",table="public.grid"} +Inf`+"\n"+`loadgrid_runs_total{job_name="eu",outcome="failed",table="public.grid"} -3`+"\n")
	r := record("eu")
	r.Seconds, r.Stages = math.NaN(), map[string]float64{"load": math.Inf(1), "plan": 1}
	write1(t, path, r)
	expect(t, path, 2, "loadgrid_retries_total", "eu")
	expect(t, path, 1, "loadgrid_runs_total", "eu", "outcome=published")
	expect(t, path, 1, "loadgrid_last_run_stage_seconds", "eu", "stage=plan")
	expect(t, path, 0, "loadgrid_runs_total", "eu", "outcome=failed")

	for _, name := range []string{"loadgrid_last_run_duration_seconds", "loadgrid_last_run_stage_seconds"} {
		if v, ok := value(t, path, name, "eu"); ok && v != 1 {
			t.Errorf("%s is %v", name, v)
		}
	}
}

// Readers see a complete file while others write it.
func TestReadersSeeWholeFiles(t *testing.T) {
	path := file(t, "")
	write1(t, path, record("eu"))
	done, reader := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(reader)
		for {
			select {
			case <-done:
				return
			default:
			}

			b, err := os.ReadFile(path)
			if err == nil {
				_, err = parse(string(b))
			}
			if err == nil && !bytes.Contains(b, []byte(`loadgrid_table_rows{job_name="eu"`)) {
				err = fmt.Errorf("half a file: %s", b)
			}
			if err != nil {
				reader <- err
				return
			}
		}
	}()

	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 20 {
				if err := Write(path, record("eu")); err != nil {
					t.Error(err)
				}
			}
		})
	}

	writers.Wait()
	close(done)
	if err := <-reader; err != nil {
		t.Error(err)
	}
	checkFiles(t, filepath.Dir(path), "loadgrid.prom")
}

func TestALinkStaysALink(t *testing.T) {
	real := file(t, "")
	link := file(t, "")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}

	for range 2 { // the first time, the link's target does not exist yet
		write1(t, link, record("eu"))
	}
	if to, err := os.Readlink(link); err != nil || to != real {
		t.Errorf("the link leads to %q: %v", to, err)
	}

	expect(t, real, 2, "loadgrid_runs_total", "eu", "outcome=published")
}

func TestWhatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "d.prom"), 0o755); err != nil {
		t.Fatal(err)
	}

	for path, says := range map[string]string{ // each error gives advice
		filepath.Join(dir, "none", "a.prom"): "create the directory",
		filepath.Join(dir, "d.prom"):         "is a directory",
		filepath.Join(dir, "a.txt"):          "must have a name that ends in .prom",
		filepath.Join(dir, ".prom"):          "must have a name that ends in .prom",
		filepath.Join(dir, "a.prom") + "/":   "must have a name that ends in .prom",
		"":                                   "must have a name that ends in .prom",
	} {
		if err := Write(path, record("eu")); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", path, err)
		}
	}

	checkFiles(t, dir, "d.prom")
}

// The next write removes the temporary file of a killed run, but not a newer one, which may still
// be in use.
func TestLeftoversOfKilledRunsGo(t *testing.T) {
	path := file(t, "")
	dir := filepath.Dir(path)
	for name, age := range map[string]time.Duration{"123": 2 * leftoverAge, "456": 0, ".bak": 2 * leftoverAge, "12x": 2 * leftoverAge} {
		leftover := path + name
		if err := os.WriteFile(leftover, []byte("loadgrid_last_run"), 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(leftover, when, when); err != nil {
			t.Fatal(err)
		}
	}

	write1(t, path, record("eu"))
	checkFiles(t, dir, "loadgrid.prom", "loadgrid.prom.bak", "loadgrid.prom12x", "loadgrid.prom456")
}

// If a file cannot be written completely, as on a full disk, the old one stays.
func TestHalfOfAFileIsNone(t *testing.T) {
	path := file(t, "")
	write1(t, path, record("eu"))
	old := content(t, path)
	cmd := exec.Command("sh", "-c", `ulimit -f 1 && exec "$0"`, os.Args[0]) // blocks of 512 or 1024 bytes
	cmd.Env = append(os.Environ(), asWriter+"="+path, asWriter+"_JOB=eu")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "writing the metrics of job") || !strings.Contains(string(out), "too large") {
		t.Errorf("%v: %s", err, out)
	}
	if got := content(t, path); got != old {
		t.Errorf("the file is now %q", got)
	}

	checkFiles(t, filepath.Dir(path), "loadgrid.prom")
}

// parse reads the text format as node_exporter does.
func parse(content string) (map[string]*dto.MetricFamily, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(strings.NewReader(content))
}

// FuzzTextfile writes over any content: the result can be read, and a file of others stays
// unchanged.
func FuzzTextfile(f *testing.F) {
	f.Add("")
	f.Add("# TYPE loadgrid_runs_total gauge\nloadgrid_runs_total{job_name=\"eu\",table=\"public.grid\",outcome=\"failed\"} 3 4\n")
	f.Add("{\"loadgrid_runs_total\",job_name=\"eu\"} 1\n# HELP a b\na{b=\"\\\"\\n\"} NaN\n")
	f.Add("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_count 2\nloadgrid_last_run_rows 1\nloadgrid_last_run_rows{a=\"1\",a=\"2\"} 1")

	f.Fuzz(func(t *testing.T, old string) {
		path := file(t, old)
		err := Write(path, record("eu"))
		if errors.As(err, new(*ForeignError)) {
			if got := content(t, path); got != old {
				t.Fatalf("the metrics of others have become %s", got)
			}
			return
		}

		if err != nil && !errors.As(err, new(*Warning)) {
			t.Fatal(err)
		}

		all, err := parse(content(t, path))
		if err != nil {
			t.Fatalf("the written file cannot be read: %v", err)
		}
		if len(all["loadgrid_last_run_success"].GetMetric()) != 1 {
			t.Fatal("the record is missing")
		}
		if n, ok := value(t, path, "loadgrid_runs_total", "eu", "outcome=published"); !ok || !(n >= 1) {
			t.Fatalf("%v runs", n)
		}
	})
}
