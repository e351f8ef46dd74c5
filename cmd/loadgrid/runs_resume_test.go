package main

import (
	"errors"
	"testing"

	"github.com/loadgrid/loadgrid/loader"
)

func TestJobToResume(t *testing.T) {
	found := loader.Table{Schema: "stats", Name: "grid"}
	run := loader.RunInfo{ID: 3, State: loader.StateLoading, Table: found}
	run.Job = loader.Job{Table: loader.Table{Name: "grid"}, Cols: 9, Rows: 8, LedgerSchema: "elsewhere"}

	job, err := jobToResume(run, "audit")
	if err != nil || job.Table != found || job.LedgerSchema != "audit" || job.Cols != 9 {
		t.Errorf("the job is %+v, %v", job, err)
	}

	for _, state := range []string{loader.StatePublished, loader.StateDropped} {
		run.State = state
		var wrong *loader.StateError
		if _, err := jobToResume(run, "audit"); !errors.As(err, &wrong) || wrong.ID != 3 || exitCode(t.Context(), err) != exitUsage {
			t.Errorf("%s: %v", state, err)
		}
	}
}
