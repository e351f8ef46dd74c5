package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// groupAnnotation is where a flag says under which heading help lists it.
const groupAnnotation = "loadgrid_group"

// usageWidth is how wide help is, in columns.
const usageWidth = 100

// printUsage writes how a command is used: as cobra does, with the flags in groups.
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
		b.WriteString("\n\nCommands:")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintf(&b, "\n  %-*s %s", sub.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}

	for _, group := range flagGroups(cmd.LocalFlags()) {
		fmt.Fprintf(&b, "\n\n%s:\n%s", group.name, strings.TrimRight(group.flags.FlagUsagesWrapped(usageWidth), "\n"))
	}

	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n\nUse \"%s [command] --help\" for more about a command.", cmd.CommandPath())
	}

	_, err := fmt.Fprintln(cmd.OutOrStderr(), b.String())
	return err
}

// flagGroup are the flags under one heading.
type flagGroup struct {
	name  string
	flags *pflag.FlagSet
}

// flagGroups returns the groups in the order of their first flags; those without one, such
// as --help, come last.
func flagGroups(fs *pflag.FlagSet) (groups []flagGroup) {
	last := flagGroup{"Flags", pflag.NewFlagSet("", pflag.ContinueOnError)}
	byName := make(map[string]*pflag.FlagSet)

	fs.VisitAll(func(flag *pflag.Flag) {
		names := flag.Annotations[groupAnnotation]
		if len(names) == 0 || names[0] == "" {
			last.flags.AddFlag(flag)
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

	if last.flags.HasFlags() {
		groups = append(groups, last)
	}
	return groups
}
