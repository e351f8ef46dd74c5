package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newManCommand returns the command that writes the manual pages for packages. It does not use cobra/doc,
// which reads the help as Markdown and so breaks its tables, lists the flags without their groups, and
// would link a Markdown parser into the program.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write a manual page for each command into a directory",
		Long: `man writes a manual page for each command into a directory: loadgrid.1, loadgrid-load.1,
loadgrid-runs-show.1 and so on. If SOURCE_DATE_EPOCH is set, in seconds since 1970, the
pages carry that date; otherwise they have no date.`,
		Example: "  loadgrid man /usr/local/share/man/man1",
		Hidden:  true, // only for building packages
		Args:    checkArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			date, err := sourceDate(os.Getenv("SOURCE_DATE_EPOCH"))
			if err != nil {
				return usageError{err}
			}

			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("creating the directory for the manual pages: %w", err)
			}

			for _, c := range documented(cmd.Root()) {
				name := filepath.Join(args[0], manName(c)+".1")
				if err := os.WriteFile(name, []byte(manPage(c, date)), 0o644); err != nil {
					return fmt.Errorf("writing the manual page of %s: %w", c.CommandPath(), err)
				}
			}
			return nil
		},
	}
}

// sourceDate returns the date of SOURCE_DATE_EPOCH, such as 2026-11-29, or "" if it is empty.
func sourceDate(epoch string) (string, error) {
	if epoch == "" {
		return "", nil
	}

	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return "", fmt.Errorf("SOURCE_DATE_EPOCH must be a number of seconds since 1970, not %q", epoch)
	}
	return time.Unix(seconds, 0).UTC().Format(time.DateOnly), nil
}

// documented returns the commands that have a manual page, each before its subcommands.
func documented(c *cobra.Command) []*cobra.Command {
	commands := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			commands = append(commands, documented(sub)...)
		}
	}
	return commands
}

// manName returns the name of a command's page, such as loadgrid-runs-show.
func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manPage returns the page of a command, in the macros of man(7).
func manPage(c *cobra.Command, date string) string {
	c.InitDefaultHelpFlag()

	var p roff
	p.macro("TH", strings.ToUpper(manName(c)), "1", date, "loadgrid "+version(), "loadgrid manual")
	p.macro("SH", "NAME")
	p.line(escape(manName(c)) + ` \- ` + escape(c.Short))
	p.macro("SH", "SYNOPSIS")
	for i, line := range synopsis(c) {
		if i > 0 {
			p.macro("br")
		}
		p.line(line)
	}

	if c.Long != "" {
		p.macro("SH", "DESCRIPTION")
		p.text(c.Long)
	}

	if c.HasAvailableSubCommands() {
		p.macro("SH", "COMMANDS")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				p.item(bold(sub.CommandPath()), sub.Short)
			}
		}
	}

	groups := flagGroups(c.LocalFlags())
	for i, group := range groups {
		if i == 0 {
			p.macro("SH", "OPTIONS")
		}
		if len(groups) > 1 {
			p.macro("SS", group.name)
		}
		group.flags.VisitAll(func(flag *pflag.Flag) { p.item(manFlag(flag)) })
	}

	if c.HasExample() {
		p.macro("SH", "EXAMPLES")
		p.literal(c.Example)
	}

	p.macro("SH", "SEE ALSO")
	p.line(seeAlso(c))
	return p.String()
}

// synopsis returns the ways to call a command, with its name in bold.
func synopsis(c *cobra.Command) (lines []string) {
	if c.HasAvailableSubCommands() {
		return []string{bold(c.CommandPath()) + ` \fIcommand\fR [flags]`}
	}

	for line := range strings.SplitSeq(c.UseLine(), "\n") {
		rest, _ := strings.CutPrefix(strings.TrimSpace(line), c.CommandPath())
		lines = append(lines, bold(c.CommandPath())+escape(rest))
	}
	return lines
}

// seeAlso returns the pages of the commands above and below.
func seeAlso(c *cobra.Command) string {
	var pages []string
	add := func(c *cobra.Command) { pages = append(pages, bold(manName(c))+"(1)") }

	if c.HasParent() {
		add(c.Parent())
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			add(sub)
		}
	}
	if len(pages) == 0 {
		return bold("psql") + "(1)"
	}
	return strings.Join(pages, ", ")
}

// manFlag returns a flag as the help lists it: its names with the kind of its value, and its
// meaning with the default.
func manFlag(flag *pflag.Flag) (names, meaning string) {
	alone := pflag.NewFlagSet("", pflag.ContinueOnError)
	alone.AddFlag(flag)
	head, meaning, _ := strings.Cut(strings.TrimSpace(alone.FlagUsages()), "   ")

	words := strings.Fields(head)
	for i, word := range words {
		if strings.HasPrefix(word, "-") {
			words[i] = bold(word)
		} else {
			words[i] = `\fI` + escape(word) + `\fR`
		}
	}
	return strings.Join(words, " "), strings.Join(strings.Fields(meaning), " ")
}
