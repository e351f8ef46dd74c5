package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// headings returns the lines of help that are headings of commands or flags, in their order.
func headings(t *testing.T, args ...string) (found []string) {
	t.Helper()
	_, stdout, _ := call(t.Context(), append(args, "--help")...)
	_, usage, _ := strings.Cut(stdout, "\nUsage:")
	for line := range strings.Lines(usage) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasSuffix(line, ":") && !strings.HasPrefix(line, " ") {
			found = append(found, line)
		}
	}

	return found
}

// section returns the lines of help below a heading.
func section(t *testing.T, heading string, args ...string) (names []string) {
	t.Helper()
	_, stdout, _ := call(t.Context(), append(args, "--help")...)
	_, rest, found := strings.Cut(stdout, "\n"+heading+"\n")
	if !found {
		t.Fatalf("%q: no heading %q", args, heading)
	}

	lines, _, _ := strings.Cut(rest, "\n\n")
	for line := range strings.Lines(lines) {
		if words := strings.Fields(line); len(words) > 0 && strings.HasPrefix(strings.TrimLeft(line, " "), "--") {
			names = append(names, strings.TrimPrefix(words[0], "--"))
		}
	}

	return names
}

// The flags of a first load come before the others, and commands and flags have headings.
func TestHelpBeginsWithAFirstLoad(t *testing.T) {
	if got, want := section(t, "Start here:", "load"), firstFlags().names; len(want) != 10 || !slices.Equal(got, want) {
		t.Errorf("load begins with %q, want %q", got, want)
	}

	want := []string{"Examples:", "Start here:", "Grid:", "Area of interest:", "Columns:", "Existing tables:", "Layout and speed:",
		"SQL before and after:", "Schedule:", "Server:", "Output:", "Job file:", "Global flags:"}
	if got := headings(t, "load"); !slices.Equal(got, want) {
		t.Errorf("the headings of load are %q, want %q", got, want)
	}

	if got := headings(t, "runs", "list"); slices.Contains(got, "Start here:") {
		t.Errorf("the headings of runs list are %q", got)
	}
}

// Each command has a topic, and each topic has a command.
func TestCommandTopics(t *testing.T) {
	everyCommand(newRootCommand(), func(c *cobra.Command) {
		if !c.HasSubCommands() || len(commandTopics(c)) == 0 {
			return
		}
		if got := headings(t, strings.Fields(c.CommandPath())[1:]...); slices.Contains(got, otherTopic+":") || len(got) < 3 {
			t.Errorf("the headings of %s are %q", c.CommandPath(), got)
		}
	})
}
