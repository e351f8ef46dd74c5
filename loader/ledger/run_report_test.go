package ledger

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/loader/job"
)

func TestJobToResume(t *testing.T) {
	found := job.Table{Schema: "stats", Name: "grid"}
	run := RunInfo{ID: 3, State: StateLoading, Table: found}
	run.Job = job.Job{Table: job.Table{Name: "grid"}, Cols: 9, Rows: 8, LedgerSchema: "elsewhere"}

	j, err := run.JobToResume("audit")
	if err != nil || j.Table != found || j.LedgerSchema != "audit" || j.Cols != 9 {
		t.Errorf("the job is %+v, %v", j, err)
	}

	if run.Job.LedgerSchema != "elsewhere" {
		t.Errorf("the run has now the job %+v", run.Job)
	}

	for _, state := range []State{StatePublished, StateDropped} {
		run.State = state
		var wrong *StateError
		if _, err := run.JobToResume("audit"); !errors.As(err, &wrong) || wrong.ID != 3 || wrong.State != run.Status() || wrong.Only != "resumed" {
			t.Errorf("%s: %v", state, err)
		}
	}
}

func TestAttemptsOfARun(t *testing.T) {
	var run RunInfo
	if last := run.LastAttempt(); !reflect.ValueOf(last).IsZero() || run.Retries() != 0 {
		t.Errorf("without attempts the last is %+v, with %d retries", last, run.Retries())
	}

	run.History = []Attempt{{No: 1, Retries: 2}, {No: 2}, {No: 3, Retries: 5}}
	if last := run.LastAttempt(); last.No != 3 || run.Retries() != 7 {
		t.Errorf("the last is %+v, with %d retries", last, run.Retries())
	}
}

func TestTook(t *testing.T) {
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { t := start.Add(d); return &t }

	for _, tt := range []struct {
		name     string
		finished *time.Time
		want     time.Duration
		known    bool
	}{
		{"unfinished", nil, 0, false},
		{"a clock that was set back", at(-time.Second), 0, false},
		{"at once", at(0), 0, true},
		{"90 seconds", at(90 * time.Second), 90 * time.Second, true},
	} {
		run := RunInfo{StartedAt: start, FinishedAt: tt.finished}
		if got, known := run.Took(); got != tt.want || known != tt.known {
			t.Errorf("%s: %v, %v, want %v, %v", tt.name, got, known, tt.want, tt.known)
		}
	}
}

func TestStartedBy(t *testing.T) {
	for _, tt := range []struct {
		attempt    Attempt
		want, host string
	}{
		{Attempt{}, "", ""},
		{Attempt{Host: "cron1", OSUser: "me"}, "", "cron1"},
		{Attempt{Role: "gis"}, "gis", ""},
		{Attempt{Role: "gis", OSUser: "gis", Host: "cron1"}, "gis@cron1", "cron1"},
		{Attempt{Role: "gis", OSUser: "me", Host: "cron1", Address: "10.0.0.7"}, "gis (me)@cron1", "cron1"},
		{Attempt{Role: "gis", OSUser: "me", Address: "10.0.0.7"}, "gis (me)@10.0.0.7", "10.0.0.7"},
	} {
		if who, host := tt.attempt.StartedBy(), tt.attempt.ClientHost(); who != tt.want || host != tt.host {
			t.Errorf("%+v was started by %q on %q, want %q on %q", tt.attempt, who, host, tt.want, tt.host)
		}
	}
}

func TestStatusOfAnUnfinishedRun(t *testing.T) {
	yes, no := true, false
	ended := func(outcome Outcome) []Attempt {
		at := time.Now()
		return []Attempt{{No: 1}, {No: 2, EndedAt: &at, Outcome: outcome}}
	}

	for _, tt := range []struct {
		run  RunInfo
		want string
	}{
		{RunInfo{State: StateLoading, History: ended(OutcomeFailed)}, "loading"}, // nobody has checked
		{RunInfo{State: StateLoading, Alive: &yes, History: []Attempt{{No: 1}}}, "loading"},
		{RunInfo{State: StateLoading, Alive: &no, History: []Attempt{{No: 1}}}, "killed"},
		{RunInfo{State: StateLoading, Alive: &no, History: ended(OutcomeFailed)}, "failed"},
		{RunInfo{State: StateLoading, Alive: &no, History: ended(OutcomeStopped)}, "stopped"},
		{RunInfo{State: StateLoading, Alive: &no, LastError: "x"}, "failed"}, // a ledger without attempts
		{RunInfo{State: StateLoading, Alive: &no}, "killed"},
		{RunInfo{State: StateDropped, History: ended(OutcomeStopped)}, "dropped"},
	} {
		if got := tt.run.Status(); got != tt.want {
			t.Errorf("%+v is %s, want %s", tt.run, got, tt.want)
		}
	}
}
