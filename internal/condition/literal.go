package condition

import (
	"cmp"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// literal is a number, a text, true or false.
type literal struct {
	value feature.Value // int64, float64, string or bool
	text  string        // the number as the user typed it
	exact *big.Rat      // the number, if it is not an int64
}

// TypeError reports a value that a literal cannot be compared with.
type TypeError struct {
	Name    string        // of the attribute
	Value   feature.Value // of the attribute, in a feature
	Literal string        // as in the condition
	Type    string        // of the literal, such as "a number"
}

func (e *TypeError) Error() string {
	value := feature.TextOf(e.Value)
	if len(value) > 40 {
		value = strings.ToValidUTF8(value[:40], "") + "..."
	}

	hint := ""
	switch e.Value.(type) {
	case feature.Date:
		hint = ": write a date as '2026-01-31'"
	case time.Time:
		hint = ": write a time as '2026-01-31T12:00:00Z'"
	}

	return fmt.Sprintf("compares attribute %s, which is %s such as %s, with %s, which is %s%s", e.Name, typeOf(e.Value), value, e.Literal, e.Type, hint)
}

// typeOf names the type of a value for people.
func typeOf(v feature.Value) string {
	switch v.(type) {
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case feature.Date:
		return "a date"
	case time.Time:
		return "a time"
	}

	return "text"
}

// compare compares a value that is not nil with the literal. The result is negative if the value is
// less.
func (l literal) compare(name string, v feature.Value) (int, error) {
	switch v := v.(type) {
	case bool:
		if with, ok := l.value.(bool); ok {
			return cmp.Compare(rank(v), rank(with)), nil
		}
	case int64:
		switch with := l.value.(type) {
		case int64:
			return cmp.Compare(v, with), nil
		case float64:
			return new(big.Rat).SetInt64(v).Cmp(l.exact), nil
		}
	case float64:
		switch with := l.value.(type) {
		case int64:
			return compareFloats(v, float64(with)), nil
		case float64:
			return compareFloats(v, with), nil
		}
	case string:
		if with, ok := l.value.(string); ok {
			return strings.Compare(v, with), nil
		}
	case feature.Date:
		if with, ok := l.date(); ok {
			return cmp.Or(cmp.Compare(v.Year, with.Year()), cmp.Compare(v.Month, with.Month()), cmp.Compare(v.Day, with.Day())), nil
		}
	case time.Time:
		if with, ok := l.time(); ok {
			return v.Compare(with), nil
		}
	}

	return 0, &TypeError{Name: name, Value: v, Literal: l.String(), Type: typeOf(l.value)}
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareFloats compares as PostgreSQL does: NaN is greater than other numbers.
func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a == b:
		return 0
	}
	return 1 // b comes from a condition and is never NaN
}

// date parses the literal as a date.
func (l literal) date() (t time.Time, ok bool) {
	text, ok := l.value.(string)
	if !ok {
		return t, false
	}

	t, err := time.Parse(time.DateOnly, text)
	return t, err == nil
}

// time parses the literal as a time.
func (l literal) time() (t time.Time, ok bool) {
	text, ok := l.value.(string)
	if !ok {
		return t, false
	}

	text = strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}

	return t, false
}

// String writes the literal as it appears in a condition.
func (l literal) String() string { return string(l.appendSQL(nil, SQLite)) }
