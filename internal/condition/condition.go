// Package condition owns the conditions that select features by their attributes: their grammar,
// their evaluation, and their SQL.
//
// A condition compares attributes with literals, by SQL's rules:
//
//	condition = and { "or" and }
//	and       = not { "and" not }
//	not       = "not" not | "(" condition ")" | attribute test
//	test      = ( "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" ) literal
//	          | [ "not" ] "in" "(" literal { "," literal } ")"
//	          | "is" [ "not" ] "null"
//	attribute = name | '"' text '"'
//	literal   = number | "'" text "'" | "true" | "false"
//
// Keywords are case-insensitive, names of attributes are case-sensitive. In quotes, double the
// quote character to write the quote itself.
package condition

import (
	"github.com/loadgrid/loadgrid/internal/feature"
)

// Condition is a condition on the attributes of a feature.
type Condition struct {
	names []string
	root  expression
}

// Truth is a truth value of SQL's logic.
type Truth int8

// The truth values, in their order: "and" is the least of two, "or" the greatest.
const (
	False   Truth = -1
	Unknown Truth = 0
	True    Truth = 1
)

// Names returns the attributes that the condition uses, in the order of their first use.
func (c *Condition) Names() []string { return c.names }

// Eval evaluates the condition for a feature. values are those of Names. Text is compared by its
// bytes. Whole numbers are compared with other numbers exactly. NaN equals itself and is greater
// than other numbers. Dates and times are compared with ISO 8601 text, where a time without a zone
// is in UTC. Lists and objects of JSON are text. The error is a *TypeError.
func (c *Condition) Eval(values []feature.Value) (Truth, error) {
	return c.root.eval(c.names, values)
}

// expression is a part of a condition.
type expression interface {
	eval(names []string, values []feature.Value) (Truth, error)
	appendSQL(b []byte, names []string, d Dialect) []byte
	sameInSQL(kind func(attribute int) Kind) bool
}

// logic is "and" or "or" of several.
type logic struct {
	and   bool
	parts []expression
}

// eval evaluates all parts, so that an error does not depend on their order.
func (l logic) eval(names []string, values []feature.Value) (Truth, error) {
	result := False
	if l.and {
		result = True
	}

	for _, part := range l.parts {
		t, err := part.eval(names, values)
		switch {
		case err != nil:
			return Unknown, err
		case l.and:
			result = min(result, t)
		default:
			result = max(result, t)
		}
	}

	return result, nil
}

// negation is "not".
type negation struct{ inner expression }

func (n negation) eval(names []string, values []feature.Value) (Truth, error) {
	t, err := n.inner.eval(names, values)
	return -t, err
}

// nullTest is "is null", or "is not null".
type nullTest struct {
	attribute int // its index in names
	not       bool
}

func (n nullTest) eval(_ []string, values []feature.Value) (Truth, error) {
	return truth((values[n.attribute] == nil) != n.not), nil
}

// comparison compares an attribute with a literal.
type comparison struct {
	attribute int
	operator  string
	with      literal
}

func (c comparison) eval(names []string, values []feature.Value) (Truth, error) {
	v := values[c.attribute]
	if v == nil {
		return Unknown, nil
	}

	n, err := c.with.compare(names[c.attribute], v)
	if err != nil {
		return Unknown, err
	}

	switch c.operator {
	case "=":
		return truth(n == 0), nil
	case "<>":
		return truth(n != 0), nil
	case "<":
		return truth(n < 0), nil
	case "<=":
		return truth(n <= 0), nil
	case ">":
		return truth(n > 0), nil
	}

	return truth(n >= 0), nil
}

// membership is "in", or "not in".
type membership struct {
	attribute int
	not       bool
	list      []literal
}

func (m membership) eval(names []string, values []feature.Value) (Truth, error) {
	v := values[m.attribute]
	if v == nil {
		return Unknown, nil
	}

	found := false
	for _, l := range m.list {
		n, err := l.compare(names[m.attribute], v)
		if err != nil {
			return Unknown, err
		}
		found = found || n == 0
	}

	return truth(found != m.not), nil
}

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}
