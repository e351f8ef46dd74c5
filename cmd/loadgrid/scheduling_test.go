package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loadgrid/loadgrid/internal/mdblocks"
	"github.com/loadgrid/loadgrid/internal/textfile"
)

const scheduling = "../../docs/scheduling.md"

func mustReadDocument(t *testing.T) *document {
	t.Helper()
	s, err := readDocument(scheduling)
	if err != nil {
		t.Fatal(err)
	}

	return s
}

// TestSchedulingCommands parses each command line of the document with the program's
// own flags.
func TestSchedulingCommands(t *testing.T) {
	clearEnv(t)
	s := mustReadDocument(t)
	nowhere := "postgresql://" + closedPort(t) + "/gis"
	seen := 0

	for where, calls := range s.calls {
		for _, args := range calls {
			seen++
			line := where + ": loadgrid " + strings.Join(args, " ")
			if _, err := parseCommand(args); err != nil {
				t.Errorf("%s: %v", line, err)
			}

			// A wrong job would be refused before connecting to a server.
			if args[0] == "load" && !slices.Contains(args, "--job") {
				if code, _, stderr := call(t.Context(), append(args, "--dsn", nowhere)...); code != exitFailed || !strings.Contains(stderr, "connecting to") {
					t.Errorf("%s: exit code %d, %s", line, code, stderr)
				}
			}
		}
	}

	if seen < 12 {
		t.Errorf("%d commands seen: some are not read", seen)
	}
}

// Every flag in the text is a flag of some command.
func TestSchedulingFlags(t *testing.T) {
	known := make(map[string]bool)
	everyCommand(newRootCommand(), func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	})
	text, err := os.ReadFile(scheduling)
	if err != nil {
		t.Fatal(err)
	}

	found := regexp.MustCompile("`--([a-z-]+)").FindAllStringSubmatch(string(text), -1)
	for _, m := range found {
		if !known[m[1]] {
			t.Errorf("there is no flag --%s", m[1])
		}
	}

	if len(found) < 10 {
		t.Errorf("%d flags seen: some are not read", len(found))
	}
}

// TestSchedulingJobs checks each job file of the document as 'job check' does.
func TestSchedulingJobs(t *testing.T) {
	clearEnv(t)
	s := mustReadDocument(t)
	for where, text := range s.jobs {
		file := filepath.Join(t.TempDir(), "nightly.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := call(t.Context(), "job", "check", file); code != exitDone {
			t.Errorf("%s: exit code %d, %s", where, code, stderr)
		}
	}

	if len(s.jobs) != 5 {
		t.Errorf("%d job files seen, want 5", len(s.jobs))
	}
}

// The alerts use only metrics that loadgrid writes, and two that node_exporter adds for each
// textfile.
func TestSchedulingAlerts(t *testing.T) {
	s := mustReadDocument(t)
	file := filepath.Join(t.TempDir(), "loadgrid.prom")
	for _, outcome := range []textfile.Outcome{textfile.Published, textfile.Failed} {
		err := textfile.Write(file, textfile.Record{Job: "job", Table: "t", Ended: time.Now(), Outcome: outcome, HeapBytes: 1, WALBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
	}

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	known := map[string]bool{"node_textfile_mtime_seconds": true, "node_textfile_scrape_error": true}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(string(text), -1) {
		known[m[1]] = true
	}

	for _, a := range s.alerts {
		names := regexp.MustCompile(`\b(?:loadgrid|node)_[a-z_]+`).FindAllString(a.Expr, -1)
		if len(names) == 0 {
			t.Errorf("%s is about nothing: %s", a.Alert, a.Expr)
		}

		for _, name := range names {
			if !known[name] {
				t.Errorf("%s: loadgrid writes no %s", a.Alert, name)
			}
		}

		for _, m := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(a.Annotations["summary"], -1) {
			if !slices.Contains([]string{"job_name", "table", "file", "instance"}, m[1]) {
				t.Errorf("%s: there is no label %s", a.Alert, m[1])
			}
		}

		if _, err := time.ParseDuration(a.For); a.For != "" && err != nil {
			t.Errorf("%s: for %s: %v", a.Alert, a.For, err)
		}
	}

	if len(s.alerts) < 8 {
		t.Errorf("%d alerts seen: some are not read", len(s.alerts))
	}
}

// TestCrontab checks that each line of the crontab is a variable or five fields and
// the script that the document has.
func TestCrontab(t *testing.T) {
	blocks, err := mdblocks.Read(scheduling)
	if err != nil {
		t.Fatal(err)
	}

	right := regexp.MustCompile(`^([A-Z_]+=\S+|(\d+|\*) (\d+|\*) \* \* \* loadgrid-nightly)$`)
	lines, scripts := 0, 0
	for _, b := range blocks {
		if b.Language == "sh" && b.Heading == "cron" && strings.HasPrefix(b.Text, "#!/bin/sh\n") {
			scripts++
		}
		if b.Language != "crontab" {
			continue
		}

		for line := range strings.Lines(b.Text) {
			lines++
			if !right.MatchString(strings.TrimSuffix(line, "\n")) {
				t.Errorf("%s: %s", b.Name(), line)
			}
		}
	}

	if lines < 4 || scripts != 1 {
		t.Errorf("%d lines of crontab and %d scripts seen", lines, scripts)
	}
}
