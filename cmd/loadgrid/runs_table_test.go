package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/loadgrid/loadgrid/loader"
)

func TestRunsList(t *testing.T) {
	started := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	finished, no := started.Add(83*time.Second), false
	runs := []loader.RunInfo{
		{ID: 12, JobName: "france, every night", Table: loader.Table{Schema: "stats", Name: "france_1km_population"}, State: loader.StateLoading, Alive: &no, Rows: 29_900_000, Chunks: 16,
			Committed: 3, StartedAt: started, Batch: "2026-03-01T02:00", History: []loader.Attempt{{No: 1, Role: "grid_loader", OSUser: "airflow", Host: "scheduler.example.org", Retries: 2}}},
		{ID: 11, JobName: "stats.grid", Table: loader.Table{Schema: "stats", Name: "grid"}, State: loader.StateLoading, Alive: &no, Rows: 1, Chunks: 1, StartedAt: started,
			History: []loader.Attempt{{No: 1, Role: "grid_loader", EndedAt: &finished, Outcome: loader.OutcomeFailed, SQLState: "22012", StageSeconds: map[loader.Stage]float64{loader.StageLoad: 1}, RowsPerSecond: 1_234_567}}},
		{ID: 9, JobName: "stats.grid", Table: loader.Table{Schema: "stats", Name: "grid"}, State: loader.StatePublished, Shown: true, TableVersion: 9, Rows: 800_000, Chunks: 1, Committed: 1,
			StartedAt: started, FinishedAt: &finished},
	}

	var b bytes.Buffer
	leftOut, err := printRuns(&b, runs, false)
	if err != nil || len(leftOut) == 0 || leftOut[0] != "ROWS/S" {
		t.Fatalf("it leaves out %q: %v", leftOut, err)
	}

	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > listWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, words := range []string{"killed", "failed", "published", "29,900,000", "3/16", "22012", "1m23s", "stats.france_1km_population"} {
		if !strings.Contains(b.String(), words) {
			t.Errorf("the list lacks %q:\n%s", words, b.String())
		}
	}

	var wide bytes.Buffer
	if leftOut, err := printRuns(&wide, runs, true); err != nil || len(leftOut) > 0 {
		t.Fatalf("the wide list leaves out %q: %v", leftOut, err)
	}
	for _, words := range []string{"BATCH", "RETRIES", "france, every night", "grid_loader (airflow)@scheduler.example.org", "1,234,567"} {
		if !strings.Contains(wide.String(), words) {
			t.Errorf("the wide list lacks %q:\n%s", words, wide.String())
		}
	}

	var none bytes.Buffer
	if leftOut, err := printRuns(&none, runs[2:], false); err != nil || len(leftOut) > 0 {
		t.Fatalf("the list of one run leaves out %q: %v", leftOut, err)
	}
	if got := none.String(); strings.Contains(got, "ERROR") || strings.Contains(got, "JOB") {
		t.Errorf("columns with nothing to show:\n%s", got)
	}
}
