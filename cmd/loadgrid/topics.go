package main

import "github.com/spf13/cobra"

// topic is a heading in the help, with the names of the commands or flags below it.
type topic struct {
	title string
	names []string
}

// otherTopic is the heading of the commands that no topic names.
const otherTopic = "Other"

// commandTopics returns the topics of a command's subcommands.
func commandTopics(cmd *cobra.Command) []topic {
	switch cmd.Name() {
	case "loadgrid":
		return []topic{
			{"Load a grid", []string{"demo", "plan", "load", "preview"}},
			{"Files", []string{"job", "dump"}},
			{"Runs and the ledger", []string{"runs", "migrate", "uninstall"}},
			{"The server", []string{"doctor", "bench"}},
			{"This program", []string{"completion", "version", "help"}},
		}
	case "runs":
		return []topic{
			{"Inspect", []string{"list", "show"}},
			{"Unfinished runs", []string{"resume", "drop"}},
			{"Tables with earlier versions", []string{"rollback", "hold", "release"}},
			{"The ledger", []string{"prune"}},
		}
	}

	return nil
}

// firstFlags is the topic of the flags that a first load needs. The help shows it before all others.
func firstFlags() topic {
	return topic{"Start here", []string{"table", "dsn", "cell-size", "extent", "cols", "rows", "srid", "aoi", "shape", "if-exists"}}
}

// manyFlags is the number of flags from which on the help of a command begins with firstFlags.
const manyFlags = 20
