package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// groupAnnotation is the annotation of a flag that names its heading in the help.
const groupAnnotation = "loadgrid_group"

// usageWidth is the width of the help, in columns.
const usageWidth = 100

// printUsage writes the usage of a command as cobra does, but with the flags in groups.
func printUsage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:")
	if cmd.Runnable() && !cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n  %s", cmd.UseLine())
	}

	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n  %s [command]", cmd.CommandPath())
	}

	if cmd.HasExample() {
		fmt.Fprintf(&b, "\n\nExamples:\n%s", cmd.Example)
	}

	if cmd.HasAvailableSubCommands() {
		writeCommands(&b, cmd)
	}

	for _, group := range append(flagGroups(ownFlags(cmd)), flagGroup{"Global flags", globalFlags(cmd)}) {
		fmt.Fprintf(&b, "\n\n%s:\n%s", group.name, strings.TrimRight(group.flags.FlagUsagesWrapped(usageWidth), "\n"))
	}

	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n\nUse \"%s [command] --help\" for more information about a command.", cmd.CommandPath())
	}

	_, err := fmt.Fprintln(cmd.OutOrStderr(), b.String())
	return err
}

// writeCommands writes the subcommands of cmd by topic.
func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	left := make(map[string]*cobra.Command)
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			left[sub.Name()] = sub
		}
	}

	write := func(title string, names []string) {
		fmt.Fprintf(b, "\n\n%s:", title)
		for _, name := range names {
			fmt.Fprintf(b, "\n  %-*s %s", left[name].NamePadding(), name, left[name].Short)
			delete(left, name)
		}
	}

	for _, t := range commandTopics(cmd) {
		names := slices.DeleteFunc(slices.Clone(t.names), func(name string) bool { return left[name] == nil })
		if len(names) > 0 {
			write(t.title, names)
		}
	}

	if rest := slices.Sorted(maps.Keys(left)); len(rest) > 0 {
		title := otherTopic
		if len(commandTopics(cmd)) == 0 {
			title = "Commands"
		}
		write(title, rest)
	}
}

// ownFlags returns the flags of a command without the global ones.
func ownFlags(cmd *cobra.Command) *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if cmd.PersistentFlags().Lookup(flag.Name) == nil {
			set.AddFlag(flag)
		}
	})

	return set
}

// globalFlags returns the flags that every command has.
func globalFlags(cmd *cobra.Command) *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.InheritedFlags().VisitAll(set.AddFlag)
	cmd.PersistentFlags().VisitAll(set.AddFlag)
	if help := cmd.Flags().Lookup("help"); help != nil {
		set.AddFlag(help)
	}

	return set
}

// flagGroup are the flags under one heading.
type flagGroup struct {
	name  string
	flags *pflag.FlagSet
}

// flagGroups returns the groups in the order of their first flags. Flags without a group come first. A command
// with many flags begins with those of a first load.
func flagGroups(fs *pflag.FlagSet) (groups []flagGroup) {
	own := flagGroup{"Flags", pflag.NewFlagSet("", pflag.ContinueOnError)}
	own.flags.SortFlags = false
	byName := make(map[string]*pflag.FlagSet)

	first := topic{}
	if countFlags(fs) >= manyFlags {
		first = firstFlags()
		groups = append(groups, flagGroup{first.title, pick(fs, first.names)})
	}

	fs.VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "help" || slices.Contains(first.names, flag.Name) {
			return
		}

		names := flag.Annotations[groupAnnotation]
		if len(names) == 0 || names[0] == "" {
			own.flags.AddFlag(flag)
			return
		}

		set, ok := byName[names[0]]
		if !ok {
			set = pflag.NewFlagSet("", pflag.ContinueOnError)
			set.SortFlags = false
			byName[names[0]] = set
			groups = append(groups, flagGroup{names[0], set})
		}
		set.AddFlag(flag)
	})

	if own.flags.HasFlags() {
		groups = append([]flagGroup{own}, groups...)
	}
	return groups
}

func countFlags(fs *pflag.FlagSet) (n int) {
	fs.VisitAll(func(*pflag.Flag) { n++ })
	return n
}

// pick returns the flags with these names that the set has, in the order of the names.
func pick(fs *pflag.FlagSet, names []string) *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	for _, name := range names {
		if flag := fs.Lookup(name); flag != nil {
			set.AddFlag(flag)
		}
	}

	return set
}
