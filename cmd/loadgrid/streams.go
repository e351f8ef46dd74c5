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
}

func streamsOf(cmd *cobra.Command) streams {
	return streams{in: cmd.InOrStdin(), out: patientWriter{cmd.Context(), cmd.OutOrStdout()}, err: cmd.ErrOrStderr()}
}
