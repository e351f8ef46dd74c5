package options

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/credential"
)

// Read returns the items that a node of a job file says for the option. Messages do not
// quote what is wrong: it may be a secret in the wrong line. The error is a *PosError where
// it is about a part of the node.
func (o Option) Read(n *yaml.Node) ([]Item, error) { return o.Value.read(n) }

// PosError is an error with a place of its own.
type PosError struct {
	Pos
	Err error
}

func (e *PosError) Error() string { return e.Err.Error() }
func (e *PosError) Unwrap() error { return e.Err }

// NodePos returns where a node begins.
func NodePos(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }

func item(n *yaml.Node, text string) []Item { return []Item{{NodePos(n), text}} }

func readText(n *yaml.Node) ([]Item, error) {
	text, err := str(n)
	if err == nil {
		err = plain(text)
	}
	return item(n, text), err
}

// readSQL reads a string, which may hold ${.
func readSQL(n *yaml.Node) ([]Item, error) {
	text, err := str(n)
	return item(n, text), err
}

// readScript reads SQL: a string, or a list of strings.
func readScript(n *yaml.Node) ([]Item, error) {
	if n.Kind == yaml.SequenceNode {
		return readList(n, readSQL)
	}
	return readSQL(n)
}

func readTexts(n *yaml.Node) ([]Item, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("must be a list, not %s: each on a line of its own, behind a hyphen", DescribeNode(n))
	}
	return readList(n, readText)
}

func readList(n *yaml.Node, read func(*yaml.Node) ([]Item, error)) (list []Item, err error) {
	if len(n.Content) == 0 {
		return nil, errors.New("is an empty list")
	}

	for _, child := range n.Content {
		items, err := read(child)
		if err != nil {
			return nil, &PosError{NodePos(child), err}
		}
		list = append(list, items...)
	}

	return list, nil
}

func readChoice(choices []string) func(*yaml.Node) ([]Item, error) {
	return func(n *yaml.Node) ([]Item, error) {
		items, err := readText(n)
		if err == nil && !slices.Contains(choices, n.Value) {
			err = errors.New("must be " + orList(choices))
		}
		return items, err
	}
}

func readBool(n *yaml.Node) ([]Item, error) {
	if n.Kind != yaml.ScalarNode || n.Style != 0 || n.Value != "true" && n.Value != "false" {
		return nil, fmt.Errorf("must be true or false, not %s", DescribeNode(n))
	}
	return item(n, n.Value), nil
}

// readNumber reads what all of YAML's readers take for the same number: 0x10, 1_000 and
// 017 are different ones to different readers, and refused.
func readNumber(n *yaml.Node) ([]Item, error) { return item(n, n.Value), number(n) }

// readNumbers reads a list, or what the flag takes: a string that has them between
// commas, or a number where one is enough.
func readNumbers(least, most int) func(*yaml.Node) ([]Item, error) {
	must := fmt.Sprintf("must be a list of %d numbers", least)
	if least != most {
		must = "must be a number or a list of two"
	}

	return func(n *yaml.Node) ([]Item, error) {
		switch {
		case n.Kind == yaml.SequenceNode && len(n.Content) >= least && len(n.Content) <= most:
			return readNumberList(n)
		case n.Kind == yaml.SequenceNode:
			return nil, fmt.Errorf("%s, not of %d", must, len(n.Content))
		case n.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("%s, not %s", must, DescribeNode(n))
		}

		text, err := str(n)
		if err == nil {
			err = plain(text)
		} else if least == 1 {
			text, err = n.Value, number(n)
		} else {
			err = fmt.Errorf("%s, not %s", must, DescribeNode(n))
		}

		return item(n, text), err
	}
}

func readNumberList(n *yaml.Node) ([]Item, error) {
	texts := make([]string, len(n.Content))
	for i, child := range n.Content {
		if err := number(child); err != nil {
			return nil, &PosError{NodePos(child), err}
		}
		texts[i] = child.Value
	}

	return item(n, strings.Join(texts, ",")), nil
}

const sridPattern = `^([Ee][Pp][Ss][Gg]:)?[-+]?[0-9]+$`

func readSRID(n *yaml.Node) ([]Item, error) {
	text, err := str(n)
	if err != nil {
		text, err = n.Value, whole(n)
	} else if !regexp.MustCompile(sridPattern).MatchString(text) {
		err = errors.New("is none")
	}

	if err != nil {
		return nil, fmt.Errorf("must be a number or a string such as EPSG:3035, not %s", DescribeNode(n))
	}
	return item(n, text), nil
}

func readDuration(n *yaml.Node) ([]Item, error) {
	text, err := str(n)
	if _, parseErr := time.ParseDuration(text); err != nil || parseErr != nil {
		return nil, errors.New("must be a duration with its unit, such as 90s, 30m or 1h30m")
	}
	return item(n, text), nil
}

func readDSN(n *yaml.Node) ([]Item, error) {
	text, err := str(n)
	if err == nil {
		err = credential.CheckDSN(text)
	}
	return item(n, text), err
}

func readPassword(n *yaml.Node) ([]Item, error) {
	text, err := str(n)
	if err != nil {
		return nil, errors.New("must be ${VARIABLE} or file:PATH")
	}
	return item(n, text), credential.CheckPassword(text)
}

// str returns a string. What YAML takes for something else is to be quoted, so that
// nobody has to know what that is.
func str(n *yaml.Node) (string, error) {
	switch {
	case n.Kind != yaml.ScalarNode:
		return "", fmt.Errorf("must be a string, not %s", DescribeNode(n))
	case n.Tag == "!!null" && n.Value == "":
		return "", errors.New("has no value")
	case n.Tag != "!!str":
		return "", fmt.Errorf("must be a string, and is %s to YAML: put it in quotes", DescribeNode(n))
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
		return fmt.Errorf("must be a whole number in digits, such as 1000, not %s", DescribeNode(n))
	}

	return nil
}

func number(n *yaml.Node) error {
	decimal := regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*|(0|[1-9][0-9]*)?\.[0-9]+)([eE][-+]?[0-9]+)?$`)
	if n.Kind != yaml.ScalarNode || n.Style != 0 || !decimal.MatchString(n.Value) {
		return fmt.Errorf("must be a number, such as 1000, 0.25 or 1e-3, not %s", DescribeNode(n))
	}

	if _, err := strconv.ParseFloat(n.Value, 64); err != nil {
		return errors.New("is a number that is too large")
	}

	return nil
}

// DescribeNode says what a node is, for messages.
func DescribeNode(n *yaml.Node) string {
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

// orList returns "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
