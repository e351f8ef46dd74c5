package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// A flag that cannot be understood keeps those behind it from being read, and its
// error is an object all the same where one of them asks for that.
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
