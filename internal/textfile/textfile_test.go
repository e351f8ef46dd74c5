package textfile

import (
	"bytes"
	"context"
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
)

// asWriter makes the test binary write one record into the file that it names.
const asWriter = "TEXTFILE_TEST_WRITES_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(asWriter); path != "" {
		if err := Write(context.Background(), path, record(os.Getenv(asWriter+"_JOB"))); err != nil {
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

// file is a new directory's file for metrics, with this content if any.
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
	if err := Write(t.Context(), path, r); err != nil {
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

// value returns the number of the one series of a job with these labels, as
// Prometheus's parser reads it, and whether there is one.
func value(t testing.TB, path, name, job string, more ...string) (float64, bool) {
	t.Helper()
	all, err := parse([]byte(content(t, path)))
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
		t.Fatalf("%s of %q is there %d times", name, want, len(found))
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

// checkFiles fails when there is more in a file's directory than the names.
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
		t.Error("a stage of the run before is still there")
	}

	unchanged := record("eu")
	unchanged.Outcome, unchanged.TableRows, unchanged.Ended = Unchanged, 0, unchanged.Ended.Add(2*time.Hour)
	write1(t, path, unchanged)
	expect(t, path, 1.8e9+7200, "loadgrid_last_success_timestamp_seconds", "eu")
	expect(t, path, 1.8e9+3600, "loadgrid_last_failure_timestamp_seconds", "eu")
	expect(t, path, 800, "loadgrid_table_rows", "eu")
}

func TestLabelsOfAnyText(t *testing.T) {
	path := file(t, "")
	for _, job := range []string{`say "grid"`, "two\nlines", `C:\grids\`, "größe 网格", "a\r\tb", `{x="y"} 1`} {
		write1(t, path, record(job))
		write1(t, path, record(job)) // found again
		expect(t, path, 2, "loadgrid_runs_total", job, "outcome=published")
	}
	write1(t, path, record("no\xffUTF-8"))
	expect(t, path, 1, "loadgrid_last_run_success", "no?UTF-8")
}

// What others have written stays byte for byte.
func TestOthersKeepTheirMetrics(t *testing.T) {
	others := "# a remark\n# HELP backup_age_seconds Age.\n# TYPE backup_age_seconds gauge\nbackup_age_seconds{disk=\"a b\"} 1.50\n\n" +
		"# TYPE wait summary\nwait{quantile=\"0.5\"} NaN\nwait_sum 3\nwait_count 2\nloadgrid_of_somebody{x=\"y\"} +Inf\n"
	path := file(t, others)
	for range 2 {
		write1(t, path, record("eu"))
		if got := content(t, path); !strings.HasPrefix(got, others) {
			t.Fatalf("the metrics of others have become\n%s", got)
		}
	}

	expect(t, path, 1, "loadgrid_last_run_success", "eu")
	checkFiles(t, filepath.Dir(path), "loadgrid.prom")
}

func TestABrokenFileIsPutAside(t *testing.T) {
	valid := file(t, "")
	write1(t, valid, record("us"))
	us := content(t, valid)
	for name, old := range map[string]string{
		"no metrics":        "<html>\n",
		"cut off":           us + "backup_age_sec",
		"cut off in a line": us + "loadgrid_last_run_rows{job_name=\"x\"} 12",
		"others twice":      us + "# TYPE a gauge\n# TYPE a gauge\n",
		"bytes":             us + "\x00\xff{\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, old)
			err := Write(t.Context(), path, record("eu"))
			var warning *Warning
			if !errors.As(err, &warning) || warning.Aside != path+".broken" {
				t.Fatalf("error %v", err)
			}

			expect(t, path, 1, "loadgrid_last_run_success", "eu")
			if strings.HasPrefix(old, us) {
				expect(t, path, 1, "loadgrid_last_run_success", "us")
			}
			if got := content(t, warning.Aside); got != old {
				t.Errorf("put aside was %q", got)
			}
			checkFiles(t, filepath.Dir(path), "loadgrid.prom", "loadgrid.prom.broken")
			write1(t, path, record("eu")) // mended
		})
	}
}

func TestNumbersThatAreNone(t *testing.T) {
	path := file(t, `loadgrid_retries_total{job_name="eu",table="public.grid"} NaN`+"\n"+
		`loadgrid_runs_total{job_name="eu",outcome="published",table="public.grid"} +Inf`+"\n"+`loadgrid_table_rows{job_name="us"} -Inf`+"\n")
	r := record("eu")
	r.Seconds, r.Stages = math.NaN(), map[string]float64{"load": math.Inf(1), "plan": 1}
	write1(t, path, r)
	expect(t, path, 2, "loadgrid_retries_total", "eu")
	expect(t, path, 1, "loadgrid_runs_total", "eu", "outcome=published")
	expect(t, path, 1, "loadgrid_last_run_stage_seconds", "eu", "stage=plan")
	expect(t, path, math.Inf(-1), "loadgrid_table_rows", "us")

	for _, name := range []string{"loadgrid_last_run_duration_seconds", "loadgrid_last_run_stage_seconds"} {
		if v, ok := value(t, path, name, "eu"); ok && v != 1 {
			t.Errorf("%s is %v", name, v)
		}
	}
}

// Ten processes and ten goroutines, each its own job, and a reader.
func TestManyAtOnceLoseNothing(t *testing.T) {
	path := file(t, "")
	write1(t, path, record("first"))
	done, reader := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(reader)
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond): // leaves the processor to the writers
			}

			b, err := os.ReadFile(path)
			if err == nil {
				_, err = parse(b)
			}
			if err == nil && !bytes.Contains(b, []byte(`loadgrid_retries_total{job_name="first"`)) {
				err = fmt.Errorf("half a file: %s", b)
			}
			if err != nil {
				reader <- err
				return
			}
		}
	}()

	var writers sync.WaitGroup
	for i := range 10 {
		writers.Go(func() {
			if err := Write(t.Context(), path, record(fmt.Sprint("goroutine ", i))); err != nil {
				t.Error(err)
			}
		})

		writers.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), asWriter+"="+path, asWriter+"_JOB="+fmt.Sprint("process ", i))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}

	writers.Wait()
	close(done)
	if err := <-reader; err != nil {
		t.Error(err)
	}
	for i := range 10 {
		expect(t, path, 1, "loadgrid_last_run_success", fmt.Sprint("goroutine ", i))
		expect(t, path, 1, "loadgrid_last_run_success", fmt.Sprint("process ", i))
	}

	expect(t, path, 1, "loadgrid_last_run_success", "first")
	checkFiles(t, filepath.Dir(path), "loadgrid.prom")
}

func TestTheWaitForALockIsBounded(t *testing.T) {
	path := file(t, "")
	dir := filepath.Dir(path)
	for name, take := range map[string]func(context.Context, string) (func() error, error){"directory": lock, "file": lockByFile} {
		t.Run(name, func(t *testing.T) {
			unlock, err := take(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}

			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := take(ended, dir); !errors.Is(err, errHeld) || !errors.Is(err, context.Canceled) {
				t.Errorf("a held lock: %v", err)
			}
			if err := unlock(); err != nil {
				t.Fatal(err)
			}

			unlock, err = take(ended, dir) // free: no need to wait
			if err != nil {
				t.Fatal(err)
			}

			if err := unlock(); err != nil {
				t.Fatal(err)
			}
			checkFiles(t, dir)
		})
	}
}

func TestALinkStaysALink(t *testing.T) {
	real := file(t, "")
	link := file(t, "")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}

	for range 2 { // the first time it leads to nothing yet
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

	for path, says := range map[string]string{
		filepath.Join(dir, "none", "a.prom"): "make the directory",
		filepath.Join(dir, "d.prom"):         "is a directory",
		filepath.Join(dir, "a.txt"):          "must have a name that ends in .prom",
		filepath.Join(dir, ".prom"):          "must have a name that ends in .prom",
		filepath.Join(dir, "a.prom") + "/":   "must have a name that ends in .prom",
		"":                                   "needs a name",
	} {
		if err := Write(t.Context(), path, record("eu")); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", path, err)
		}
	}

	checkFiles(t, dir, "d.prom")
}

// A file that cannot be written to its end, as on a full disk, leaves the old one.
func TestHalfOfAFileIsNone(t *testing.T) {
	path := file(t, "")
	write1(t, path, record("eu"))
	old := content(t, path)
	cmd := exec.Command("sh", "-c", `ulimit -f 1 && exec "$0"`, os.Args[0]) // blocks of 512 or 1024 bytes
	cmd.Env = append(os.Environ(), asWriter+"="+path, asWriter+"_JOB=us")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "writing the metrics of job") || !strings.Contains(string(out), "too large") {
		t.Errorf("%v: %s", err, out)
	}
	if got := content(t, path); got != old {
		t.Errorf("the file is now %q", got)
	}

	checkFiles(t, filepath.Dir(path), "loadgrid.prom")
}

func FuzzTextfile(f *testing.F) {
	f.Add("")
	f.Add("# TYPE loadgrid_runs_total gauge\nloadgrid_runs_total{job_name=\"eu\",table=\"t\"} 3 4\n")
	f.Add("{\"loadgrid_runs_total\",job_name=\"eu\"} 1\n# HELP a b\na{b=\"\\\"\\n\"} NaN\n")
	f.Add("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_count 2\nloadgrid_last_run_rows 1\nloadgrid_last_run_rows{a=\"1\",a=\"2\"} 1")

	f.Fuzz(func(t *testing.T, old string) {
		out, lost, err := merge([]byte(old), record("eu"))
		if err != nil {
			t.Fatal(err)
		}

		all, err := parse(out)
		if err != nil {
			t.Fatalf("what is written cannot be read: %v\n%s", err, out)
		}

		if len(all["loadgrid_last_run_success"].GetMetric()) == 0 {
			t.Fatal("the record is not there")
		}

		before, err := parse([]byte(old))
		if err != nil || lost != nil {
			return
		}

		for name := range before {
			if all[name] == nil && len(before[name].GetMetric()) > 0 && !strings.HasPrefix(name, "loadgrid_") {
				t.Fatalf("%s is lost", name)
			}
		}
	})
}
