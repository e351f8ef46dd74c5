package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/loader"
)

// renderScreen returns the lines that a terminal shows after this output.
func renderScreen(t *testing.T, output string) []string {
	t.Helper()
	lines := [][]rune{nil}
	at := 0
	put := func(r rune) {
		line := &lines[len(lines)-1]
		for len(*line) <= at {
			*line = append(*line, ' ')
		}

		(*line)[at] = r
		at++
	}

	for rest := output; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "\x1b[2K"): // clear the line
			lines[len(lines)-1], rest = nil, rest[4:]
			continue
		case strings.HasPrefix(rest, "\x1b[0K"): // clear to the end of the line
			last := &lines[len(lines)-1]
			*last, rest = (*last)[:min(at, len(*last))], rest[4:]
			continue
		}

		r := []rune(rest)[0]
		switch r {
		case '\r':
			at = 0
		case '\n':
			lines, at = append(lines, nil), 0
		case '\x1b':
			t.Fatalf("a sequence that this terminal does not know: %q", rest[:min(len(rest), 10)])
		default:
			put(r)
		}

		rest = rest[len(string(r)):]
	}

	var shown []string
	for _, l := range lines {
		shown = append(shown, strings.TrimRight(string(l), " "))
	}

	for len(shown) > 0 && shown[len(shown)-1] == "" {
		shown = shown[:len(shown)-1]
	}
	return shown
}

func checkScreen(t *testing.T, output string, want ...string) {
	t.Helper()
	if got := renderScreen(t, output); !slices.Equal(got, want) {
		t.Errorf("the screen shows\n%s\nshould show\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func newTestReporter(t *testing.T, kind string) (*reporter, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	r, err := newReporter(kind, false, &b)
	if err != nil {
		t.Fatal(err)
	}

	return r, &b
}

func TestBar(t *testing.T) {
	r, b := newTestReporter(t, "bar")
	r.update(loader.Snapshot{}) // before the run has begun
	checkScreen(t, b.String())
	r.update(loader.Snapshot{Stage: loader.StagePlan, Elapsed: 300 * time.Millisecond})
	plan := "   0% |            |  plan    0.3 s"
	checkScreen(t, b.String(), plan)
	r.update(loader.Snapshot{Stage: loader.StagePlan, Elapsed: 12 * time.Second})
	checkScreen(t, b.String(), "   0% |            |  plan    12s")
	planDone := " 100% |████████████|  plan    12s"
	r.update(loader.Snapshot{Stage: loader.StageLoad, Total: 5_000_000})
	checkScreen(t, b.String(), planDone, "   0% |            |  load            0/5,000,000")
	r.update(loader.Snapshot{Stage: loader.StageLoad, Done: 1_600_000, Total: 5_000_000, Elapsed: 4 * time.Second})
	load := "  31% |███         |  load    1,600,000/5,000,000, 400,000 rows/s, 8.5 s left"
	checkScreen(t, b.String(), planDone, load)

	r.log().Warn("trying again") // takes the place of the bar
	lines := renderScreen(t, b.String())
	if len(lines) != 2 || lines[0] != planDone || !strings.HasSuffix(lines[1], `level=WARN msg="trying again"`) {
		t.Errorf("with a log line: %q", lines)
	}

	warning := lines[1]
	// The bar comes again below. An attempt that failed has taken rows back.
	r.update(loader.Snapshot{Stage: loader.StageLoad, Done: 1_210_000, Total: 5_000_000, Elapsed: 5 * time.Second})
	checkScreen(t, b.String(), planDone, warning, "  24% |██          |  load    1,210,000/5,000,000, 242,000 rows/s, 16s left")

	// All rows are sent, the stage is not done.
	r.update(loader.Snapshot{Stage: loader.StageLoad, Done: 5_000_000, Total: 5_000_000, Elapsed: 10 * time.Second})
	checkScreen(t, b.String(), planDone, warning, "  99% |███████████ |  load    5,000,000/5,000,000, 500,000 rows/s, 0.0 s left")

	// Index began one second ago, so load took nine. Analyze is too short to be seen.
	r.update(loader.Snapshot{Stage: loader.StageIndex, Done: 2_500_000, Total: 10_000_000, Elapsed: time.Second})
	r.update(loader.Snapshot{Stage: loader.StagePublish, Elapsed: 0})
	r.update(loader.Snapshot{}) // the run is done
	lines = renderScreen(t, b.String())
	loadDone := " 100% |████████████|  load    9.0 s, 5,000,000 rows, " // and a rate in which the clock has its say
	want := []string{planDone, warning, loadDone, " 100% |████████████|  freeze  0.0 s", " 100% |████████████|  index   1.0 s",
		" 100% |████████████|  analyze 0.0 s", " 100% |████████████|  publish 0.0 s"}
	if len(lines) != len(want) {
		t.Fatalf("the screen shows %q", lines)
	}

	for i, w := range want {
		if lines[i] != w && (w != loadDone || !strings.HasPrefix(lines[i], w)) {
			t.Errorf("line %d is %q, should be %q", i, lines[i], w)
		}
	}

	r.view.finish()
	if after := renderScreen(t, b.String()); len(after) != len(want) || !strings.HasSuffix(b.String(), "\n") {
		t.Errorf("at the end the screen shows %q", after)
	}
}

func TestBarThatStops(t *testing.T) {
	for _, tt := range []struct {
		name string
		last loader.Snapshot
		want []string
	}{
		{"before the run", loader.Snapshot{}, nil},
		{"in plan", loader.Snapshot{Stage: loader.StagePlan, Elapsed: time.Second}, nil},
		{"in load", loader.Snapshot{Stage: loader.StageLoad, Done: 1, Total: 2, Elapsed: time.Second},
			[]string{" 100% |████████████|  plan    0.0 s", "  33% |███         |  load    1/2, 1 rows/s, 1.0 s left"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, b := newTestReporter(t, "bar")
			r.update(tt.last)
			r.view.finish()
			b.WriteString("loadgrid: it stopped\n")
			checkScreen(t, b.String(), append(tt.want, "loadgrid: it stopped")...)
		})
	}
}

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    loader.Snapshot
		want string
	}{
		{"before the run", loader.Snapshot{}, ""},
		{"a short stage", loader.Snapshot{Stage: loader.StagePlan, Elapsed: 900 * time.Millisecond}, ""},
		{"no rows", loader.Snapshot{Stage: loader.StageAnalyze, Elapsed: 20 * time.Second}, "analyze: 20s\n"},
		{"load", loader.Snapshot{Stage: loader.StageLoad, Done: 12_000_000, Total: 29_900_000, Elapsed: 20 * time.Second},
			"load: 20s, 12,000,000 of 29,900,000 rows (40%), 600,000 rows/s, 30s left\n"},
		{"all rows", loader.Snapshot{Stage: loader.StageLoad, Done: 100, Total: 100, Elapsed: 2 * time.Second},
			"load: 2.0 s, 100 of 100 rows (100%), 50 rows/s\n"},
		{"resumed", loader.Snapshot{Stage: loader.StageLoad, Done: 600, Skipped: 500, Total: 1000, Elapsed: 10 * time.Second},
			"load: 10s, 600 of 1,000 rows (60%), 10 rows/s, 40s left\n"},
		{"resumed, nothing yet", loader.Snapshot{Stage: loader.StageLoad, Done: 500, Skipped: 500, Total: 1000, Elapsed: 10 * time.Second},
			"load: 10s, 500 of 1,000 rows (50%)\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, b := newTestReporter(t, "auto") // no terminal
			r.update(tt.s)
			r.view.finish()
			if b.String() != tt.want {
				t.Errorf("got %q, want %q", b.String(), tt.want)
			}
		})
	}
}

