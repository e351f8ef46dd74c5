package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestJobCheck(t *testing.T) {
	clearEnv(t)
	t.Setenv("LOADGRID_DSN", unusedServer(t))
	names, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(names) != 3 {
		t.Fatalf("%v, %v", names, err)
	}

	for _, name := range names {
		code, stdout, stderr := call(t.Context(), "job", "check", name)
		if code != exitDone || stderr != "" || !strings.HasPrefix(stdout, name+": ") {
			t.Errorf("%s: exit code %d, %s%s", name, code, stdout, stderr)
		}
	}

	name := writeJobs(t, "table: a\ncell-size: 1\ncols: 1\nrows: 1\ndsn: ${LOADGRID_TEST_NOT}\npassword: file:missing\n")
	if code, stdout, _ := call(t.Context(), "job", "check", name); code != exitDone || stdout != name+": 1 job: a\n" {
		t.Errorf("without its secrets: exit code %d, %s", code, stdout)
	}
	if code, _, stderr := call(t.Context(), "job", "check", writeJobs(t, "table: a\ncell-size: 0\n")); code != exitUsage || !strings.Contains(stderr, ":2:12: cell-size 0: must be") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
