package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

// shellCommands returns the arguments of each loadgrid command in lines of a shell, a systemd unit or a
// script, without redirections and other shell syntax.
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

// document holds the examples of a document.
type document struct {
	calls  map[string][][]string // arguments, by the block that they are in
	jobs   map[string]string     // job files
	alerts []alert
}

type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func (s *document) addCalls(b mdblocks.Block, args ...[]string) {
	s.calls[b.Name()] = append(s.calls[b.Name()], args...)
}

// readDocument reads the examples of a document. A block in an unknown language is an error, because no test
// would check it.
func readDocument(file string) (*document, error) {
	blocks, err := mdblocks.Read(file)
	if err != nil {
		return nil, err
	}

	s := &document{calls: make(map[string][][]string), jobs: make(map[string]string)}
	for _, b := range blocks {
		var err error
		switch b.Language {
		case "sh", "ini":
			s.addCalls(b, shellCommands(b.Text)...)
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
		case "logrotate": // tried by hand, as the document says
		default:
			err = errors.New("no test checks this language")
		}

		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.Name(), err)
		}
	}

	return s, nil
}

// python looks for commands in the strings and lists of operators.
func (s *document) python(b mdblocks.Block) error {
	for _, m := range regexp.MustCompile(`bash_command="([^"]*)"`).FindAllStringSubmatch(b.Text, -1) {
		s.addCalls(b, shellCommands(m[1])...)
	}

	for _, m := range regexp.MustCompile(`arguments=(\[[^\]]*\])`).FindAllStringSubmatch(b.Text, -1) {
		var args []string
		if err := json.Unmarshal([]byte(m[1]), &args); err != nil {
			return fmt.Errorf("arguments %s: %w", m[1], err)
		}
		s.addCalls(b, args)
	}

	return nil
}

// yaml reads all documents of a block.
func (s *document) yaml(b mdblocks.Block) error {
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
func (s *document) walk(b mdblocks.Block, v any) {
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

			s.addCalls(b, args)
		}

		for key, item := range v {
			text, isText := item.(string)
			switch {
			case isText && key == "run":
				s.addCalls(b, shellCommands(text)...)
			case isText && strings.HasSuffix(key, ".yaml"):
				s.jobs[b.Name()] = text
			default:
				s.walk(b, item)
			}
		}
	}
}

// rules reads a file of alerting rules. Unknown keys are an error, as in Prometheus.
func (s *document) rules(text string) error {
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