// parseObjects reads JSON lines.
func parseObjects(t *testing.T, text string) (list []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, o)
	}

	return list
}

func TestJSON(t *testing.T) {
	r, b := newTestReporter(t, "json")
	r.update(loader.Snapshot{})
	r.update(loader.Snapshot{Stage: loader.StagePlan})
	r.log().Warn("trying again", "try", 1, "error", "a\nb")
	r.update(loader.Snapshot{Stage: loader.StageLoad, Done: 600, Skipped: 500, Total: 1000, Elapsed: 10 * time.Second})
	r.summary(loader.Summary{Run: 3, Table: loader.Table{Schema: "public", Name: "grid"}, Rows: 1000, RowsResumed: 500,
		StageSeconds: map[loader.Stage]float64{loader.StageLoad: 20}})

	r.view.finish()
	list := parseObjects(t, b.String())
	if len(list) != 4 {
		t.Fatalf("%d lines, should be 4: %s", len(list), b)
	}

	check := func(i int, want map[string]any) {
		t.Helper()
		for k, v := range want {
			if list[i][k] != v {
				t.Errorf("line %d: %s is %v, should be %v", i, k, list[i][k], v)
			}
		}
	}

	check(0, map[string]any{"type": "progress", "stage": "plan", "rows": 0.0, "total": 0.0, "seconds": 0.0})
	check(1, map[string]any{"type": "log", "level": "WARN", "msg": "trying again", "try": 1.0, "error": "a\nb"})
	check(2, map[string]any{"type": "progress", "stage": "load", "rows": 600.0, "total": 1000.0,
		"rows_per_second": 10.0, "seconds": 10.0, "seconds_left": 40.0})
	check(3, map[string]any{"type": "summary", "run": 3.0, "rows": 1000.0, "rows_resumed": 500.0})
	if _, err := time.Parse(time.RFC3339Nano, list[0]["time"].(string)); err != nil {
		t.Error(err)
	}
}

