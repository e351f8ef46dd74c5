// Command loadgrid fills PostGIS with grids.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/loader"
)

// Exit codes, as the help of the program states them.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitLocked    = 3
	exitResumable = 4
	exitSignal    = 128 // and the signal's number
)

func main() {
	args := takeArgs(os.Args) // before anything that takes time
	ctx, stop := withSignals(context.Background())
	defer stop()
	os.Exit(run(ctx, args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// signalError is why a context ended.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string {
	switch e.signal {
	case syscall.SIGTERM:
		return "stopped by SIGTERM"
	case syscall.SIGHUP:
		return "stopped by SIGHUP, the terminal is gone"
	}
	return "stopped by SIGINT"
}

// withSignals ends the context at the first SIGINT, SIGTERM or SIGHUP; a second
// one ends the program at once. A pipe that nobody reads any more is an error of
// the write to it, not the end of a program that has things to put in order.
func withSignals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	stops := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		stops = append(stops, syscall.SIGHUP)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, stops...)
	go func() {
		if s, ok := (<-signals).(syscall.Signal); ok {
			signal.Reset(stops...)
			cancel(signalError{s})
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// run is the whole program, but for the process it runs in.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	if errors.As(err, new(usageError)) && asksForJSON(args) {
		if f := cmd.Flags().Lookup("log-format"); f != nil {
			_ = f.Value.Set("json") // it may stand behind a flag that is not known
		}
	}
	report(stderr, ctx, cmd, err)
	return exitCode(ctx, err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "loadgrid",
		Short: "Fill PostGIS with grids",
		Long: `loadgrid fills PostGIS with grids: cells are generated as EWKB in the order of a
Hilbert curve, sent by binary COPY over one stream or several, indexed, analyzed,
and published all at once.

Exit codes:
  0    done
  1    failed, and there is nothing to resume
  2    wrong usage or job: nothing was loaded
  3    another run holds this table
  4    stopped with committed chunks: the same command resumes
  130  stopped by SIGINT, 143 by SIGTERM, 129 by SIGHUP: the same command resumes
       what was committed

Results go to stdout, everything else to stderr.`,
		Example: `  loadgrid load --dsn postgresql://me@localhost/gis --table grid --cell-size 1 --cols 1000 --rows 800
  loadgrid plan --cell-size 1000 --extent 900000,900000,7400000,5500000 --srid 3035
  loadgrid demo`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newLoad(), newPlan(), newJob(), newDump(), newPreview(), newBench(), newDemo(), newRuns(), newMigrate(), newCompletion(), newVersion())
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = usage(knownCommand)
	}
	return group(root)
}

// group makes a command that has subcommands alone refuse anything else.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = usage(cobra.NoArgs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// knownCommand makes help refuse what is no command; cobra's own shows the help
// of the program instead.
func knownCommand(cmd *cobra.Command, args []string) error {
	if _, rest, err := cmd.Root().Find(args); err != nil || len(rest) > 0 {
		return fmt.Errorf("unknown command %q", strings.Join(args, " "))
	}
	return nil
}

// usageError marks a command line that cannot be understood.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// usage makes errors of cobra's checks of arguments usage errors.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// noArgs is for commands that take flags alone. It tells an argument too many,
// often the rest of a list with spaces in it, from a command.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("argument %q is one too many", args[0])}
	}
	return nil
}

// exitCode is the one place where errors become exit codes.
func exitCode(ctx context.Context, err error) int {
	var bySignal signalError
	if errors.As(context.Cause(ctx), &bySignal) {
		return exitSignal + int(bySignal.signal)
	}
	var (
		wrongUsage usageError
		wrongParam *geomgen.ParamError
		noRun      *loader.NoRunError
		noLedger   *loader.NoLedgerError
		wrongState *loader.StateError
		locked     *loader.LockedError
		wrongFile  *jobfile.Errors
		resumable  *loader.ResumableError
	)
	switch {
	case errors.As(err, &resumable):
		return exitResumable
	case errors.As(err, &locked):
		return exitLocked
	case errors.As(err, &wrongUsage), errors.As(err, &wrongParam), errors.As(err, &noRun), errors.As(err, &noLedger), errors.As(err, &wrongState), errors.As(err, &wrongFile):
		return exitUsage
	}
	return exitFailed
}

// report writes the error of cmd in one line: an object where the other lines
// on stderr are objects, too.
func report(w io.Writer, ctx context.Context, cmd *cobra.Command, err error) {
	text := redact(message(ctx, cmd, err))
	var inJob *jobError
	if errors.As(err, &inJob) {
		cmd = inJob.cmd
	}
	if inJSON(cmd) {
		log := slog.New(slog.NewJSONHandler(w, nil)).With("type", "log")
		var run *runError
		if errors.As(err, &run) {
			log = log.With("job", run.job)
			if run.run != 0 {
				log = log.With("run", run.run)
			}
		}
		log.Error(text)
		return
	}
	fmt.Fprintf(w, "loadgrid: %s\n", text)
}

// inJSON tells whether a command writes objects to stderr.
func inJSON(cmd *cobra.Command) bool {
	for _, name := range []string{"progress", "log-format"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Value.String() == "json" {
			return true
		}
	}
	return false
}

// asksForJSON tells the same of a command line that could not be read to its end.
func asksForJSON(args []string) bool {
	for i, arg := range args {
		for _, flag := range []string{"--progress", "--log-format"} {
			if arg == flag+"=json" || arg == flag && i+1 < len(args) && args[i+1] == "json" {
				return true
			}
		}
	}
	return false
}

// message returns what to say of an error of cmd, and where it was one of usage,
// where help is.
func message(ctx context.Context, cmd *cobra.Command, err error) string {
	var bySignal signalError
	var resumable *loader.ResumableError
	var wrongParam *geomgen.ParamError
	var wrongUsage usageError
	var failed *failedJobs
	var inJob *jobError
	switch {
	case errors.As(err, &failed):
		return oneLine(failed.Error())
	case errors.As(err, &inJob):
		return inJob.message(ctx)
	case errors.As(context.Cause(ctx), &bySignal) && errors.As(err, &resumable):
		return fmt.Sprintf("%v: run %d has %d of %d chunks committed, the same command resumes it",
			bySignal, resumable.Run, resumable.Committed, resumable.Chunks)
	case errors.As(context.Cause(ctx), &bySignal):
		return bySignal.Error()
	case errors.As(err, &resumable):
		return oneLine(err.Error())
	case errors.As(err, &wrongParam):
		p := *wrongParam
		if p.Value == "" {
			p.Value = `""`
		}
		return "--" + oneLine(p.Error())
	case errors.As(err, &wrongUsage):
		return fmt.Sprintf("%s: see '%s --help'", oneLine(err.Error()), cmd.CommandPath())
	}
	return oneLine(err.Error())
}
