package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/loader"
)

func TestAftermath(t *testing.T) {
	failed := errors.New("division by zero")
	stopped := signalError{2}
	resumable := func(err error) error {
		return &loader.ResumableError{Run: 7, Committed: 1, Chunks: 1, RowsDone: 1, Rows: 1, Err: err}
	}

	for _, tt := range []struct {
		name       string
		s          loader.Summary
		schema     string
		err        error
		kept, next string // "" for nothing
	}{
		{"done", loader.Summary{Run: 7}, "", nil, "", ""},
		{"not begun", loader.Summary{}, "", failed, "", ""},
		{"another's", loader.Summary{Run: 7}, "", &loader.LockedError{}, "", ""},
		{"stopped, nothing kept", loader.Summary{Run: 7, Kept: loader.KeptNothing}, "", stopped, "nothing; readers", "run the same command again"},
		{"failed, nothing kept", loader.Summary{Run: 7, Kept: loader.KeptNothing}, "", failed, "nothing; readers", "fix the cause, then"},
		{"stopped, resumable", loader.Summary{Run: 7, Kept: loader.KeptChunks}, "loadgrid", resumable(stopped), "1 of 1 chunk with 1 of 1 row,",
			"run the same command again or 'loadgrid runs resume 7'; to give up, run 'loadgrid runs drop 7'"},
		{"failed, resumable", loader.Summary{Run: 7, Method: loader.MethodPartitions}, "audit", resumable(failed), "1 of 1 partition with", "fix the cause, then run the same command again or 'loadgrid runs resume 7 --ledger-schema audit'"},
		{"server away", loader.Summary{Run: 7}, "", context.DeadlineExceeded, "unknown", "'loadgrid runs show 7'"},
	} {
		after := describeAfter(tt.s, tt.schema, tt.err, strings.HasPrefix(tt.name, "stopped"))
		if (after.kept == "") != (tt.kept == "") || !strings.Contains(after.kept, tt.kept) || !strings.Contains(after.next, tt.next) {
			t.Errorf("%s: %+v", tt.name, after)
		}

		if tt.err == nil {
			continue
		}

		var text, object bytes.Buffer
		err := &runError{job: "grid", run: tt.s.Run, err: tt.err, after: after}
		reportError(&text, t.Context(), "loadgrid load", false, err)
		reportError(&object, t.Context(), "loadgrid load", true, err)

		lines := 1
		if tt.kept != "" {
			lines = 3
		}
		if strings.Count(text.String(), "\n") != lines || strings.Count(object.String(), "\n") != 1 || strings.Contains(object.String(), `"next":`) != (lines == 3) {
			t.Errorf("%s: %q, %q", tt.name, text.String(), object.String())
		}
	}
}
