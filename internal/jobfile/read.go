package jobfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/nearest"
	"github.com/loadgrid/loadgrid/internal/options"
)

// Read reads a job file: one job, or defaults and a list of jobs, with the options of a table as
// keys. Name is for messages. The error is *Errors with all mistakes that Read can distinguish.
func Read(name string, data []byte, table options.Table) (*File, error) {
	r := &reader{file: &File{Name: name}, table: table}
	root, err := parse(data)
	if err != nil {
		r.fail(options.Pos{Line: 1, Column: 1}, "", err)
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

// reader collects the jobs and the mistakes.
type reader struct {
	file   *File
	table  options.Table
	errors []Error
}

// fail records an error at a position, unless the error has its own.
func (r *reader) fail(pos options.Pos, key string, err error) {
	var placed *options.PosError
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

func (r *reader) root(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		r.fail(options.NodePos(n), "", fmt.Errorf("a job file must be a mapping of keys to values, not %s", options.DescribeNode(n)))
		return
	}

	if kind := valueOf(n, "type"); kind != "" && (valueOf(n, "features") != "" || valueOf(n, "coordinates") != "") {
		r.fail(options.NodePos(n), "", fmt.Errorf("this must be a job file, but it is GeoJSON of type %s: name the file of an area with aoi", quoted(kind)))
		return
	}

	list := false

	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		list = list || key == "defaults" || key == "jobs"
	}

	if !list {
		job := &Job{pos: options.NodePos(n)}
		job.Values = r.values(n, options.Job)
		r.file.Jobs = []*Job{job}

		return
	}

	r.mapping(n, func(key, value *yaml.Node) {
		switch key.Value {
		case "defaults":
			r.file.Defaults = r.values(value, options.Defaults)
		case "jobs":
			r.jobs(value)

		default:
			names := append(namesOf(r.table.In(options.Job)), "defaults", "jobs")
			if slices.Contains(names, key.Value) {
				r.fail(options.NodePos(key), "", fmt.Errorf("%s is at the same level as defaults and jobs: move it under defaults or into a job", key.Value))
				return
			}

			r.failUnknown(key, names)
		}
	})

	if len(r.file.Jobs) == 0 && len(r.errors) == 0 {
		r.fail(options.NodePos(n), "", errors.New("has no jobs: the key jobs is missing"))
	}
}

func (r *reader) jobs(n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.fail(options.NodePos(n), "", errors.New("jobs must be a list of jobs, each after a hyphen"))
		return
	}

	for _, item := range n.Content {
		job := &Job{pos: options.NodePos(item)}
		job.Values = r.values(item, options.Job)
		r.file.Jobs = append(r.file.Jobs, job)
	}
}

// values reads a mapping with the keys that are allowed in a place.
func (r *reader) values(n *yaml.Node, place options.Place) options.Values {
	if n.Kind != yaml.MappingNode {
		r.fail(options.NodePos(n), "", fmt.Errorf("must be a mapping of keys to values, not %s", options.DescribeNode(n)))
		return nil
	}

	values, table := make(options.Values), r.table.In(place)

	r.mapping(n, func(key, value *yaml.Node) {
		option, ok := table.Find(key.Value)
		if !ok {
			r.failUnknown(key, namesOf(table))
			return
		}

		if value.Tag == "!!null" {
			r.fail(options.NodePos(value), key.Value, errors.New("has no value"))
			return
		}

		items, err := option.Read(value)
		if err != nil {
			r.fail(options.NodePos(value), key.Value, err)
			return
		}

		values[key.Value] = items
	})

	return values
}

// valueOf returns the text of a key's value, "-" for a list or a mapping, and "" if the key is missing.
func valueOf(n *yaml.Node, key string) string {
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch value := n.Content[i+1]; {
		case n.Content[i].Value != key:
		case value.Kind == yaml.ScalarNode:
			return value.Value
		default:
			return "-"
		}
	}

	return ""
}

// mapping calls do for each key of a mapping, once.
func (r *reader) mapping(n *yaml.Node, do func(key, value *yaml.Node)) {
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch line, twice := lines[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			r.fail(options.NodePos(key), "", fmt.Errorf("a key must be a name, not %s", options.DescribeNode(key)))
		case twice:
			r.fail(options.NodePos(key), "", fmt.Errorf("%s is set twice: it is already on line %d", quoted(key.Value), line))
		default:
			lines[key.Value] = key.Line
			do(key, value)
		}
	}
}

func (r *reader) failUnknown(key *yaml.Node, names []string) {
	message := fmt.Sprintf("unknown key %s", quoted(key.Value))
	if len(r.errors) < shownErrors { // later errors are not shown, and there may be very many
		if near, ok := nearest.Name(key.Value, names); ok {
			message += fmt.Sprintf(": did you mean %q?", near)
		}
	}

	r.fail(options.NodePos(key), "", errors.New(message))
}

// assignNames gives each job its name, and refuses duplicates.
func (r *reader) assignNames() {
	lines := make(map[string]options.Pos)
	for _, job := range r.file.Jobs {
		pos := job.pos
		for _, items := range [][]options.Item{job.Values["name"], job.Values["table"], r.file.Defaults["table"]} {
			if len(items) > 0 {
				job.displayName, pos = items[0].Text, items[0].Pos
				break
			}
		}

		if job.Values.Has("name") {
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
			r.fail(job.pos, "", errors.New("each of several jobs needs a name or a table"))
		case twice:
			r.fail(pos, "", fmt.Errorf("two jobs are called %s, on lines %d and %d: give each its own name", quoted(job.displayName), first.Line, pos.Line))
		default:
			lines[job.displayName] = pos
		}
	}
}

func namesOf(table options.Table) (names []string) {
	for _, o := range table {
		names = append(names, o.Name)
	}
	return names
}

// quoted returns a name from a file in quotes, shortened if it is too long.
func quoted(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "..."
	}
	return fmt.Sprintf("%q", s)
}
