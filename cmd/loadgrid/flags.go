package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loadgrid/loadgrid/internal/options"
)

// addFlags gives a command the flags of tables of options. givenValues returns their values on the command line.
func addFlags(cmd *cobra.Command, tables ...options.Table) {
	fs := cmd.Flags()
	fs.SortFlags = false

	for _, o := range slices.Concat(tables...).In(options.Flag) {
		flag := fs.VarPF(&flagValue{option: o}, o.Name, "", o.Help)
		flag.Annotations = map[string][]string{groupAnnotation: {o.Group}}
		flag.NoOptDefVal = o.Value.Alone

		if len(o.Value.Choices) > 0 {
			// The only error is a flag that does not exist, and the flag was just added.
			_ = cmd.RegisterFlagCompletionFunc(o.Name, cobra.FixedCompletions(o.Value.Choices, cobra.ShellCompDirectiveNoFileComp))
		}
	}
}

// givenValues returns the values that the command line gives.
func givenValues(cmd *cobra.Command) options.Values {
	values := make(options.Values)
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if v, ok := flag.Value.(*flagValue); ok {
			values[flag.Name] = v.items
		}
	})

	return values
}

// flagValue collects the values that a command line gives for an option. They are checked together with all
// others, after the command line has been read.
type flagValue struct {
	option options.Option
	items  []options.Item
}

// String returns the current value. pflag shows it as the default in the help.
func (v *flagValue) String() string {
	if len(v.items) == 0 {
		return v.option.Default
	}
	return v.items[len(v.items)-1].Text
}

// errGivenTwice refuses a second value instead of silently dropping the first.
var errGivenTwice = errors.New("is given twice, but takes only one value")

// Set adds a value.
func (v *flagValue) Set(text string) error {
	if len(v.items) > 0 && !v.option.Value.List {
		return errGivenTwice
	}

	v.items = append(v.items, options.Item{Text: text})
	return nil
}

// Type is bool for flags that need no value. For others, the help shows the part of their text in backquotes.
func (v *flagValue) Type() string { return v.option.Value.Type }

// quoteTyped makes an error about a number show it as it was typed on the command line.
func quoteTyped(cmd *cobra.Command, err error) {
	param := wrongParam(err)
	if param == nil {
		return
	}

	if flag := cmd.Flags().Lookup(param.Param); flag != nil {
		if v, ok := flag.Value.(*flagValue); ok {
			v.option.QuoteTyped(param, v.items)
		}
	}
}

// flagError turns an error of pflag into a usage error. For our own flags the message does not quote the value,
// which may be a secret.
func flagError(cmd *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &invalid) && errors.Is(err, errGivenTwice):
		err = fmt.Errorf("--%s %w", invalid.GetFlag().Name, errGivenTwice)
	case errors.As(err, &invalid): // of cobra's own, such as --help
		err = fmt.Errorf("--%s %s: must be true or false", invalid.GetFlag().Name, options.QuoteEmpty(invalid.GetValue()))
	default:
		err = explainFlag(cmd, err)
	}
	return usageError{err}
}
