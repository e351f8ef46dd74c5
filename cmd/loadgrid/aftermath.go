package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/loadgrid/loadgrid/loader"
)

// aftermath tells users the state after a run that was not published. It is empty if nothing was started.
type aftermath struct {
	kept string // what remains of the run
	next string // what to do
}

func (a aftermath) write(w io.Writer) {
	if a.kept == "" {
		return
	}

	fmt.Fprintf(w, "  kept: %s\n  next: %s\n", oneLine(a.kept), oneLine(a.next))
}

// describeAfter describes what remains of a run that ended with err. schema is that of its ledger, and stopped tells
// whether its context has ended.
func describeAfter(s loader.Summary, schema string, err error, stopped bool) aftermath {
	var locked *loader.LockedError
	if err == nil || s.Run == 0 || errors.As(err, &locked) {
		return aftermath{}
	}

	var resumable *loader.ResumableError

	switch {
	case errors.As(err, &resumable):
		return describeResumable(resumable, s.Method, schema, stopped)
	case s.Kept == loader.KeptNothing && stopped:
		return aftermath{"nothing; readers of the table see no change", "run the same command again; it starts from the beginning"}
	case s.Kept == loader.KeptNothing:
		return aftermath{"nothing; readers of the table see no change", "fix the cause, then run the same command again; it starts from the beginning"}
	}

	return aftermath{
		kept: fmt.Sprintf("unknown, because the ledger could not be read: run %d may have rows that no reader sees", s.Run),
		next: fmt.Sprintf("when the server answers, run the same command again, or see %s", runsCommand("show", s.Run, schema)),
	}
}

func describeResumable(e *loader.ResumableError, method loader.Method, schema string, stopped bool) aftermath {
	unit := "chunk"
	if method == loader.MethodPartitions {
		unit = "partition"
	}

	next := fmt.Sprintf("run the same command again or %s; to give up, run %s",
		runsCommand("resume", e.Run, schema), runsCommand("drop", e.Run, schema))
	if !stopped {
		next = "fix the cause, then " + next
	}

	return aftermath{
		kept: fmt.Sprintf("%s of %s with %s of %s, which no reader sees yet", formatCount(e.Committed), pluralCount(e.Chunks, unit),
			formatCount(e.RowsDone), pluralCount(e.Rows, "row")),
		next: next,
	}
}

// runsCommand returns the quoted command line of a subcommand of runs.
func runsCommand(verb string, run int64, schema string) string {
	text := fmt.Sprintf("'loadgrid runs %s %d", verb, run)
	if schema != "" && schema != loader.DefaultLedgerSchema {
		text += " --ledger-schema " + schema
	}

	return text + "'"
}
