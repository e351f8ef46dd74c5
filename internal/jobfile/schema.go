package jobfile

import (
	"encoding/json"

	"github.com/invopop/jsonschema"

	"github.com/loadgrid/loadgrid/internal/options"
)

// Schema returns a JSON Schema of job files, draft 2020-12, made from a table of options.
func Schema(table options.Table) ([]byte, error) {
	one := uint64(1)
	jobs := object()
	jobs.Required = []string{"jobs"}
	jobs.Properties.Set("defaults", &jsonschema.Schema{Ref: "#/$defs/defaults", Description: "values for all jobs that do not set them"})
	jobs.Properties.Set("jobs", &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Ref: "#/$defs/job"}, MinItems: &one,
		Description: "the jobs, in the order in which they run"})

	schema := &jsonschema.Schema{
		Version:     jsonschema.Version,
		Title:       "Job file of loadgrid",
		Description: "One job, or defaults and a list of jobs. Keys are the flags of 'loadgrid load'.",
		Type:        "object",
		Definitions: jsonschema.Definitions{"defaults": keysSchema(table.In(options.Defaults)), "job": keysSchema(table.In(options.Job)), "jobs": jobs},
		If:          &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Required: []string{"jobs"}}, {Required: []string{"defaults"}}}},
		Then:        &jsonschema.Schema{Ref: "#/$defs/jobs"},
		Else:        &jsonschema.Schema{Ref: "#/$defs/job"},
	}
	text, err := json.MarshalIndent(schema, "", "  ")

	return append(text, '\n'), err
}

func keysSchema(table options.Table) *jsonschema.Schema {
	s := object()
	for _, o := range table {
		s.Properties.Set(o.Name, o.Schema())
	}
	return s
}

func object() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
}
