package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/loader"
)

func newTestReporter(t *testing.T, kind string) (*reporter, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	return newReporter(kind, false, normal, &b), &b
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
			"load: 2.0 s, 100 of 100 rows (99%), 50 rows/s, finishing\n"},
		{"resumed", loader.Snapshot{Stage: loader.StageLoad, Done: 600, Skipped: 500, Total: 1000, Elapsed: 10 * time.Second},
			"load: 10s, 600 of 1,000 rows (60%), 10 rows/s, 40s left\n"},
		{"resumed, nothing yet", loader.Snapshot{Stage: loader.StageLoad, Done: 500, Skipped: 500, Total: 1000, Elapsed: 10 * time.Second},
			"load: 10s, 500 of 1,000 rows (50%)\n"},
		{"one row", loader.Snapshot{Stage: loader.StageLoad, Done: 0, Total: 1, Elapsed: 10 * time.Second}, "load: 10s, 0 of 1 row (0%)\n"},
		{"index", loader.Snapshot{Stage: loader.StageIndex, Done: 600, Total: 1000, Elapsed: 60 * time.Second, Moved: 60 * time.Second}, "index: 1m0s, 600 of 1,000 rows (60%), 40s left\n"},
		{"stopped", loader.Snapshot{Stage: loader.StageLoad, Done: 500, Total: 1000, Elapsed: 10 * time.Second, End: loader.EndStopped},
			"load: 10s, stopped at 500 of 1,000 rows\n"},
		{"failed", loader.Snapshot{Stage: loader.StagePublish, Elapsed: 10 * time.Second, End: loader.EndFailed}, "publish: 10s, failed\n"},
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
