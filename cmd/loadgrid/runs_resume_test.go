package main

import (
	"testing"

	"github.com/loadgrid/loadgrid/loader"
)

// A run that has ended cannot be resumed: the user gave a wrong number.
func TestResumeOfAnEndedRun(t *testing.T) {
	for _, state := range []loader.State{loader.StatePublished, loader.StateDropped} {
		run := loader.RunInfo{ID: 3, State: state}
		if _, err := run.JobToResume("audit"); exitCode(t.Context(), err) != exitUsage {
			t.Errorf("%s: exit code %d for %v", state, exitCode(t.Context(), err), err)
		}
	}
}
