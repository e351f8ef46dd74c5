package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/fences"
	"github.com/loadgrid/loadgrid/internal/textfile"
)

const scheduling = "../../docs/scheduling.md"

// shellCommands returns the arguments of loadgrid wherever a line of shell, of a unit of
// systemd or of a script begins with it, without what the shell keeps for itself.
func shellCommands(text string) (calls [][]string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	assignment := regexp.MustCompile(`^[A-Z_]+=`)
	for line := range strings.Lines(text) {
		words := shellWords(strings.TrimPrefix(line, "ExecStart="))
		for len(words) > 0 && (words[0] == "exec" || assignment.MatchString(words[0])) {
			words = words[1:]
		}
		if len(words) == 0 || path.Base(words[0]) != "loadgrid" {
			continue
		}
		end := slices.IndexFunc(words, func(w string) bool { return strings.ContainsAny(w[:min(len(w), 2)], "<>|;&") })
		if end < 0 {
			end = len(words)
		}
		calls = append(calls, words[1:end])
	}
	return calls
}

func TestShellCommands(t *testing.T) {
	got := shellCommands("X=1 exec loadgrid load --a \\\n  'b c' 2>&1 >>\"$log\" # d\nls loadgrid\nExecStart=/usr/bin/loadgrid runs list | jq .\nloadgrid-nightly\n")
	if want := [][]string{{"load", "--a", "b c"}, {"runs", "list"}}; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// shown is what a document shows of loadgrid.
type shown struct {
	calls  map[string][][]string // arguments, by the block that they are in
	jobs   map[string]string     // job files
	alerts []alert
}

type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func (s *shown) call(b fences.Block, args ...[]string) {
	s.calls[b.Name()] = append(s.calls[b.Name()], args...)
}

// readShown takes a document apart. A block in a language that is not known here is an
// error: nothing would try it.
func readShown(document string) (*shown, error) {
	blocks, err := fences.Read(document)
	if err != nil {
		return nil, err
	}
	s := &shown{calls: make(map[string][][]string), jobs: make(map[string]string)}
	for _, b := range blocks {
		var err error
		switch b.Language {
		case "sh", "ini":
			s.call(b, shellCommands(b.Text)...)
		case "python":
			err = s.python(b)
		case "yaml":
			err = s.yaml(b)
		case "json":
			for line := range strings.Lines(b.Text) {
				err = errors.Join(err, json.Unmarshal([]byte(line), new(map[string]any)))
			}
		case "crontab": // see TestCrontab
		case "sql": // run by integration
		default:
			err = errors.New("no test knows what to do with it")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.Name(), err)
		}
	}
	return s, nil
}

// python looks for commands in the strings and lists of operators.
func (s *shown) python(b fences.Block) error {
	for _, m := range regexp.MustCompile(`bash_command="([^"]*)"`).FindAllStringSubmatch(b.Text, -1) {
		s.call(b, shellCommands(m[1])...)
	}
	for _, m := range regexp.MustCompile(`arguments=(\[[^\]]*\])`).FindAllStringSubmatch(b.Text, -1) {
		var args []string
		if err := json.Unmarshal([]byte(m[1]), &args); err != nil {
			return fmt.Errorf("arguments %s: %w", m[1], err)
		}
		s.call(b, args)
	}
	return nil
}

// yaml reads all documents of a block.
func (s *shown) yaml(b fences.Block) error {
	d := yaml.NewDecoder(strings.NewReader(b.Text))
	for {
		var top map[string]any
		err := d.Decode(&top)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := top["groups"]; ok {
			if err := s.rules(b.Text); err != nil {
				return err
			}
		}
		if _, ok := top["jobs"].([]any); ok {
			s.jobs[b.Name()] = b.Text
		}
		s.walk(b, top)
	}
}

// walk looks for commands and job files anywhere below a value: args of containers,
// run of steps, files of a ConfigMap.
func (s *shown) walk(b fences.Block, v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			s.walk(b, item)
		}
	case map[string]any:
		if image, _ := v["image"].(string); strings.HasPrefix(image, "loadgrid:") {
			var args []string
			list, _ := v["args"].([]any)
			for _, a := range list {
				args = append(args, fmt.Sprint(a))
			}
			s.call(b, args)
		}
		for key, item := range v {
			text, isText := item.(string)
			switch {
			case isText && key == "run":
				s.call(b, shellCommands(text)...)
			case isText && strings.HasSuffix(key, ".yaml"):
				s.jobs[b.Name()] = text
			default:
				s.walk(b, item)
			}
		}
	}
}

// rules reads a file of alerting rules, in which Prometheus takes no other keys.
func (s *shown) rules(text string) error {
	var file struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return err
	}
	for _, g := range file.Groups {
		s.alerts = append(s.alerts, g.Rules...)
	}
	return nil
}

func mustReadShown(t *testing.T) *shown {
	t.Helper()
	s, err := readShown(scheduling)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchedulingCommands parses each command line of the document with the program's
// own flags.
func TestSchedulingCommands(t *testing.T) {
	clearEnv(t)
	s := mustReadShown(t)
	nowhere := "postgresql://" + closedPort(t) + "/gis"
	seen := 0
	for where, calls := range s.calls {
		for _, args := range calls {
			seen++
			line := where + ": loadgrid " + strings.Join(args, " ")
			if err := parses(args); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			// A job that is wrong would be refused before a server is asked.
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

// parses runs a command line in which the command itself does nothing.
func parses(args []string) error {
	root, did := newRoot(), ""
	everyCommand(root, func(c *cobra.Command) {
		c.RunE = func(c *cobra.Command, _ []string) error {
			did = c.CommandPath()
			return nil
		}
	})
	root.SetArgs(args)
	root.SetOut(io.Discard)
	if err := root.Execute(); err != nil {
		return err
	}
	if words := strings.Fields(did); len(words) < 2 || words[1] != args[0] {
		return fmt.Errorf("it runs %q", did)
	}
	return nil
}

// The flags that the text names are some command's.
func TestSchedulingFlags(t *testing.T) {
	known := make(map[string]bool)
	everyCommand(newRoot(), func(c *cobra.Command) {
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
	s := mustReadShown(t)
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

// The names of metrics in the alerts are those that loadgrid writes, and two that
// node_exporter adds for each textfile.
func TestSchedulingAlerts(t *testing.T) {
	s := mustReadShown(t)
	file := filepath.Join(t.TempDir(), "loadgrid.prom")
	for i, outcome := range []textfile.Outcome{textfile.Published, textfile.Failed} {
		err := textfile.Write(t.Context(), file, textfile.Record{Job: fmt.Sprint("job", i), Table: "t", Ended: time.Now(), Outcome: outcome, HeapBytes: 1, WALBytes: 1})
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
	blocks, err := fences.Read(scheduling)
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
