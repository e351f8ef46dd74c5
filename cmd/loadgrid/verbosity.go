package main

import (
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

// addVerbosity gives a command and its subcommands the flags for the amount of output.
func addVerbosity(cmd *cobra.Command) {
	fs := cmd.PersistentFlags()
	fs.BoolP("verbose", "v", false, "log every stage, chunk and retry")
	fs.BoolP("quiet", "q", false, "write only errors and requested output, such as the list of 'runs list'")
}

func verbosityOf(cmd *cobra.Command) verbosity {
	// An error here means that the flag does not exist.
	if on, err := cmd.Flags().GetBool("quiet"); err == nil && on {
		return quiet
	}
	if on, err := cmd.Flags().GetBool("verbose"); err == nil && on {
		return verbose
	}

	return normal
}

// checkVerbosity refuses --quiet together with --verbose.
func checkVerbosity(cmd *cobra.Command) error {
	loud, err := cmd.Flags().GetBool("verbose")
	if err == nil && loud && verbosityOf(cmd) == quiet {
		return usageError{errors.New("--quiet conflicts with --verbose")}
	}

	return nil
}

// level is the lowest level that is logged as text.
func (v verbosity) level() slog.Level {
	switch v {
	case quiet:
		return slog.LevelError
	case verbose:
		return loader.LevelEvent
	}

	return slog.LevelInfo
}

// newTextHandler writes a log for people.
func newTextHandler(w io.Writer, v verbosity) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: v.level(), ReplaceAttr: nameEvents})
}

// nameEvents writes the level of a run's normal events as INFO.
func nameEvents(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == loader.LevelEvent {
		a.Value = slog.StringValue(slog.LevelInfo.String())
	}

	return a
}
