package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/loader"
)

// The jobs of a file fail one after the other if there is no server.
func TestJobsThatFail(t *testing.T) {
	clearEnv(t)
	t.Setenv("LOADGRID_DSN", "postgresql://"+closedPort(t)+"/gis")

	const jobs = "defaults: {cell-size: 1, rows: 3, cols: 2}\njobs:\n- {table: a}\n- {name: second, table: b}\n- {table: c}\n"
	code, stdout, stderr := callJobs(t, jobs, "load")
	lines := strings.Split(stderr, "\n")
	if code != exitFailed || stdout != "" || len(lines) != 4 || lines[0] != "job a starts (1 of 3)" || lines[1] != "not done: second, c" || !strings.HasPrefix(lines[2], "loadgrid: job a: connecting to") {
		t.Errorf("exit code %d, %q", code, lines)
	}

	code, _, stderr = callJobs(t, jobs, "load", "--keep-going")
	lines = strings.Split(stderr, "\n")
	if code != exitFailed || len(lines) != 8 || lines[4] != "job c starts (3 of 3)" || !strings.HasPrefix(lines[3], "loadgrid: job second: connecting to") || lines[6] != "loadgrid: 3 of 3 jobs failed: a, second, c" {
		t.Errorf("exit code %d, %q", code, lines)
	}

	code, _, stderr = callJobs(t, strings.Replace(jobs, "rows: 3", "rows: 3, log-format: json", 1), "load", "--keep-going")
	lines = strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	for _, line := range lines {
		if !strings.HasPrefix(line, `{"time":`) || !strings.Contains(line, `"type":"log"`) {
			t.Errorf("no object: %s", line)
		}
	}

	if code != exitFailed || len(lines) != 7 {
		t.Errorf("exit code %d, %d lines", code, len(lines))
	}

	code, _, stderr = callJobs(t, jobs, "load", "--only", "c")
	if code != exitFailed {
		t.Errorf("exit code %d", code)
	}

	checkOneLine(t, stderr, "loadgrid: job c: connecting to")
}

// The first failed job determines the exit code, whatever wraps its error.
func TestExitCodeOfJobsThatFailed(t *testing.T) {
	p := prepareJob(t, "table: a\ncell-size: 1\ncols: 1\nrows: 1\n")
	for want, err := range map[int]error{
		exitFailed: errors.New("no"), exitUsage: p.valueError("cols", errors.New("no")), exitLocked: &loader.LockedError{}, exitResumable: &loader.ResumableError{Run: 7, Chunks: 2},
	} {
		failed := &failedJobs{first: p.locate(&runError{job: "a", err: err}), names: []string{"a"}, of: 2}
		if code := exitCode(t.Context(), failed); code != want {
			t.Errorf("%v: exit code %d, want %d", err, code, want)
		}

		var b bytes.Buffer
		if reportError(&b, t.Context(), "loadgrid load", false, failed); b.String() != "loadgrid: 1 of 2 jobs failed: a\n" {
			t.Errorf("%v: %s", err, b.String())
		}
	}
}
