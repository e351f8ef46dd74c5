package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loadgrid/loadgrid/internal/nearest"
)

// knownCommand makes help refuse an unknown command. cobra's own check shows the help of the program instead.
func knownCommand(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err == nil && len(rest) == 0 {
		return nil
	}
	if err != nil || len(rest) != 1 {
		found, rest = cmd.Root(), args
	}

	return unknownCommand(found, rest[0], strings.Join(args, " "))
}

// explainCommand names an unknown command, if that is the reason why cmd, which only has subcommands,
// could not read the flags after it.
func explainCommand(cmd *cobra.Command, args []string, err error) error {
	if !cmd.HasSubCommands() || !errors.As(err, new(usageError)) {
		return err
	}

	path := strings.Fields(cmd.CommandPath())[1:]
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "-"):
			if name, has := flagOf(cmd, arg); !has && len(commandsWith(cmd, name)) > 0 {
				return usageError{fmt.Errorf("%w: the command is missing, as in '%s %s'", err, cmd.CommandPath(), exampleOf(cmd))}
			} else if !has {
				return err
			}
		case len(path) > 0 && arg == path[0]:
			path = path[1:]
		default:
			return usageError{unknownCommand(cmd, arg, arg)}
		}
	}

	return err
}

// flagOf returns the name of the flag that an argument is, and whether the command has it.
func flagOf(cmd *cobra.Command, arg string) (name string, has bool) {
	name, _, _ = strings.Cut(strings.TrimLeft(arg, "-"), "=")
	if !strings.HasPrefix(arg, "--") && name != "" {
		return name, cmd.Flags().ShorthandLookup(name[:1]) != nil
	}

	return name, cmd.Flags().Lookup(name) != nil
}

// exampleOf returns an example of a command line after cmd, which only has subcommands.
func exampleOf(cmd *cobra.Command) string {
	if cmd.HasParent() {
		return cmd.Commands()[0].Name() + " ..."
	}

	return "load ..."
}

// unknownCommand is the error of a word that is not a subcommand at any level below cmd. typed is the part of the
// command line to quote.
func unknownCommand(cmd *cobra.Command, word, typed string) error {
	paths := make(map[string]string)
	addPaths(paths, cmd, "")

	if near, ok := nearest.Name(word, slices.Collect(maps.Keys(paths))); ok {
		return fmt.Errorf("unknown command %q: did you mean '%s %s'?", typed, cmd.CommandPath(), paths[near])
	}

	if word == "export" {
		return fmt.Errorf("unknown command %q: export the table with ogr2ogr or psql, as in docs/maps.md", typed)
	}

	return fmt.Errorf("unknown command %q", typed)
}

// addPaths adds the subcommands of cmd by name, with their paths. If a name occurs twice, the one nearer to cmd
// wins.
func addPaths(paths map[string]string, cmd *cobra.Command, before string) {
	for _, sub := range cmd.Commands() {
		if _, taken := paths[sub.Name()]; !taken && (sub.IsAvailableCommand() || sub.Name() == "help") {
			paths[sub.Name()] = before + sub.Name()
		}
	}

	for _, sub := range cmd.Commands() {
		addPaths(paths, sub, before+sub.Name()+" ")
	}
}

// explainFlag adds to the error of an unknown flag which flag was meant, or which commands have it.
func explainFlag(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return err
	}

	word := missing.GetSpecifiedName()
	if letters := missing.GetSpecifiedShortnames(); len(letters) > 1 { // as in -table
		word = letters
	}

	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	})

	if near, ok := nearest.Name(word, names); ok {
		return fmt.Errorf("%w: did you mean --%s?", err, near)
	}

	switch {
	case word == "dry-run" && cmd.Name() == "load":
		return fmt.Errorf("%w: 'loadgrid plan' shows what load would do", err)
	case (word == "table" || word == "t") && strings.HasSuffix(cmd.Use, "[SCHEMA.]TABLE"):
		return fmt.Errorf("%w: write the table without a flag, as in '%s stats.grid'", err, cmd.CommandPath())
	case (word == "force" || word == "f") && cmd.Flags().Lookup("yes") != nil:
		return fmt.Errorf("%w: did you mean --yes?", err)
	}

	flag := synonymOf(word)
	if name, _, _ := strings.Cut(flag, " "); slices.Contains(names, name) {
		return fmt.Errorf("%w: did you mean --%s?", err, flag)
	}

	if others := commandsWith(cmd.Root(), word); len(others) > 0 && len(others) <= 3 {
		return fmt.Errorf("%w: it is a flag of '%s'", err, strings.Join(others, "' and '"))
	}

	return err
}

// commandsWith returns the commands that have a flag.
func commandsWith(cmd *cobra.Command, flag string) (paths []string) {
	if cmd.Flags().Lookup(flag) != nil {
		paths = append(paths, cmd.CommandPath())
	}

	for _, sub := range cmd.Commands() {
		paths = append(paths, commandsWith(sub, flag)...)
	}

	return paths
}
