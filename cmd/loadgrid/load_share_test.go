package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/jobqueue"
	"github.com/loadgrid/loadgrid/loader"
)

func TestShareFlag(t *testing.T) {
	clearEnv(t)
	const jobs = "table: a\ncell-size: 1\ncols: 1\nrows: 1\n"
	for _, tt := range []struct{ args, want string }{
		{"--share=", `--share "": must have 1 to 200 bytes of printable text`},
		{"--share=a\tb", "--share a b: must have 1 to 200 bytes"},
		{"--share=" + strings.Repeat("x", 201), "must have 1 to 200 bytes"},
		{"--share|night", `unexpected argument "night": --share needs an equals sign before its value: write --share=night`},
		{"--share=a|--share=b", "--share is given twice"},
	} {
		code, _, stderr := callJobs(t, jobs, append([]string{"load"}, strings.Split(tt.args, "|")...)...)
		if code != exitUsage {
			t.Errorf("%q: exit code %d", tt.args, code)
		}
		checkOneLine(t, stderr, tt.want)
	}

	code, _, stderr := call(t.Context(), "load", "--share", "--table", "a", "--cell-size", "1", "--cols", "1", "--rows", "1")
	if code != exitUsage {
		t.Errorf("without a file: exit code %d", code)
	}
	checkOneLine(t, stderr, "--share -: needs a job file: --job")

	if code, _, stderr = callJobs(t, "share: x\n"+jobs, "load"); code != exitUsage || !strings.Contains(stderr, `jobs.yaml:1:1: unknown key "share"`) {
		t.Errorf("as a key: exit code %d, %s", code, stderr)
	}
}

// If there is no server, each job fails once, and the process ends.
func TestSharedJobsWithoutAServer(t *testing.T) {
	clearEnv(t)
	t.Setenv("LOADGRID_DSN", "postgresql://"+closedPort(t)+"/gis")

	const jobs = "defaults: {cell-size: 1, rows: 3, cols: 2}\njobs:\n- {table: a}\n- {name: second, table: b}\n- {table: a, name: third}\n"
	code, stdout, stderr := callJobs(t, jobs, "load", "--share=x")
	if code != exitFailed || stdout != "" {
		t.Errorf("exit code %d, %s", code, stdout)
	}

	want := []string{
		"job a starts (1 of 3)",
		"loadgrid: job a: connecting to",
		"job second starts (2 of 3)",
		"loadgrid: job second: connecting to",
		"job a: failed, and no other process has done it since",
		"job second: failed, and no other process has done it since",
		"job third: not done: an earlier job that loads the same table has failed",
		"loadgrid: 3 of 3 jobs failed: a, second, third",
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %s", len(lines), stderr)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %d is %q, want %q", i, line, want[i])
		}
	}
}

// The report of a process on its jobs.
func TestAccountOfASharedJob(t *testing.T) {
	by := loader.SharedBy{Run: 7, Outcome: loader.OutcomePublished, Role: "gis", Host: "node7", OSUser: "me", Process: 4711}
	unchanged := by
	unchanged.Outcome = loader.OutcomeUnchanged
	failed := by
	failed.Error, failed.ExitCode = "division by zero", exitResumable

	for _, tt := range []struct {
		job    sharedJob
		result jobqueue.Result
		want   string
		code   int
	}{
		{sharedJob{summary: loader.Summary{Run: 3}}, jobqueue.DoneHere, "job a: done by this process, run 3", exitDone},
		{sharedJob{summary: loader.Summary{Run: 3, Unchanged: true}}, jobqueue.DoneHere, "job a: found unchanged by this process; its rows are from run 3", exitDone},
		{sharedJob{by: &by}, jobqueue.DoneElsewhere, "job a: done by gis (me)@node7, process 4711, run 7", exitDone},
		{sharedJob{by: &unchanged}, jobqueue.DoneElsewhere, "job a: found unchanged by gis (me)@node7, process 4711; its rows are from run 7", exitDone},
		{sharedJob{err: &loader.ResumableError{Err: errors.New("x")}}, jobqueue.FailedHere, "job a: failed, and no other process has done it since", exitResumable},
		{sharedJob{err: &loader.SharedFailedError{Last: failed}}, jobqueue.FailedElsewhere, "job a: it has failed 2 times, the last time for gis (me)@node7, process 4711: division by zero", exitResumable},
		{sharedJob{err: &loader.SharedFailedError{}}, jobqueue.FailedElsewhere, "job a: it has failed 2 times", exitFailed},
		{sharedJob{held: &loader.LockedError{Table: loader.Table{Schema: "s", Name: "a"}, Holder: "backend 5"}}, jobqueue.Locked, "job a: another run holds table s.a (backend 5)", exitLocked},
		{sharedJob{}, jobqueue.Blocked, "job a: not done: an earlier job", exitFailed},
	} {
		tt.job.prepared = prepareJob(t, "table: a\ncell-size: 1\ncols: 1\nrows: 1\n")
		var b bytes.Buffer
		err := tt.job.report(streams{err: &b, failures: &b}, tt.result)
		if !strings.HasPrefix(b.String(), tt.want) || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("result %d: %q, want %q", tt.result, b.String(), tt.want)
		}
		if (err == nil) != (tt.code == exitDone) || err != nil && exitCode(t.Context(), err) != tt.code {
			t.Errorf("result %d: %v, want exit code %d", tt.result, err, tt.code)
		}

		tt.job.prepared = prepareJob(t, "table: a\ncell-size: 1\ncols: 1\nrows: 1\nlog-format: json\n")
		b.Reset()
		_ = tt.job.report(streams{err: &b, failures: &b}, tt.result)
		var line struct {
			Type, Job, Outcome, By, Error string
			Here                          bool
			Run                           int64
		}
		if jsonErr := json.Unmarshal(b.Bytes(), &line); jsonErr != nil || line.Type != "log" || line.Job != "a" || line.Outcome == "" || (line.Error == "") != (err == nil) {
			t.Errorf("result %d: %s", tt.result, b.String())
		}
	}
}
