package main

import "github.com/spf13/cobra"

// topic is a heading of help, and the names below it.
type topic struct {
	title string
	names []string
}

// otherTopic is the heading of what no topic names.
const otherTopic = "Other"

// commandTopics returns the topics of a command's subcommands.
func commandTopics(cmd *cobra.Command) []topic {
	switch cmd.Name() {
	case "loadgrid":
		return []topic{
			{"Load a grid", []string{"demo", "plan", "load", "preview"}},
			{"Files", []string{"job", "dump"}},
			{"What was loaded", []string{"runs", "migrate", "uninstall"}},
			{"The server", []string{"doctor", "bench"}},
			{"This program", []string{"completion", "version", "help"}},
		}
	case "runs":
		return []topic{
			{"Look", []string{"list", "show"}},
			{"A run that was not finished", []string{"resume", "drop"}},
			{"A table with earlier versions", []string{"rollback", "hold", "release"}},
			{"The ledger", []string{"prune"}},
		}
	}

	return nil
}

// firstFlags is the topic of the flags that a first load needs, which help shows before all
// others.
func firstFlags() topic {
	return topic{"Start here", []string{"table", "dsn", "cell-size", "extent", "cols", "rows", "srid", "aoi", "shape", "if-exists"}}
}

// manyFlags is how many flags a command has at least whose help begins with the first ones.
const manyFlags = 20
