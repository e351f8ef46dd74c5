package options

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// quote puts the text in the file before a message about it, as the message of a flag does.
func quote(n *yaml.Node, err error) error {
	const most = 60
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, n.Value)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "..."
	}

	return fmt.Errorf("%s: %w", QuoteEmpty(text), err)
}

// str returns a string. Text that YAML reads as something else must be quoted, so that users need not know those
// rules.
func str(n *yaml.Node) (string, error) {
	switch {
	case n.Kind != yaml.ScalarNode:
		return "", fmt.Errorf("must be a string, not %s", DescribeNode(n))
	case n.Tag == "!!null" && n.Value == "":
		return "", errors.New("has no value")
	case n.Tag != "!!str":
		return "", fmt.Errorf("must be a string, but YAML reads it as %s: put it in quotes", DescribeNode(n))
	}

	return n.Value, nil
}

// plain refuses variables in values that cannot have them.
func plain(text string) error {
	if strings.Contains(text, "${") {
		return errors.New("contains ${, which only dsn and password can have")
	}
	return nil
}

// DescribeNode describes a node, for messages.
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
		if !regexp.MustCompile(`^(` + decimalKey + `)$`).MatchString(n.Value) {
			return "a number in a form that programs read differently"
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
