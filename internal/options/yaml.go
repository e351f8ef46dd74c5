package options

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/credential"
	"github.com/loadgrid/loadgrid/internal/quantity"
)

// Read returns the items of a node of a job file. Messages quote a wrong number, but no other text, which may be
// a misplaced secret. The error is a *PosError if it is about a part of the node.
func (o Option) Read(n *yaml.Node) ([]Item, error) { return o.Value.read(n) }

// PosError is an error with its own position.
type PosError struct {
	Pos
	Err error
}

func (e *PosError) Error() string { return e.Err.Error() }
func (e *PosError) Unwrap() error { return e.Err }

// NodePos returns the position of a node.
func NodePos(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }

func item(n *yaml.Node, text string) []Item { return []Item{{NodePos(n), text}} }

func readText(n *yaml.Node) ([]Item, error) {
	text, err := str(n)
	if err == nil {
		err = plain(text)
	}
	return item(n, text), err
}

// readSQL reads a string, which may contain ${.
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
		return nil, fmt.Errorf("must be a list, not %s: put each item on its own line after a hyphen", DescribeNode(n))
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
			err = quote(n, notChoice(n.Value, choices))
		}
		return items, err
	}
}

func readBool(n *yaml.Node) ([]Item, error) {
	const must = "true or false"
	return readDigits(must, `true|false`, func(text string) error {
		switch lower := strings.ToLower(text); {
		case lower != "true" && lower != "false":
			return errors.New("must be " + must)
		case lower != text:
			return errors.New("must be " + must + ", in lower case")
		}
		return nil
	})(n)
}

// decimalKey matches numbers that all YAML readers read alike.
const decimalKey = `[-+]?(0|[1-9][0-9]*|(0|[1-9][0-9]*)?\.[0-9]+)([eE][-+]?[0-9]+)?`

// readDigits reads an unquoted scalar that matches form and passes check. must describes the value for messages. The
// form only matches text that all YAML readers read alike: 0x10, 1_000 and 017 are different numbers to different
// readers, and are refused.
func readDigits(must, form string, check func(text string) error) func(*yaml.Node) ([]Item, error) {
	return func(n *yaml.Node) ([]Item, error) {
		if n.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("must be %s, not %s", must, DescribeNode(n))
		}

		// A mistake that a flag can have, too, has the same message.
		if err := check(n.Value); err != nil {
			return nil, quote(n, err)
		}
		if n.Style != 0 {
			return nil, quote(n, fmt.Errorf("must be %s, without quotes", must))
		}
		if !regexp.MustCompile(`^(` + form + `)$`).MatchString(n.Value) {
			return nil, quote(n, fmt.Errorf("must be %s, not %s", must, DescribeNode(n)))
		}

		return item(n, n.Value), nil
	}
}

// readNumbers reads a list of count numbers, or the text that the flag takes.
func readNumbers(count int) func(*yaml.Node) ([]Item, error) {
	must := fmt.Sprintf("must be a list of %d numbers", count)
	one := func(n *yaml.Node) ([]Item, error) {
		return readDigits("a number such as 1000, 0.25 or 1e-3", decimalKey, func(text string) error { return second(quantity.Number(text)) })(n)
	}

	return func(n *yaml.Node) ([]Item, error) {
		switch {
		case n.Kind == yaml.SequenceNode && len(n.Content) == count:
			return readElements(n, ",", one)
		case n.Kind == yaml.SequenceNode:
			return nil, fmt.Errorf("%s, not of %d", must, len(n.Content))
		case n.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("%s, not %s", must, DescribeNode(n))
		case n.Tag != "!!str":
			return nil, quote(n, fmt.Errorf("%s, not %s", must, DescribeNode(n)))
		}

		return readString(n, func(text string) error { return second(quantity.Numbers(text, count)) })
	}
}

// readSizes reads a size, a list of one or two, or the text that the flag takes.
func readSizes(n *yaml.Node) ([]Item, error) {
	const must = "must be a size or a list of two"
	switch {
	case n.Kind == yaml.SequenceNode && (len(n.Content) == 1 || len(n.Content) == 2):
		return readElements(n, "x", func(n *yaml.Node) ([]Item, error) {
			if n.Kind != yaml.ScalarNode {
				return nil, fmt.Errorf("must be a size, not %s", DescribeNode(n))
			}
			return readSize(n, "one size", func(list []quantity.Size) bool { return len(list) == 1 })
		})
	case n.Kind == yaml.SequenceNode:
		return nil, fmt.Errorf("%s, not of %d", must, len(n.Content))
	case n.Kind != yaml.ScalarNode:
		return nil, fmt.Errorf("%s, not %s", must, DescribeNode(n))
	}

	return readSize(n, "a size", func([]quantity.Size) bool { return true })
}

// readSize reads a scalar with one size, or with as many as fits allows.
func readSize(n *yaml.Node, must string, fits func([]quantity.Size) bool) ([]Item, error) {
	check := func(text string) error {
		list, err := quantity.Sizes(text)
		if err == nil && !fits(list) {
			err = fmt.Errorf("must be %s", must)
		}
		return err
	}

	if n.Tag == "!!str" {
		return readString(n, check)
	}
	return readDigits(must+" such as 1000, 0.25 or 1km", decimalKey, check)(n)
}

// readString reads a string that passes check.
func readString(n *yaml.Node, check func(text string) error) ([]Item, error) {
	text, err := str(n)
	if err == nil {
		err = plain(text)
	}
	if err != nil {
		return nil, err
	}

	if err := check(text); err != nil {
		return nil, quote(n, err)
	}
	return item(n, text), nil
}

// readElements reads a list, and returns it as the text that the flag takes.
func readElements(n *yaml.Node, between string, read func(*yaml.Node) ([]Item, error)) ([]Item, error) {
	texts := make([]string, len(n.Content))
	for i, child := range n.Content {
		items, err := read(child)
		if err != nil {
			return nil, &PosError{NodePos(child), err}
		}
		texts[i] = items[0].Text
	}

	return item(n, strings.Join(texts, between)), nil
}

const sridPattern = `^([Ee][Pp][Ss][Gg]:)?[-+]?[0-9]+$`

func readSRID(n *yaml.Node) ([]Item, error) {
	const must = "a number or a string such as EPSG:3035"
	check := func(text string) error { return second(quantity.SRID(text)) }
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		if err := plain(n.Value); err != nil {
			return nil, quote(n, fmt.Errorf("must be %s, and %w", must, err))
		}
		return readString(n, func(text string) error {
			if err := check(text); err != nil || regexp.MustCompile(sridPattern).MatchString(text) {
				return err
			}
			return errors.New("must be " + must + ", without spaces")
		})
	}
	return readDigits(must, `[-+]?(0|[1-9][0-9]*)`, check)(n)
}

// readTime reads a string with a time.
func readTime(check func(text string) error) func(*yaml.Node) ([]Item, error) {
	return func(n *yaml.Node) ([]Item, error) {
		if n.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("must be a string such as 90s, not %s", DescribeNode(n))
		}
		if err := check(n.Value); err != nil {
			return nil, quote(n, err)
		}

		text, err := str(n)
		if err == nil && strings.TrimSpace(text) != text {
			err = errors.New("must not have spaces around it")
		}
		if err != nil {
			return nil, quote(n, err)
		}
		return item(n, text), nil
	}
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
