package options

import (
	"encoding/json"
	"strconv"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON Schema of the option's key in a job file.
func (o Option) Schema() *jsonschema.Schema {
	s := o.Value.schema
	s.Description = o.Describe() + o.KeyHelp
	return &s
}

func jsonNumber(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// numbersSchema is of a list of numbers, or what the flag takes.
func numbersSchema(least, most int) jsonschema.Schema {
	minItems, maxItems := uint64(least), uint64(most)
	forms := []*jsonschema.Schema{
		{Type: "array", Items: &jsonschema.Schema{Type: "number"}, MinItems: &minItems, MaxItems: &maxItems},
		{Type: "string"},
	}

	if least == 1 {
		forms = append([]*jsonschema.Schema{{Type: "number"}}, forms...)
	}
	return jsonschema.Schema{AnyOf: forms}
}

func sridSchema() jsonschema.Schema {
	return jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "integer"}, {Type: "string", Pattern: sridPattern}}}
}

func durationSchema() jsonschema.Schema {
	return jsonschema.Schema{Type: "string", Pattern: `^[-+]?(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`, Examples: []any{"90s", "30m", "1h30m"}}
}

func passwordSchema() jsonschema.Schema {
	return jsonschema.Schema{Type: "string", Pattern: `^(\$\{[A-Za-z_][A-Za-z0-9_]*\}$|file:)`}
}
