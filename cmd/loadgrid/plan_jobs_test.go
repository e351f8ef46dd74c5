package main

import (
	"os"
	"strings"
	"testing"
)

func TestPlanOfJobs(t *testing.T) {
	clearEnv(t)
	t.Chdir(t.TempDir())

	const jobs = "defaults: {cell-size: 1, rows: 3, dsn: 'host=${LOADGRID_TEST_NOT}', publish: truncate, if-exists: replace}\njobs:\n- {table: a, cols: 2}\n- {name: second, table: b, cols: 4}\n"
	code, stdout, stderr := callJobs(t, jobs, "plan")
	if want := "job a\ntable     a\n"; code != exitDone || stderr != "" || !strings.HasPrefix(stdout, want) || !strings.Contains(stdout, "\n\njob second\ntable     b\n") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}

	code, stdout, _ = callJobs(t, jobs, "plan", "--only", "second", "--picture", "a.svg")
	if _, err := os.Stat("a.svg"); code != exitDone || strings.Contains(stdout, "job a") || err != nil {
		t.Errorf("exit code %d, %s, %v", code, stdout, err)
	}

	code, _, stderr = callJobs(t, jobs, "plan", "--picture", "a.svg")
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}

	checkOneLine(t, stderr, "--picture a.svg: works with one job only, and there are 2")
	// A plan that connects needs the secrets.
	code, _, stderr = callJobs(t, jobs+"- {name: third, table: c, cols: 1, aoi-sql: select 1}\n", "plan", "--only", "third")
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}

	checkOneLine(t, stderr, "jobs.yaml:1:40: dsn needs the variable LOADGRID_TEST_NOT")
}
