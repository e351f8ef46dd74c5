package jobfile

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"
)

// Schema returns a JSON Schema of job files, draft 2020-12, made of the types here.
// Describe returns what a key is for.
func Schema(describe func(key string) string) ([]byte, error) {
	reflector := &jsonschema.Reflector{
		Anonymous: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if k, ok := reflect.New(t).Interface().(kind); ok {
				return k.schema()
			}

			return nil
		},
		LookupComment: func(t reflect.Type, field string) string {
			if t.Kind() != reflect.Struct || field == "" {
				return ""
			}

			f, _ := t.FieldByName(field)

			return describe(f.Tag.Get("yaml"))
		},
		Namer: func(t reflect.Type) string {
			return map[string]string{"Settings": "defaults", "Job": "job", "jobList": "jobs"}[t.Name()]
		},
	}

	schema := reflector.Reflect(new(jobList))
	jobs := schema.Definitions["jobs"]
	jobs.Required = []string{"jobs"}
	list, ok := jobs.Properties.Get("jobs")
	if !ok {
		return nil, fmt.Errorf("the schema of a file has no jobs")
	}

	one := uint64(1)
	list.MinItems = &one
	schema.Ref = ""
	schema.Title = "Job file of loadgrid"
	schema.Description = "One job, or defaults and a list of jobs. Keys are the flags of 'loadgrid load'."
	schema.If = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Required: []string{"jobs"}}, {Required: []string{"defaults"}}}}
	schema.Then = &jsonschema.Schema{Ref: "#/$defs/jobs"}
	schema.Else = &jsonschema.Schema{Ref: "#/$defs/job"}
	schema.Type = "object"
	text, err := json.MarshalIndent(schema, "", "  ")

	return append(text, '\n'), err
}

func (*Text) schema() *jsonschema.Schema   { return &jsonschema.Schema{Type: "string"} }
func (*SQL) schema() *jsonschema.Schema    { return &jsonschema.Schema{Type: "string"} }
func (*Bool) schema() *jsonschema.Schema   { return &jsonschema.Schema{Type: "boolean"} }
func (*Whole) schema() *jsonschema.Schema  { return &jsonschema.Schema{Type: "integer"} }
func (*Number) schema() *jsonschema.Schema { return &jsonschema.Schema{Type: "number"} }
func (*DSN) schema() *jsonschema.Schema    { return &jsonschema.Schema{Type: "string"} }

func (*Texts) schema() *jsonschema.Schema {
	one := uint64(1)
	return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}, MinItems: &one}
}

func (*Size) schema() *jsonschema.Schema {
	s := list(1, 2)
	s.AnyOf = append([]*jsonschema.Schema{{Type: "number"}}, s.AnyOf...)
	return s
}
func (*Point) schema() *jsonschema.Schema { return list(2, 2) }
func (*Box) schema() *jsonschema.Schema   { return list(4, 4) }

// list is of numbers, or what the flag takes.
func list(least, most uint64) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "array", Items: &jsonschema.Schema{Type: "number"}, MinItems: &least, MaxItems: &most},
		{Type: "string"},
	}}
}

func (*SRID) schema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "integer"}, {Type: "string", Pattern: sridPattern}}}
}

func (*Duration) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^[-+]?(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`, Examples: []any{"90s", "30m", "1h30m"}}
}

func (*Password) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^(\$\{[A-Za-z_][A-Za-z0-9_]*\}$|file:)`}
}
