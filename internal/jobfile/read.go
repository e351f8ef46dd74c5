package jobfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Read reads a job file: one job, or defaults and a list of jobs. Name is for
// messages. The error is *Errors, with all mistakes that can be told apart.
func Read(name string, data []byte) (*File, error) {
	r := &reader{file: &File{Name: name}}
	root, err := parse(data)
	if err != nil {
		r.fail(Pos{1, 1}, "", err)
		return nil, r.err()
	}

	r.root(root)
	if len(r.errors) == 0 {
		r.assignNames()
	}

	if err := r.err(); err != nil {
		return nil, err
	}

	return r.file, nil
}

// reader collects what it reads, and the mistakes.
type reader struct {
	file   *File
	errors []Error
}

// fail notes an error that is at a place, unless it has one of its own.
func (r *reader) fail(pos Pos, key string, err error) {
	var placed *posError
	if errors.As(err, &placed) {
		pos = placed.Pos
	}

	message := err.Error()
	if key != "" {
		message = key + " " + message
	}

	r.errors = append(r.errors, Error{pos, message})
}

func (r *reader) err() error {
	if len(r.errors) == 0 {
		return nil
	}

	slices.SortStableFunc(r.errors, func(a, b Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}

		return a.Column - b.Column
	})

	return &Errors{r.file.Name, r.errors}
}

// jobList are the keys of a file with several jobs.
type jobList struct {
	Defaults Settings `yaml:"defaults"`
	Jobs     []Job    `yaml:"jobs"`
}

func (r *reader) root(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		r.fail(nodePos(n), "", fmt.Errorf("a job file is a mapping of keys to values, not %s", describeNode(n)))
		return
	}

	list := false

	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		list = list || key == "defaults" || key == "jobs"
	}

	if !list {
		job := &Job{pos: nodePos(n)}
		r.settings(n, job)
		r.file.Jobs = []*Job{job}

		return
	}

	r.mapping(n, func(key, value *yaml.Node) {
		switch key.Value {
		case "defaults":
			r.settings(value, &r.file.Defaults)
		case "jobs":
			r.jobs(value)

		default:
			names := append(namesOf(new(Job)), "defaults", "jobs")
			if slices.Contains(names, key.Value) {
				r.fail(nodePos(key), "", fmt.Errorf("%s stands beside defaults and jobs: put it under defaults, or into a job", key.Value))
				return
			}

			r.failUnknown(key, names)
		}
	})

	if len(r.file.Jobs) == 0 && len(r.errors) == 0 {
		r.fail(nodePos(n), "", errors.New("has no job: jobs is missing"))
	}
}

func (r *reader) jobs(n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.fail(nodePos(n), "", errors.New("jobs must be a list of jobs, each behind a hyphen"))
		return
	}

	for _, item := range n.Content {
		job := &Job{pos: nodePos(item)}
		r.settings(item, job)
		r.file.Jobs = append(r.file.Jobs, job)
	}
}

// settings reads a mapping into a struct of kinds.
func (r *reader) settings(n *yaml.Node, into any) {
	kinds := make(map[string]kind)
	for key, k := range keys(into) {
		kinds[key] = k
	}

	if n.Kind != yaml.MappingNode {
		r.fail(nodePos(n), "", fmt.Errorf("must be a mapping of keys to values, not %s", describeNode(n)))
		return
	}

	r.mapping(n, func(key, value *yaml.Node) {
		k, ok := kinds[key.Value]
		if !ok {
			r.failUnknown(key, namesOf(into))
			return
		}

		if value.Tag == "!!null" {
			r.fail(nodePos(value), key.Value, errors.New("has no value"))
			return
		}

		err := k.read(value)
		if list := choices(into, key.Value); err == nil && list != nil && !slices.Contains(list, value.Value) {
			err = errors.New("must be " + orList(list))
		}

		if err != nil {
			r.fail(nodePos(value), key.Value, err)
		}
	})
}

// mapping calls do for each key of a mapping, once.
func (r *reader) mapping(n *yaml.Node, do func(key, value *yaml.Node)) {
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch line, twice := lines[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			r.fail(nodePos(key), "", fmt.Errorf("a key must be a name, not %s", describeNode(key)))
		case twice:
			r.fail(nodePos(key), "", fmt.Errorf("%s stands here a second time: it is in line %d already", quoted(key.Value), line))
		default:
			lines[key.Value] = key.Line
			do(key, value)
		}
	}
}

func (r *reader) failUnknown(key *yaml.Node, names []string) {
	message := fmt.Sprintf("unknown key %s", quoted(key.Value))
	if len(r.errors) < shownErrors { // a longer list is not shown, and may be very long
		if near, ok := Nearest(key.Value, names); ok {
			message += fmt.Sprintf(": did you mean %q?", near)
		}
	}

	r.fail(nodePos(key), "", errors.New(message))
}

// assignNames gives each job its name, and refuses two of one.
func (r *reader) assignNames() {
	lines := make(map[string]Pos)
	for _, job := range r.file.Jobs {
		pos := job.pos
		for _, v := range []Value{job.Name.Value, job.Table.Value, r.file.Defaults.Table.Value} {
			if len(v.Items) > 0 {
				job.displayName, pos = v.Items[0].Text, v.Items[0].Pos
				break
			}
		}

		if len(job.Name.Items) > 0 {
			if bad := func(c rune) bool { return unicode.IsControl(c) }; job.displayName == "" || len(job.displayName) > 100 || strings.ContainsFunc(job.displayName, bad) {
				r.fail(pos, "name", errors.New("must have 1 to 100 bytes of printable text"))
				continue
			}
		}

		if len(r.file.Jobs) == 1 {
			return
		}

		switch first, twice := lines[job.displayName]; {
		case job.displayName == "":
			r.fail(job.pos, "", errors.New("a job of several needs a name or a table"))
		case twice:
			r.fail(pos, "", fmt.Errorf("two jobs are called %s, in lines %d and %d: give each a name", quoted(job.displayName), first.Line, pos.Line))
		default:
			lines[job.displayName] = pos
		}
	}
}

func namesOf(s any) (names []string) {
	for key := range keys(s) {
		names = append(names, key)
	}
	return names
}

func nodePos(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }

// quoted returns what a file has for a name, in quotes and not too long.
func quoted(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "..."
	}
	return fmt.Sprintf("%q", s)
}

// orList returns "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
