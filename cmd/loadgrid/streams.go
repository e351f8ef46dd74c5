package main

import (
	"io"

	"github.com/spf13/cobra"
)

// streams are the input and the outputs of a command. A command needs only these, its options and a
// context; it does not depend on cobra.
type streams struct {
	in       io.Reader
	out, err io.Writer
	// report is out, for output that the user did not request, such as the summary of a load. --quiet
	// discards it, and err.
	report io.Writer
	// failures is err for failures. --quiet does not discard it.
	failures io.Writer
	verbosity
}

// verbosity is the amount of output other than results and errors.
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
