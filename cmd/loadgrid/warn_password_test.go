package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commandsWithDSN returns a command line for each command that has --dsn.
func commandsWithDSN(t *testing.T) map[string][]string {
	t.Helper()
	lines := serverCommands()
	lines["plan"] = []string{"plan", "--cell-size", "1", "--cols", "10", "--rows", "10", "--aoi-sql", "select 1"}
	lines["dump"] = []string{"dump", "--cell-size", "1", "--cols", "10", "--rows", "10", "--aoi-sql", "select 1"}
	lines["preview"] = []string{"preview", "--table", "g"}
	lines["demo"] = []string{"demo"}
	lines["runs rollback"] = []string{"runs", "rollback", "1"}
	lines["runs hold"] = []string{"runs", "hold", "g"}
	lines["runs release"] = []string{"runs", "release", "g"}
	lines["doctor"] = []string{"doctor"}
	lines["uninstall"] = []string{"uninstall"}
	lines["runs prune"] = []string{"runs", "prune", "--older-than", "90d"}

	var check func(cmd *cobra.Command, path string)
	check = func(cmd *cobra.Command, path string) {
		if _, ok := lines[path]; cmd.Flags().Lookup("dsn") != nil && !ok {
			t.Errorf("%s has --dsn, and no case here", path)
		}
		for _, c := range cmd.Commands() {
			check(c, strings.TrimSpace(path+" "+c.Name()))
		}
	}
	check(newRootCommand(), "")

	return lines
}

func TestAPasswordOnTheCommandLineIsWarnedOf(t *testing.T) {
	clearEnv(t)
	dsn := "postgresql://me:" + secret + "@" + closedPort(t) + "/gis?sslmode=disable"
	for name, args := range commandsWithDSN(t) {
		code, _, stderr := call(t.Context(), append(args, "--dsn", dsn)...)
		if code != exitFailed || strings.Count(stderr, "warning: ") != 1 || !strings.HasPrefix(stderr, "warning: "+passwordWarning+"\n") {
			t.Errorf("%s: exit code %d, stderr %q", name, code, stderr)
		}
	}
}

func TestTheWarningOfAPasswordIsJSONWhereAllIs(t *testing.T) {
	clearEnv(t)
	dsn := "--dsn=postgresql://me:" + secret + "@" + closedPort(t) + "/gis?sslmode=disable"
	for _, flag := range []string{"--log-format=json", "--progress=json"} {
		_, _, stderr := call(t.Context(), append(serverCommands()["load"], dsn, flag)...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if len(lines) != 2 {
			t.Fatalf("%s: stderr %q", flag, stderr)
		}

		var line struct{ Type, Level, Msg string }
		if err := json.Unmarshal([]byte(lines[0]), &line); err != nil || line.Type != "log" || line.Level != "WARN" || line.Msg != passwordWarning {
			t.Errorf("%s: %v, %q", flag, err, lines[0])
		}
	}
}

// The alternatives that the warning names cause no warning.
func TestNoWarningOfAPasswordElsewhere(t *testing.T) {
	clearEnv(t)
	address := closedPort(t)
	host, port, _ := strings.Cut(address, ":")
	without := "postgresql://me@" + address + "/gis?sslmode=disable"
	job := "dsn: " + without + "\npassword: ${GIS_PASSWORD}\ntable: g\ncell-size: 1\ncols: 10\nrows: 10\n"

	ways := map[string]struct {
		env  map[string]string
		args []string
		jobs string
	}{
		"LOADGRID_DSN":          {env: map[string]string{"LOADGRID_DSN": "postgresql://me:" + secret + "@" + address + "/gis"}, args: []string{"runs", "list"}},
		"PG*":                   {env: map[string]string{"PGHOST": host, "PGPORT": port, "PGPASSWORD": secret}, args: []string{"runs", "list"}},
		"--dsn and PGPASSWORD":  {env: map[string]string{"PGPASSWORD": secret}, args: []string{"runs", "list", "--dsn", without}},
		"a job file":            {env: map[string]string{"GIS_PASSWORD": secret}, args: []string{"load"}, jobs: job},
		"a job file with --dsn": {args: []string{"load", "--dsn", without}, jobs: job},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			for variable, value := range way.env {
				t.Setenv(variable, value)
			}

			var code int
			var stderr string
			if way.jobs == "" {
				code, _, stderr = call(t.Context(), way.args...)
			} else {
				code, _, stderr = callJobs(t, way.jobs, way.args...)
			}

			if code != exitFailed || strings.Contains(stderr, "warning") || !strings.Contains(stderr, "connecting to "+address) {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
		})
	}
}
