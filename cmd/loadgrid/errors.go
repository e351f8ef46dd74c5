package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

// usageError marks a wrong command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// runError is an error of a run, with the name and the number of the run for logs.
type runError struct {
	job   string
	run   int64 // 0 if it did not start
	err   error
	after aftermath
}

func (e *runError) Error() string { return e.err.Error() }
func (e *runError) Unwrap() error { return e.err }

// reportError writes the error of a command on one line, and below it what remains of a failed run and
// what to do. If the other lines on stderr are JSON, it writes one JSON object.
func reportError(w io.Writer, ctx context.Context, command string, asJSON bool, err error) {
	text := redact(errorMessage(ctx, command, err))
	var inJob *jobError
	if errors.As(err, &inJob) {
		asJSON = inJob.json
	}

	var run *runError
	if !errors.As(err, &run) || errors.As(err, new(*failedJobs)) { // the errors of several jobs were already reported
		run = &runError{}
	}

	if asJSON {
		log := slog.New(slog.NewJSONHandler(w, nil)).With("type", "log")
		if run.job != "" {
			log = log.With("job", run.job)
		}
		if run.run != 0 {
			log = log.With("run", run.run)
		}
		if run.after.kept != "" {
			log = log.With("kept", run.after.kept, "next", run.after.next)
		}

		log.Error(text)
		return
	}

	fmt.Fprintf(w, "%s %s\n", paint(w, red, "loadgrid:"), text)
	run.after.write(w)
}

// errorMessage returns the message of an error of a command. For a usage error it refers to the help.
func errorMessage(ctx context.Context, command string, err error) string {
	var bySignal signalError
	var resumable *loader.ResumableError
	var noLedger *loader.NoLedgerError
	var wrongUsage usageError
	var failed *failedJobs
	var inJob *jobError

	switch {
	case errors.As(err, &failed):
		return oneLine(failed.Error())
	case errors.As(err, &inJob):
		return inJob.message(ctx)
	case errors.As(context.Cause(ctx), &bySignal) && errors.As(err, &resumable):
		return fmt.Sprintf("%v: run %d has %d of %d chunks committed; run the same command to resume it",
			bySignal, resumable.Run, resumable.Committed, resumable.Chunks)
	case errors.As(context.Cause(ctx), &bySignal):
		return bySignal.Error()
	case errors.As(err, &resumable):
		return oneLine(err.Error()) + runsCommands(err)
	case errors.As(err, &noLedger):
		return noLedgerMessage(noLedger)
	case errors.As(err, &wrongUsage):
		return fmt.Sprintf("%s: see '%s --help'", oneLine(err.Error()), command)
	}

	var unfinished *loader.UnfinishedError
	if p := wrongParam(err); p != nil && errors.As(err, &unfinished) {
		return "--" + oneLine(unfinished.Error()) + runsCommands(err)
	} else if p != nil {
		return flagMessage(p)
	}

	return oneLine(err.Error()) + runsCommands(err)
}

// wrongParam returns the parameter that an error is about, named like its flag, or nil for
// another error.
func wrongParam(err error) *geomgen.ParamError {
	var param *geomgen.ParamError
	var sql *loader.SQLError
	var dsn *loader.DSNError

	switch {
	case errors.As(err, &param):
		return param
	case errors.As(err, &sql):
		return &geomgen.ParamError{Param: sql.Param, Value: sql.SQL, Reason: sql.Reason}
	case errors.As(err, &dsn):
		return &geomgen.ParamError{Param: "dsn", Value: "(not shown)", Reason: dsn.Reason}
	}

	return nil
}

func flagMessage(p *geomgen.ParamError) string {
	shown := *p
	if shown.Value == "" {
		shown.Value = `""`
	}

	return "--" + oneLine(shown.Error())
}

func noLedgerMessage(e *loader.NoLedgerError) string {
	return oneLine(e.Error()) + "; use --ledger-schema for another schema"
}

// runsCommands returns the commands that drop or resume an unfinished run, to append to the message about
// the run. It returns "" for another error.
func runsCommands(err error) string {
	var unfinished *loader.UnfinishedError
	if !errors.As(err, &unfinished) {
		return ""
	}

	command := func(verb string) string { return runsCommand(verb, unfinished.Run, unfinished.Schema) }

	commands := command("drop")
	if unfinished.Resumable {
		commands += ", " + command("resume")
	}

	return " (" + oneLine(commands) + ")"
}

// writesJSON reports whether a command with these values writes JSON to stderr.
func writesJSON(v options.Values) bool {
	return v.Text("progress") == "json" || v.Text("log-format") == "json"
}

// argsAskForJSON reports the same for a command line that could not be read completely.
func argsAskForJSON(args []string) bool {
	for i, arg := range args {
		for _, flag := range []string{"--progress", "--log-format"} {
			if arg == flag+"=json" || arg == flag && i+1 < len(args) && args[i+1] == "json" {
				return true
			}
		}
	}

	return false
}
