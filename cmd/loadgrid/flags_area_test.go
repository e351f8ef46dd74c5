package main

import "testing"

func TestTimeoutOfTheQuery(t *testing.T) {
	clearEnv(t)
	for name, args := range map[string][]string{
		"without a query": {"--aoi-sql-timeout", "5s"},
		"with a file":     {"--aoi", "../../testdata/luxembourg.wkt", "--aoi-sql-timeout", "5s"},
		"zero":            {"--aoi-sql", "select 1", "--aoi-sql-timeout", "0"},
		"negative":        {"--aoi-sql", "select 1", "--aoi-sql-timeout", "-5s"},
		"too short":       {"--aoi-sql", "select 1", "--aoi-sql-timeout", "5us"},
		"too long":        {"--aoi-sql", "select 1", "--aoi-sql-timeout", "1000h"},
		"no duration":     {"--aoi-sql", "select 1", "--aoi-sql-timeout", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t.Context(), append([]string{"plan", "--cell-size", "1", "--dsn", unusedServer(t)}, args...)...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code %d, stdout %q", code, stdout)
			}
			checkOneLine(t, stderr, "--aoi-sql-timeout")
		})
	}
}
