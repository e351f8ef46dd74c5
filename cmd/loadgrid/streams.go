package main

import (
	"io"

	"github.com/spf13/cobra"
)

// streams are what a command reads from and writes to. With its options and a
// context they are all that a command needs: cobra ends where RunE calls one.
type streams struct {
	in       io.Reader
	out, err io.Writer
	// report is out for what nobody has asked for, such as the summary of a load. With --quiet
	// nobody reads it, nor err.
	report io.Writer
	// failures is err, also with --quiet: for what has gone wrong.
	failures io.Writer
	verbosity
}

// verbosity says how much is written beside results and errors.
type verbosity int

const (
	normal verbosity = iota
	quiet
	verbose
)

func streamsOf(cmd *cobra.Command) streams {
	std := streams{in: cmd.InOrStdin(), out: patientWriter{cmd.Context(), cmd.OutOrStdout()}, failures: cmd.ErrOrStderr(), verbosity: verbosityOf(cmd)}
	std.report, std.err = std.out, std.failures
	if std.verbosity == quiet {
		std.report, std.err = io.Discard, io.Discard
	}

	return std
}
