package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// An error of a job in JSON names the job.
func TestWrongJobsInJSON(t *testing.T) {
	clearEnv(t)
	for _, wrong := range []string{"--index=x", "--keep=-1", "--after=commit", "--aoi=missing.wkt", "--chunk-rows=5 --partitions=2"} {
		args := append(strings.Fields("load --table s.g --cell-size 1 --cols 1 --rows 1 --log-format json"), strings.Fields(wrong)...)
		code, _, stderr := call(t.Context(), args...)

		var o map[string]any
		if err := json.Unmarshal([]byte(stderr), &o); code != exitUsage || err != nil || o["job"] != "s.g" || o["level"] != "ERROR" {
			t.Errorf("%s: exit code %d, %s", wrong, code, stderr)
		}
	}
}

// A wrong flag keeps the flags after it from being read, but if one of them selects JSON, the error is JSON, too.
func TestUsageErrorsInJSON(t *testing.T) {
	clearEnv(t)
	for _, args := range []string{
		"load --bogus --log-format json", "load --log-format json --bogus", "load --cols x --log-format=json", "load --bogus --progress json",
		"load --wait soon --progress=json", "runs resume --bogus 3 --log-format json", "load --log-format json too many",
	} {
		var out, stderr bytes.Buffer
		if code := run(t.Context(), strings.Fields(args), strings.NewReader(""), &out, &stderr); code != exitUsage {
			t.Errorf("%s: exit code %d", args, code)
		}

		for line := range strings.Lines(stderr.String()) {
			var o map[string]any
			if err := json.Unmarshal([]byte(line), &o); err != nil || o["type"] != "log" || o["level"] != "ERROR" {
				t.Errorf("%s: no object: %q: %v", args, line, err)
			}
		}
	}
}
