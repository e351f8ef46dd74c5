package options

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/nearest"
	"github.com/loadgrid/loadgrid/internal/quantity"
)

// Value is the kind of value that an option takes: how to read it from a command line and from YAML, its
// JSON Schema, and where to store it. The functions below make one; each takes the place to store the value.
type Value struct {
	// Type names the kind of value, for help and documents.
	Type string
	// List says that there may be several.
	List bool
	// Choices are the allowed values. Defaults to any value of its type.
	Choices []string
	// Numeric says that the value is one or more numbers. Messages quote it as typed, because it is never a
	// secret.
	Numeric bool
	// Alone is the value of the flag if none is given. Defaults to nothing: the flag needs a value.
	Alone string
	// Path says that the value names a file, except for -. In a job file the name is relative to the directory of the job file.
	Path bool

	set    func(text string) error
	read   func(n *yaml.Node) ([]Item, error)
	schema jsonschema.Schema
}

// Text is a string. empty is the error for an empty string; "" allows it.
func Text(to *string, empty string) Value {
	return Value{Type: "text", read: readText, schema: jsonschema.Schema{Type: "string"}, set: func(text string) error {
		if text == "" && empty != "" {
			return errors.New(empty)
		}

		*to = text
		return nil
	}}
}

// Parsed is a string that parse checks and stores.
func Parsed(parse func(text string) error) Value {
	return Value{Type: "text", read: readText, schema: jsonschema.Schema{Type: "string"}, set: parse}
}

// File is the name of a file. empty is as for Text.
func File(to *string, empty string) Value {
	v := Text(to, empty)
	v.Type, v.Path = "file", true
	return v
}

// List is a list of strings. add checks and stores each of them.
func List(add func(text string) error) Value {
	one := uint64(1)
	return Value{Type: "text", List: true, read: readTexts, set: add,
		schema: jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}, MinItems: &one}}
}

// SQL is a statement. empty is as for Text.
func SQL(to *string, empty string) Value {
	v := Text(to, empty)
	v.Type, v.read = "SQL", readSQL
	return v
}

// Script is a list of SQL texts. add checks and stores each of them.
func Script(add func(text string) error) Value {
	one := uint64(1)
	return Value{Type: "SQL", List: true, read: readScript, set: add, schema: jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "string"},
		{Type: "array", Items: &jsonschema.Schema{Type: "string"}, MinItems: &one},
	}}}
}

// Choice is one of several words.
func Choice[T ~string](to *T, choices ...string) Value {
	words := make([]any, len(choices))
	for i, c := range choices {
		words[i] = c
	}

	return Value{Type: strings.Join(choices, "|"), Choices: choices, read: readChoice(choices),
		schema: jsonschema.Schema{Type: "string", Enum: words}, set: func(text string) error {
			for _, c := range choices {
				if c == text {
					*to = T(text)
					return nil
				}
			}
			return notChoice(text, choices)
		}}
}

// notChoice is the error for a word that is not one of the choices.
func notChoice(text string, choices []string) error {
	message := "must be " + orList(choices)
	if near, ok := nearest.Name(text, choices); ok {
		message += fmt.Sprintf(": did you mean %q?", near)
	}

	return errors.New(message)
}

// Optional is a string that parse checks and stores. A flag without a value has the value alone.
func Optional(parse func(text string) error, alone string) Value {
	v := Parsed(parse)
	v.Alone = alone
	return v
}

// Bool is true or false; its flag alone is true.
func Bool(to *bool) Value {
	return Value{Type: "bool", Alone: "true", read: readBool, schema: jsonschema.Schema{Type: "boolean"}, set: func(text string) (err error) {
		if *to, err = strconv.ParseBool(text); err != nil {
			return errors.New("must be true or false")
		}
		return nil
	}}
}

// Int is a whole number from least to most. If most is math.MaxInt32 or more, messages do not mention it.
func Int[T int | int32 | int64](to *T, least, most int64) Value {
	check := func(text string) error { return second(quantity.Whole(text, least, most)) }
	schema := jsonschema.Schema{Type: "integer", Minimum: jsonNumber(least)}
	typ := fmt.Sprintf("number, at least %d", least)
	if most < math.MaxInt32 {
		schema.Maximum = jsonNumber(most)
		typ = fmt.Sprintf("number, %d to %d", least, most)
	}

	return Value{
		Type: typ, Numeric: true, schema: schema,
		read: readDigits(quantity.WholeText(least, most), `[-+]?(0|[1-9][0-9]*)`, check),
		set: func(text string) error {
			n, err := quantity.Whole(text, least, most)
			if err == nil {
				*to = T(n)
			}
			return err
		},
	}
}

// Number is a number.
func Number(to *float64) Value {
	check := func(text string) error { return second(quantity.Number(text)) }
	return Value{Type: "number", Numeric: true, schema: jsonschema.Schema{Type: "number"}, read: readDigits("a number such as 1000, 0.25 or 1e-3", decimalKey, check),
		set: func(text string) error {
			f, err := quantity.Number(text)
			if err == nil {
				*to = f
			}
			return err
		}}
}

// Numbers is a list of n numbers, separated by commas.
func Numbers(n int, take func([]float64)) Value {
	return Value{Type: fmt.Sprintf("%d numbers", n), Numeric: true, read: readNumbers(n), schema: numbersSchema(n), set: func(text string) error {
		list, err := quantity.Numbers(text, n)
		if err == nil {
			take(list)
		}
		return err
	}}
}

// Sizes is one size or two, such as 1000, 2x500 or 1km.
func Sizes(to *[]quantity.Size) Value {
	return Value{Type: "size", Numeric: true, read: readSizes, schema: sizesSchema(), set: func(text string) error {
		list, err := quantity.Sizes(text)
		if err == nil {
			*to = list
		}
		return err
	}}
}

// SRID is a number, or EPSG: followed by a number.
func SRID(to *int32) Value {
	return Value{Type: "SRID", Numeric: true, read: readSRID, schema: sridSchema(), set: func(text string) error {
		n, err := quantity.SRID(text)
		if err == nil {
			*to = n
		}
		return err
	}}
}

// Duration is a time span with its unit. It is not negative, and greater than 0 if positive is set.
func Duration(to *time.Duration, positive bool) Value {
	return Value{Type: "duration", Numeric: true, read: readTime(func(text string) error { return second(quantity.Duration(text)) }), schema: durationSchema(), set: func(text string) error {
		d, err := quantity.Duration(text)
		switch {
		case err != nil:
			return err
		case d < 0:
			return errors.New("must not be negative")
		case d == 0 && positive:
			return errors.New("must be longer than 0")
		}

		*to = d
		return nil
	}}
}

// Age is an age of at least a second, in the format of Prometheus, with days, weeks and years.
func Age(to *time.Duration) Value {
	return Value{Type: "age", Numeric: true, read: readTime(func(text string) error { return second(quantity.Age(text)) }), schema: jsonschema.Schema{Type: "string"}, set: func(text string) error {
		age, err := quantity.Age(text)
		if err == nil {
			*to = age
		}
		return err
	}}
}

// second returns the error of a parser.
func second[T any](_ T, err error) error { return err }

// DSN is a connection string. In a job file, variables in it are filled in.
func DSN(to *string) Value {
	v := Text(to, "")
	v.Type, v.read = "connection", readDSN
	return v
}

// Password is a reference to a password, which a job file names but does not contain.
func Password(to *string) Value {
	v := Text(to, "")
	v.Type, v.read, v.schema = "secret", readPassword, passwordSchema()
	return v
}
