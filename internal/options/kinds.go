package options

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"
)

// Value is what an option takes and where it goes: how a command line, YAML and JSON
// Schema write it. The functions below make one; each takes where the value goes.
type Value struct {
	// Type names the kind of value, for help and documents.
	Type string
	// List says that there may be several.
	List bool
	// Choices are all that it may be. Defaults to none: anything of its type.
	Choices []string
	// Path says that it names a file, - apart: in a job file, beside that.
	Path bool

	set    func(text string) error
	read   func(n *yaml.Node) ([]Item, error)
	schema jsonschema.Schema
}

// Text is a string. empty says what is wrong with one that is empty; "" allows it.
func Text(to *string, empty string) Value {
	return Value{Type: "text", read: readText, schema: jsonschema.Schema{Type: "string"}, set: func(text string) error {
		if text == "" && empty != "" {
			return errors.New(empty)
		}

		*to = text
		return nil
	}}
}

// Parsed is a string that parse reads.
func Parsed(parse func(text string) error) Value {
	return Value{Type: "text", read: readText, schema: jsonschema.Schema{Type: "string"}, set: parse}
}

// File is the name of a file. empty is as for Text.
func File(to *string, empty string) Value {
	v := Text(to, empty)
	v.Type, v.Path = "file", true
	return v
}

// List is a list of strings, each of which add reads.
func List(add func(text string) error) Value {
	one := uint64(1)
	return Value{Type: "text", List: true, read: readTexts, set: add,
		schema: jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}, MinItems: &one}}
}

// SQL is a statement. empty says what is wrong with one that is empty.
func SQL(to *string, empty string) Value {
	v := Text(to, empty)
	v.Type, v.read = "SQL", readSQL
	return v
}

// Script is a list of SQL, each of which add reads.
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
			return errors.New("must be " + orList(choices))
		}}
}

// Bool is true or false; its flag alone is true.
func Bool(to *bool) Value {
	return Value{Type: "bool", read: readBool, schema: jsonschema.Schema{Type: "boolean"}, set: func(text string) (err error) {
		if *to, err = strconv.ParseBool(text); err != nil {
			return errors.New("must be true or false")
		}
		return nil
	}}
}

// Int is a whole number, at least so much.
func Int[T int | int32 | int64](to *T, least T) Value {
	parse := func(text string) (T, error) {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange), err == nil && int64(T(n)) != n:
			return 0, errors.New("is a number of too many digits")
		case err != nil:
			return 0, errors.New("must be a whole number")
		case T(n) < least:
			return 0, fmt.Errorf("must be at least %d", least)
		}

		return T(n), nil
	}

	return Value{
		Type: "number", schema: jsonschema.Schema{Type: "integer", Minimum: jsonNumber(int64(least))},
		read: func(n *yaml.Node) ([]Item, error) {
			if err := whole(n); err != nil {
				return nil, err
			}
			_, err := parse(n.Value)
			return item(n, n.Value), err
		},
		set: func(text string) error {
			n, err := parse(text)
			if err == nil {
				*to = n
			}
			return err
		},
	}
}

// Number is a number.
func Number(to *float64) Value {
	return Value{Type: "number", read: readNumber, schema: jsonschema.Schema{Type: "number"}, set: func(text string) (err error) {
		if *to, err = strconv.ParseFloat(text, 64); err != nil {
			return errors.New("must be a number")
		}
		return nil
	}}
}

// Numbers is a list of so many numbers, separated by commas.
func Numbers(least, most int, take func([]float64)) Value {
	return Value{Type: "numbers", read: readNumbers(least, most), schema: numbersSchema(least, most), set: func(text string) error {
		list, err := parseNumbers(text, least, most)
		if err == nil {
			take(list)
		}
		return err
	}}
}

func parseNumbers(text string, least, most int) ([]float64, error) {
	parts := strings.Split(text, ",")
	if len(parts) < least || len(parts) > most {
		want := strconv.Itoa(least)
		if most != least {
			want += " or " + strconv.Itoa(most)
		}
		return nil, fmt.Errorf("must be %s numbers separated by commas", want)
	}

	list := make([]float64, len(parts))
	for i, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", p)
		}
		list[i] = f
	}

	return list, nil
}

// SRID is a number, or EPSG: and one, as people name a CRS.
func SRID(to *int32) Value {
	return Value{Type: "SRID", read: readSRID, schema: sridSchema(), set: func(text string) error {
		digits := text
		if len(text) > 5 && strings.EqualFold(text[:5], "EPSG:") {
			digits = text[5:]
		}

		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil {
			return errors.New("must be a number, as 3035 or EPSG:3035")
		}

		*to = int32(n)
		return nil
	}}
}

// Duration is a time span with its unit, not negative, and longer than 0 where positive
// says so.
func Duration(to *time.Duration, positive bool) Value {
	return Value{Type: "duration", read: readDuration, schema: durationSchema(), set: func(text string) error {
		d, err := time.ParseDuration(text)
		switch {
		case err != nil:
			return errors.New("must be a duration with its unit, such as 90s, 30m or 1h30m")
		case d < 0:
			return errors.New("must not be negative")
		case d == 0 && positive:
			return errors.New("must be longer than 0")
		}

		*to = d
		return nil
	}}
}

// Age is an age of at least a second: a duration that may have days, weeks and years, as
// Prometheus takes it.
func Age(to *time.Duration) Value {
	return Value{Type: "age", read: readText, schema: jsonschema.Schema{Type: "string"}, set: func(text string) error {
		age, err := model.ParseDuration(text)
		if err != nil || age < model.Duration(time.Second) {
			return errors.New("must be an age such as 90d, 2w or 12h, at least a second")
		}

		*to = time.Duration(age)
		return nil
	}}
}

// DSN is a connection string. In a job file, variables in it are filled in.
func DSN(to *string) Value {
	v := Text(to, "")
	v.Type, v.read = "connection", readDSN
	return v
}

// Password is one, which a job file names and does not hold.
func Password(to *string) Value {
	v := Text(to, "")
	v.Type, v.read, v.schema = "secret", readPassword, passwordSchema()
	return v
}
