package main

import (
	"strings"
	"testing"
)

// Users sometimes put a connection string in the wrong place.
func TestAMisplacedDSNNeverLeaks(t *testing.T) {
	clearEnv(t)
	for _, dsn := range []string{
		"postgresql://me:" + secret + "@h/gis", "postgres://me:a@" + secret + "@h/gis", "postgres://h/gis?password=" + secret,
		"host=h password=" + secret, "host=h password = '" + secret + "'", `host=h password='a\'` + secret + `' port=1`, "host=h password='a " + secret,
		"host=h\tsslpassword=" + secret, "host=h password\t=\n" + secret,
	} {
		for _, args := range [][]string{
			{dsn}, {"--" + dsn}, {"-" + dsn}, {"-dsn", dsn}, {"help", dsn}, {"runs", dsn}, {"runs", "list", dsn}, {"runs", "show", dsn},
			{"plan", dsn}, {"plan", "--dns", dsn}, {"plan", "--cell-size", dsn}, {"plan", "--srid", dsn}, {"load", "--table", dsn}, {"load", "--table", "t", "--cell-size", "1", "--extent", dsn},
			{"load", "--table", "t", "--cell-size", "1", "--cols", "1", "--rows", "1", "--if-exists", dsn},
			{"load", "--table", "t", "--cell-size", "1", "--cols", "1", "--rows", "1", "--progress", dsn},
			{"plan", "--cell-size", "1", "--aoi", dsn}, {"plan", "--cell-size", "1", "--aoi-sql", dsn, "--aoi", dsn},
			{"completion", dsn}, {"demo", dsn}, {"preview", dsn},
		} {
			code, stdout, stderr := call(t.Context(), args...)
			if code != exitUsage && code != exitFailed || stdout != "" {
				t.Errorf("%q: exit code %d, stdout %q", args, code, stdout)
			}
			if strings.Contains(stderr, secret) {
				t.Errorf("%q shows the password: %s", args, stderr)
			}
		}
	}
}
