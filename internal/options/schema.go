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

// numbersSchema is the schema of a list of n numbers, or of the text that the flag takes.
func numbersSchema(n int) jsonschema.Schema {
	items := uint64(n)
	return jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "array", Items: &jsonschema.Schema{Type: "number"}, MinItems: &items, MaxItems: &items},
		{Type: "string"},
	}}
}

// sizesSchema is the schema of a size, of a list of one or two, or of the text that the flag takes.
func sizesSchema() jsonschema.Schema {
	one, two := uint64(1), uint64(2)
	size := func() []*jsonschema.Schema { return []*jsonschema.Schema{{Type: "number"}, {Type: "string"}} }
	list := &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{AnyOf: size()}, MinItems: &one, MaxItems: &two}

	return jsonschema.Schema{AnyOf: append(size(), list)}
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
