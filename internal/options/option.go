// Package options owns the table of options. Flags, the keys of job files, their JSON Schema, their checks and
// docs/options.md are made from it. It knows neither a command line nor a server.
package options

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Option is a setting: a flag, a key of a job file, or both.
type Option struct {
	// Name is the name of the flag and of the key.
	Name string
	// Group is its heading in the help. Defaults to "Options".
	Group string
	// Value is the kind of value that it takes, and where to store it.
	Value Value
	// Default is the default value, for the help. Defaults to none.
	Default string
	// Help describes its purpose in a sentence. The help uses the text in backquotes as the name of the value.
	Help string
	// KeyHelp follows Help in the schema of job files.
	KeyHelp string
	// Overrides are the options of lower layers that this one overrides.
	Overrides []string
	// With are conditions that must all hold if the option is given.
	With []Condition
	// Without are conditions that must not hold if the option is given.
	Without []Condition
	// In is where it may be set. Defaults to everywhere.
	In Place
}

// Place is where an option may be set.
type Place uint8

// The places. Zero means all of them.
const (
	Flag     Place = 1 << iota // on the command line
	Defaults                   // in a job file, for all jobs
	Job                        // in a job file, for one job
)

// IsIn reports whether the option may be set in a place.
func (o Option) IsIn(p Place) bool { return o.In == 0 || o.In&p != 0 }

// Describe returns the help of the option as plain text.
func (o Option) Describe() string { return strings.ReplaceAll(o.Help, "`", "") }

// Condition is a condition on other options. It holds if one of them meets it.
type Condition struct {
	// Options are the names of the others.
	Options []string
	// Value is the required value of the other option, given or by default. Defaults to any value that is
	// given.
	Value string
	// Reason is the error if the condition is violated.
	Reason string
}

func (c Condition) holds(t Table, v Values) bool {
	return slices.ContainsFunc(c.Options, func(name string) bool {
		if c.Value == "" {
			return v.Has(name)
		}
		return t.text(name, v) == c.Value
	})
}

// Table is a list of options, in the order of the help.
type Table []Option

// Find returns the option with a name.
func (t Table) Find(name string) (Option, bool) {
	i := slices.IndexFunc(t, func(o Option) bool { return o.Name == name })
	if i < 0 {
		return Option{}, false
	}
	return t[i], true
}

// In returns the options that may be set in a place.
func (t Table) In(p Place) Table {
	return slices.DeleteFunc(slices.Clone(t), func(o Option) bool { return !o.IsIn(p) })
}

// text returns the value of an option, given or by default.
func (t Table) text(name string, v Values) string {
	if v.Has(name) {
		return v.Text(name)
	}

	o, _ := t.Find(name)
	return o.Default
}

// ItemError is an error about one value.
type ItemError struct {
	Item
	Err error
}

func (e *ItemError) Error() string { return e.Err.Error() }
func (e *ItemError) Unwrap() error { return e.Err }

// Apply checks values and stores them as the options of the table require. The error is a
// *geomgen.ParamError or a *job.SQLError with the name of the option, in an *ItemError if it is about a single
// value.
func (t Table) Apply(v Values) error {
	for _, o := range t {
		for _, item := range v[o.Name] {
			if err := o.set(item.Text); err != nil {
				return &ItemError{item, err}
			}
		}
	}

	// Report a mistyped value before a conflict with another option.
	for _, o := range t {
		if err := o.check(t, v); err != nil {
			return err
		}
	}

	return nil
}

// check checks the option against the others.
func (o Option) check(t Table, v Values) error {
	if !v.Has(o.Name) {
		return nil
	}

	for _, c := range o.With {
		if !c.holds(t, v) {
			return o.bad(v.Text(o.Name), c.Reason)
		}
	}

	for _, c := range o.Without {
		if c.holds(t, v) {
			return o.bad(v.Text(o.Name), c.Reason)
		}
	}

	return nil
}

// set stores one value.
func (o Option) set(text string) error {
	err := o.Value.set(text)
	if err == nil || errors.As(err, new(*geomgen.ParamError)) || errors.As(err, new(*job.SQLError)) {
		return err
	}
	return o.bad(text, err.Error())
}

// QuoteTyped makes an error about a number show it as it was typed, such as 1e9 instead of
// 1000000000. An error about the content of a file names the file. Without items the error stays as it is.
func (o Option) QuoteTyped(err *geomgen.ParamError, items []Item) {
	if (o.Value.Numeric || o.Value.Path) && len(items) > 0 && err.Param == o.Name {
		err.Value = QuoteEmpty(items[len(items)-1].Text)
	}
}

func (o Option) bad(text, reason string) error {
	return &geomgen.ParamError{Param: o.Name, Value: QuoteEmpty(text), Reason: reason}
}

// QuoteEmpty returns a value for messages, or two quotes if it is empty.
func QuoteEmpty(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

// required is the error for a missing option.
func required(name, reason string) error {
	return &geomgen.ParamError{Param: name, Value: "(none)", Reason: fmt.Sprintf("is required%s", reason)}
}
