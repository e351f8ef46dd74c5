package main

import (
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

// addVerbosity gives a command, and those below it, the flags that say how much is written.
func addVerbosity(cmd *cobra.Command) {
	fs := cmd.PersistentFlags()
	fs.BoolP("verbose", "v", false, "log each stage, each chunk and each retry")
	fs.BoolP("quiet", "q", false, "write errors only, and what you ask for, such as the list of 'runs list'")
}

func verbosityOf(cmd *cobra.Command) verbosity {
	// The error would be that of a flag which is not there.
	if on, err := cmd.Flags().GetBool("quiet"); err == nil && on {
		return quiet
	}
	if on, err := cmd.Flags().GetBool("verbose"); err == nil && on {
		return verbose
	}

	return normal
}

// checkVerbosity refuses both flags together.
func checkVerbosity(cmd *cobra.Command) error {
	loud, err := cmd.Flags().GetBool("verbose")
	if err == nil && loud && verbosityOf(cmd) == quiet {
		return usageError{errors.New("--quiet contradicts --verbose")}
	}

	return nil
}

// level is the lowest level of what is logged as text.
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

// nameEvents writes the events of a run's normal course as level INFO.
func nameEvents(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == loader.LevelEvent {
		a.Value = slog.StringValue(slog.LevelInfo.String())
	}

	return a
}