func TestNoProgress(t *testing.T) {
	r, b := newTestReporter(t, "none")
	stop := r.follow(new(loader.Progress))
	r.summary(loader.Summary{})
	stop()
	if b.Len() > 0 {
		t.Errorf("wrote %q", b)
	}
	if r.log().Warn("trying again"); !strings.Contains(b.String(), `msg="trying again"`) {
		t.Errorf("the log has %q", b)
	}
}

// With the race detector this shows that the view and the log take turns.
func TestViewAndLogAtTheSameTime(t *testing.T) {
	for _, kind := range []string{"auto", "bar", "json"} {
		r, b := newTestReporter(t, kind)
		stop := r.follow(new(loader.Progress))

		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { r.log().Info("hello") })
			wg.Go(func() { r.update(loader.Snapshot{Stage: loader.StageLoad, Done: 1, Total: 10, Elapsed: time.Second}) })
		}

		wg.Wait()
		stop()
		if n := strings.Count(b.String(), "hello"); n != 4 {
			t.Errorf("%s: %d lines of the log, should be 4", kind, n)
		}
	}
}

func TestRate(t *testing.T) {
	for _, tt := range []struct {
		name      string
		s         loader.Snapshot
		perSecond float64
		left      time.Duration
	}{
		{"nothing", loader.Snapshot{}, 0, 0},
		{"no time", loader.Snapshot{Done: 5, Total: 10}, 0, 0},
		{"half", loader.Snapshot{Done: 50, Total: 100, Elapsed: 10 * time.Second}, 5, 10 * time.Second},
		{"all", loader.Snapshot{Done: 100, Total: 100, Elapsed: 10 * time.Second}, 10, 0},
		{"total not known", loader.Snapshot{Done: 100, Elapsed: 10 * time.Second}, 10, 0},
		{"skipped rows cost nothing", loader.Snapshot{Done: 90, Skipped: 80, Total: 100, Elapsed: 10 * time.Second}, 1, 10 * time.Second},
		{"all skipped", loader.Snapshot{Done: 80, Skipped: 80, Total: 100, Elapsed: 10 * time.Second}, 0, 0},
	} {
		if perSecond, left := rate(tt.s); perSecond != tt.perSecond || left != tt.left {
			t.Errorf("%s: %v rows/s and %v left, should be %v and %v", tt.name, perSecond, left, tt.perSecond, tt.left)
		}
	}
}

func TestCountSizeSpan(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", -7: "-7", 999: "999", 1000: "1,000", -1000: "-1,000", -100: "-100",
		29_900_000: "29,900,000", 1 << 62: "4,611,686,018,427,387,904", -1 << 63: "-9,223,372,036,854,775,808"} {
		if got := formatCount(n); got != want {
			t.Errorf("count(%d) is %s, should be %s", n, got, want)
		}
	}

	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1550: "1.6 kB", 999_949: "999.9 kB", 999_999: "1.0 MB",
		1_000_000: "1.0 MB", 5_043_200_000: "5.0 GB", 1 << 62: "4.6 EB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("size(%d) is %s, should be %s", n, got, want)
		}
	}

	for d, want := range map[time.Duration]string{0: "0.0 s", 40 * time.Millisecond: "0.0 s", 1500 * time.Millisecond: "1.5 s",
		9940 * time.Millisecond: "9.9 s", 9999 * time.Millisecond: "10s", 10 * time.Second: "10s", 72_400 * time.Millisecond: "1m12s", 3 * time.Hour: "3h0m0s"} {
		if got := formatDuration(d); got != want {
			t.Errorf("span(%v) is %s, should be %s", d, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	var b bytes.Buffer
	err := printSummary(&b, loader.Summary{
		Run: 12, Table: loader.Table{Schema: "public", Name: "eu 1km"}, Rows: 29_900_000, RowsResumed: 9_900_000,
		Chunks: 30, ChunksCopied: 20, ChunksResumed: 10, Streams: 2, Seconds: 62.5,
		StageSeconds: map[loader.Stage]float64{loader.StagePlan: 0.05, loader.StageLoad: 40, loader.StageIndex: 22,
			loader.StageAnalyze: 0.4, loader.StagePublish: 0.05},
		HeapBytes: 5_000_000_000, IndexBytes: 1_600_000_000, WALBytes: 6_600_000_000,
	})
	if err != nil {
		t.Fatal(err)
	}

	for _, skipped := range []int64{0, 1_234, 20_000} {
		err := printSummary(&b, loader.Summary{Run: 13, Table: loader.Table{Schema: "public", Name: "nordic"}, Rows: 20_000, Appended: true,
			RowsSkipped: skipped, Method: loader.MethodFrozen, Seconds: 2})
		if err != nil {
			t.Fatal(err)
		}
	}

	golden(t, "summary.txt", b.String())
}
