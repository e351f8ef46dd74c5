package jobfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/options"
)

// hangs is longer than reading takes on any machine.
const hangs = 20 * time.Second

// FuzzJobFile reads any text. Reading must end soon, with mistakes that each have a position within the
// file and are on one line. A file that is read fits the schema, and means the same after it is
// written again.
func FuzzJobFile(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add([]byte(text))
	}
	schema := compile(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		hung := time.AfterFunc(hangs, func() { panic("reading does not end") })
		defer hung.Stop()
		file, err := read(data)
		if err != nil {
			checkMistakes(t, data, err)
			return
		}

		var doc any
		if err := yaml.Load(data, &doc); err != nil {
			t.Fatalf("an accepted file is not YAML: %v", err)
		}

		if err := schema.Validate(asJSON(t, doc)); err != nil {
			t.Errorf("what is read does not fit the schema: %v", err)
		}
		again, err := read(write(t, file))
		if err != nil {
			t.Fatalf("written again it is refused: %v\n%s", err, write(t, file))
		}

		for i, job := range file.Jobs {
			if a, b := got(file, job), got(again, again.Jobs[i]); a != b || job.DisplayName() != again.Jobs[i].DisplayName() {
				t.Errorf("%s is %s when it is written again", a, b)
			}
		}
	})
}

func checkMistakes(t *testing.T, data []byte, err error) {
	t.Helper()
	var list *Errors
	if !errors.As(err, &list) || len(list.List) == 0 {
		t.Fatalf("no list of mistakes: %v", err)
	}

	lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + bytes.Count(data, []byte("\u2028")) + bytes.Count(data, []byte("\u2029")) + bytes.Count(data, []byte("\u0085"))
	for _, one := range list.List {
		if one.Line < 1 || one.Line > lines+2 || one.Column < 1 || one.Column > len(data)+2 {
			t.Errorf("%d:%d is not a position in the file: %s", one.Line, one.Column, one.Message)
		}
	}

	if text := err.Error(); !regexp.MustCompile(`^f:\d+:\d+: .`).MatchString(text) {
		t.Errorf("a mistake without a place: %q", text)
	} else if bytes.ContainsFunc([]byte(text), unicode.IsControl) {
		t.Errorf("a mistake of several lines: %q", text)
	}
}

// write returns an equivalent file, with strings in quotes and everything else unchanged.
func write(t *testing.T, f *File) []byte {
	t.Helper()
	jobs := &yaml.Node{Kind: yaml.SequenceNode}
	for _, job := range f.Jobs {
		jobs.Content = append(jobs.Content, written(job.Values))
	}

	data, err := yaml.Dump(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{text("jobs"), jobs, text("defaults"), written(f.Defaults)}})
	if err != nil {
		t.Fatal(err)
	}

	return data
}

func written(values options.Values) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for _, o := range table() {
		items := values[o.Name]
		if len(items) == 0 {
			continue
		}

		value := text(items[0].Text)
		if o.Value.Type == "bool" || strings.HasPrefix(o.Value.Type, "number") {
			value.Style = 0
		}

		if o.Value.List {
			value = &yaml.Node{Kind: yaml.SequenceNode}
			for _, item := range items {
				value.Content = append(value.Content, text(item.Text))
			}
		}
		m.Content = append(m.Content, text(o.Name), value)
	}

	return m
}

func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: s}
}

// seeds are the examples, and the files that the tests accept and refuse.
func seeds(t testing.TB) (list []string) {
	t.Helper()
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("examples are missing: %v, %v", files, err)
	}

	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(data))
	}

	for text := range readable() {
		list = append(list, text)
	}
	for _, m := range mistakes() {
		if len(m.text) < 10000 {
			list = append(list, m.text)
		}
	}

	return list
}

// compile returns the schema, ready to validate.
func compile(t testing.TB) *jsonschema.Schema {
	t.Helper()
	data, err := Schema(table())
	if err != nil {
		t.Fatal(err)
	}

	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}

	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}

	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}

	return schema
}

// asJSON returns a document in the form that a validator needs.
func asJSON(t testing.TB, doc any) any {
	t.Helper()
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatalf("what is read is more than JSON has: %v", err)
	}

	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}

	return v
}

// The schema refuses the same types of values as the reader, so that an editor reports the mistake at once.
func TestSchemaRefuses(t *testing.T) {
	schema := compile(t)
	for _, data := range []string{
		"cell_size: 1", "keep-going: true", "table: 5", "table: [a]", "coverage: 'true'", "coverage: 1", "coverage: on", "cols: '1'", "cols: 1.5", "rotate: '1'",
		"extent: [1, 2]", "extent: 5", "extent: [1, 2, 3, a]", "cell-size: [1, 2, 3]", "cell-size: {x: 1}", "srid: true", "srid: WGS84", "set: a=b", "set: []", "set: [{a: b}]",
		"wait: 90", "wait: 1d", "if-exists: truncate", "shape: ''", "password: hunter2", "password: 'a ${P}'", "jobs: []", "jobs: {a: {table: x}}", "jobs: [x]", "defaults: {cols: 1}",
		"defaults: {name: a}\njobs: [{table: a}]", "table: a\njobs: [{table: x}]", "jobs: [{tabel: x}]", "- table: a", "table", "table: null",
	} {
		if _, err := read([]byte(data)); err == nil {
			t.Errorf("%s is read", data)
		}
		var doc any
		if err := yaml.Load([]byte(data), &doc); err != nil {
			t.Fatalf("%s: %v", data, err)
		}

		if schema.Validate(asJSON(t, doc)) == nil {
			t.Errorf("%s fits the schema", data)
		}
	}
}
