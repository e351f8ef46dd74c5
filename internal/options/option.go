// Package options owns what loadgrid can be asked to do: the table of options, from which
// come flags, keys of job files, their JSON Schema, their checks and docs/options.md. It
// knows no command line and no server.
package options

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Option is one thing that people can set: by a flag, by a key of a job file, or both.
type Option struct {
	// Name is that of the flag and of the key.
	Name string
	// Group is the heading under which help lists it. Defaults to "Options".
	Group string
	// Value says what it takes, and where that goes.
	Value Value
	// Default is what holds where nobody sets it, for help. Defaults to nothing.
	Default string
	// Help says in a sentence what it is for. What stands in backquotes is what help
	// calls the value.
	Help string
	// KeyHelp is what only the schema of job files adds to Help.
	KeyHelp string
	// Overrides are the options that hold no longer where a layer above gives this one.
	Overrides []string
	// With are conditions: where the option is given, each must hold.
	With []Condition
	// Without are conditions: where the option is given, none may hold.
	Without []Condition
	// In says where it may stand. Defaults to everywhere.
	In Place
}

// Place is where an option may stand.
type Place uint8

// The places. Zero is all of them.
const (
	Flag     Place = 1 << iota // on the command line
	Defaults                   // in a job file, for all jobs
	Job                        // in a job file, for one job
)

// IsIn reports whether the option may stand in a place.
func (o Option) IsIn(p Place) bool { return o.In == 0 || o.In&p != 0 }

// Describe returns what the option is for, as plain text.
func (o Option) Describe() string { return strings.ReplaceAll(o.Help, "`", "") }

// Condition is on other options, of which one is enough.
type Condition struct {
	// Options are the names of the others.
	Options []string
	// Value is what the other must be, given or by default. Defaults to anything that is
	// given.
	Value string
	// Reason says what is wrong where it does not hold, or must not.
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

// Table is a list of options, in the order of help.
type Table []Option

// Find returns the option of a name.
func (t Table) Find(name string) (Option, bool) {
	i := slices.IndexFunc(t, func(o Option) bool { return o.Name == name })
	if i < 0 {
		return Option{}, false
	}
	return t[i], true
}

// In returns the options that may stand in a place.
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

// ItemError is an error of one value.
type ItemError struct {
	Item
	Err error
}

func (e *ItemError) Error() string { return e.Err.Error() }
func (e *ItemError) Unwrap() error { return e.Err }

// Apply checks values and puts them where the options of the table say. The error is a
// *geomgen.ParamError or a *job.SQLError with the name of the option, in an *ItemError where it is about one
// value alone.
func (t Table) Apply(v Values) error {
	for _, o := range t {
		for _, item := range v[o.Name] {
			if err := o.set(item.Text); err != nil {
				return &ItemError{item, err}
			}
		}
	}

	// Whoever mistyped a value does not want to be sent for another option first.
	for _, o := range t {
		if err := o.check(t, v); err != nil {
			return err
		}
	}

	return nil
}

// check checks whether the option fits to the others.
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

// set puts one value where it belongs.
func (o Option) set(text string) error {
	err := o.Value.set(text)
	if err == nil || errors.As(err, new(*geomgen.ParamError)) || errors.As(err, new(*job.SQLError)) {
		return err
	}
	return o.bad(text, err.Error())
}

// QuoteTyped makes an error about a number of the option say it as it was typed: 1e9 and not
// 1000000000. One about what a file holds names the file. An item of none leaves it as it is.
func (o Option) QuoteTyped(err *geomgen.ParamError, items []Item) {
	if (o.Value.Numeric || o.Value.Path) && len(items) > 0 && err.Param == o.Name {
		err.Value = QuoteEmpty(items[len(items)-1].Text)
	}
}

func (o Option) bad(text, reason string) error {
	return &geomgen.ParamError{Param: o.Name, Value: QuoteEmpty(text), Reason: reason}
}

// QuoteEmpty returns a value, or quotes where it is empty, for messages.
func QuoteEmpty(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

// required is the error of an option that is missing.
func required(name, reason string) error {
	return &geomgen.ParamError{Param: name, Value: "(none)", Reason: fmt.Sprintf("is required%s", reason)}
}
