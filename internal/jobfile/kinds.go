package jobfile

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/credential"
)

// A kind is a type of values: how YAML writes one, and how JSON Schema describes
// that. Messages do not quote what is wrong: it may be a secret in the wrong line.
type kind interface {
	read(n *yaml.Node) error
	value() Value
	schema() *jsonschema.Schema
}

func (v *Value) value() Value { return *v }

func (v *Value) put(n *yaml.Node, text string) {
	v.Items = append(v.Items, Item{Pos{n.Line, n.Column}, text})
}

// The kinds. A number may be written as all of YAML's readers take it: 0x10, 1_000
// and 017 are different ones to different readers, and refused.
type (
	Text     struct{ Value } // a string
	SQL      struct{ Value } // a string that may hold ${
	Texts    struct{ Value } // a list of strings
	Bool     struct{ Value } // true or false
	Whole    struct{ Value } // a whole number
	Number   struct{ Value }
	Size     struct{ Value } // one number, or two in a list or a string
	Point    struct{ Value } // two numbers
	Box      struct{ Value } // four numbers
	SRID     struct{ Value } // a whole number, or EPSG: and one
	Duration struct{ Value } // such as 90s
	DSN      struct{ Value } // with ${VAR} in it, or file:PATH
	Password struct{ Value } // ${VAR} or file:PATH
)

func (v *Text) read(n *yaml.Node) error {
	text, err := str(n)
	if err != nil {
		return err
	}

	v.put(n, text)

	return plain(text)
}

func (v *SQL) read(n *yaml.Node) error {
	text, err := str(n)
	v.put(n, text)
	return err
}

func (v *Texts) read(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return fmt.Errorf("must be a list, not %s: each on a line of its own, behind a hyphen", describeNode(n))
	}

	if len(n.Content) == 0 {
		return errors.New("is an empty list")
	}

	for _, item := range n.Content {
		text, err := str(item)
		if err == nil {
			err = plain(text)
		}

		if err != nil {
			return &posError{Pos{item.Line, item.Column}, err}
		}

		v.put(item, text)
	}

	return nil
}

func (v *Bool) read(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.Style != 0 || n.Value != "true" && n.Value != "false" {
		return fmt.Errorf("must be true or false, not %s", describeNode(n))
	}

	v.put(n, n.Value)

	return nil
}

func (v *Whole) read(n *yaml.Node) error {
	if err := whole(n); err != nil {
		return err
	}

	v.put(n, n.Value)

	return nil
}

func (v *Number) read(n *yaml.Node) error {
	if err := number(n); err != nil {
		return err
	}

	v.put(n, n.Value)

	return nil
}

func (v *Size) read(n *yaml.Node) error  { return v.numbers(n, 1, 2) }
func (v *Point) read(n *yaml.Node) error { return v.numbers(n, 2, 2) }
func (v *Box) read(n *yaml.Node) error   { return v.numbers(n, 4, 4) }

// numbers reads a list, or what the flag takes: a string that has them between
// commas, or a number where one is enough.
func (v *Value) numbers(n *yaml.Node, least, most int) error {
	must := fmt.Sprintf("must be a list of %d numbers", least)
	if least != most {
		must = "must be a number or a list of two"
	}

	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) >= least && len(n.Content) <= most:
		texts := make([]string, len(n.Content))
		for i, item := range n.Content {
			if err := number(item); err != nil {
				return &posError{Pos{item.Line, item.Column}, err}
			}

			texts[i] = item.Value
		}

		v.put(n, strings.Join(texts, ","))

		return nil

	case n.Kind == yaml.SequenceNode:
		return fmt.Errorf("%s, not of %d", must, len(n.Content))
	case n.Kind != yaml.ScalarNode:
		return fmt.Errorf("%s, not %s", must, describeNode(n))
	}

	text, err := str(n)
	if err == nil {
		err = plain(text)
	} else if least == 1 {
		text, err = n.Value, number(n)
	} else {
		err = fmt.Errorf("%s, not %s", must, describeNode(n))
	}

	v.put(n, text)

	return err
}

const sridPattern = `^([Ee][Pp][Ss][Gg]:)?[-+]?[0-9]+$`

func (v *SRID) read(n *yaml.Node) error {
	text, err := str(n)
	if err != nil {
		text, err = n.Value, whole(n)
	} else if !regexp.MustCompile(sridPattern).MatchString(text) {
		err = errors.New("is none")
	}

	if err != nil {
		return fmt.Errorf("must be a number or a string such as EPSG:3035, not %s", describeNode(n))
	}

	v.put(n, text)

	return nil
}

func (v *Duration) read(n *yaml.Node) error {
	text, err := str(n)
	if _, parseErr := time.ParseDuration(text); err != nil || parseErr != nil {
		return errors.New("must be a duration with its unit, such as 90s, 30m or 1h30m")
	}

	v.put(n, text)

	return nil
}

func (v *DSN) read(n *yaml.Node) error {
	text, err := str(n)
	if err != nil {
		return err
	}

	v.put(n, text)

	return credential.CheckDSN(text)
}

func (v *Password) read(n *yaml.Node) error {
	text, err := str(n)
	if err != nil {
		return errors.New("must be ${VARIABLE} or file:PATH")
	}

	v.put(n, text)

	return credential.CheckPassword(text)
}

// str returns a string. What YAML takes for something else is to be quoted, so that
// nobody has to know what that is.
func str(n *yaml.Node) (string, error) {
	switch {
	case n.Kind != yaml.ScalarNode:
		return "", fmt.Errorf("must be a string, not %s", describeNode(n))
	case n.Tag == "!!null" && n.Value == "":
		return "", errors.New("has no value")
	case n.Tag != "!!str":
		return "", fmt.Errorf("must be a string, and is %s to YAML: put it in quotes", describeNode(n))
	}

	return n.Value, nil
}

// plain refuses variables where they are not filled in.
func plain(text string) error {
	if strings.Contains(text, "${") {
		return errors.New("holds ${, and variables are filled in for dsn and password alone")
	}
	return nil
}

func whole(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.Style != 0 || !regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`).MatchString(n.Value) {
		return fmt.Errorf("must be a whole number in digits, such as 1000, not %s", describeNode(n))
	}

	if _, err := strconv.ParseInt(n.Value, 10, 64); err != nil {
		return errors.New("is a number of too many digits")
	}

	return nil
}

func number(n *yaml.Node) error {
	decimal := regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*|(0|[1-9][0-9]*)?\.[0-9]+)([eE][-+]?[0-9]+)?$`)
	if n.Kind != yaml.ScalarNode || n.Style != 0 || !decimal.MatchString(n.Value) {
		return fmt.Errorf("must be a number, such as 1000, 0.25 or 1e-3, not %s", describeNode(n))
	}

	if _, err := strconv.ParseFloat(n.Value, 64); err != nil {
		return errors.New("is a number that is too large")
	}

	return nil
}

// describeNode says what a node is.
func describeNode(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping of keys to values"
	case yaml.SequenceNode:
		return "a list"
	}

	switch n.Tag {
	case "!!null":
		return "nothing (null)"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		if number(&yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}) != nil {
			return "a number in a form that not all programs read alike"
		}

		return "a number"
	case "!!timestamp":
		return "a date"
	}

	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return "a string in quotes"
	}

	return "a string"
}
