package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/credential"
)

const passwordWarning = "--dsn contains a password, which every user of this machine can read in the process list: " +
	"use LOADGRID_DSN, a password file (~/.pgpass or PGPASSFILE), a service file (PGSERVICEFILE), or the key password of a job file"

// warnPassword warns of a password on the command line. It runs before each command with a valid command
// line, whether the command has --dsn or not.
func warnPassword(cmd *cobra.Command, stderr io.Writer) {
	values := givenValues(cmd)
	if verbosityOf(cmd) == quiet || !credential.HasSecret(values.Text("dsn")) {
		return
	}

	if writesJSON(values) {
		slog.New(newJSONHandler(stderr, normal)).With("type", "log").Warn(passwordWarning)
		return
	}
	fmt.Fprintf(stderr, "warning: %s\n", passwordWarning)
}
