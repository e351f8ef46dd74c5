// Command loadgrid fills PostGIS with grids.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := withSignals(context.Background())
	defer stop()
	limitGarbage()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// garbagePercent is how much the heap may grow before a garbage collection, in percent of the memory in use. The
// rows of a load allocate nothing, so a low number costs time only while an area is read and planned.
const garbagePercent = 40

// limitGarbage lowers Go's default for the growth of the heap, 100 percent, unless the environment sets it.
func limitGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}

// run is the whole program, without the process that it runs in.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}

	quoteTyped(cmd, err)
	err = explainArgument(cmd, args, explainCommand(cmd, args, err))

	// The flag that selects JSON may come after an unknown flag.
	asJSON := writesJSON(givenValues(cmd)) || errors.As(err, new(usageError)) && argsAskForJSON(args)
	reportError(stderr, ctx, cmd.CommandPath(), asJSON, err)
	return exitCode(ctx, err)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "loadgrid",
		Short: "Fill PostGIS with grids",
		Long: `loadgrid fills PostGIS tables with grids. It generates the cells as EWKB in the order
of a Hilbert curve, sends them by binary COPY over one or more connections, builds the
indexes, analyzes the table, and publishes everything at once.

Exit codes:
  0    done
  1    failed, with nothing to resume
  2    wrong usage or job; nothing was loaded
  3    another run holds this table
  4    stopped with committed chunks; run the same command to resume
  130  stopped by SIGINT, 143 by SIGTERM, 129 by SIGHUP; if chunks were committed,
       run the same command to resume

Results go to stdout, everything else to stderr. Set NO_COLOR to switch colours off.`,
		Example: `  loadgrid load --dsn postgresql://me@localhost/gis --table grid --cell-size 1 --cols 1000 --rows 800
  loadgrid plan --cell-size 1000 --extent 900000,900000,7400000,5500000 --srid 3035
  loadgrid demo`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkVerbosity(cmd); err != nil {
				return err
			}

			warnPassword(cmd, cmd.ErrOrStderr())
			return nil
		},
		Version: version(),
	}

	root.Flags().Bool("version", false, "print the version")
	root.SetVersionTemplate(versionLine())
	addVerbosity(root)

	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(printUsage)
	root.AddCommand(newLoadCommand(), newPlanCommand(), newJobCommand(), newDumpCommand(), newPreviewCommand(), newBenchCommand(), newDoctorCommand(), newDemoCommand(), newRunsCommand(), newMigrateCommand(), newUninstallCommand(), newCompletionCommand(), newManCommand(), newVersionCommand())
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = checkArgs(knownCommand)
	}

	return withSubcommands(root)
}

// withSubcommands makes a command that only has subcommands refuse other arguments.
func withSubcommands(cmd *cobra.Command) *cobra.Command {
	cmd.Args = checkArgs(cobra.NoArgs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// checkArgs turns the errors of cobra's argument checks into usage errors.
func checkArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// surplusArgument is the error of an argument that a command does not take.
type surplusArgument struct{ arg string }

func (e surplusArgument) Error() string { return fmt.Sprintf("unexpected argument %q", e.arg) }

// explainArgument adds to the error of a surplus argument which flag it was meant for, if args, the
// command line, shows that: a flag that needs no value takes one only after an equals sign, and a
// list has no spaces.
func explainArgument(cmd *cobra.Command, args []string, err error) error {
	var surplus surplusArgument
	if !errors.As(err, &surplus) {
		return err
	}

	for i, arg := range args[:max(len(args)-1, 0)] {
		name, long := strings.CutPrefix(arg, "--")
		flag := cmd.Flags().Lookup(name)
		if args[i+1] != surplus.arg || !long || flag == nil || flag.NoOptDefVal == "" {
			continue
		}

		write := fmt.Sprintf("--%s or --%[1]s=true", name)
		if flag.Value.Type() != "bool" {
			write = fmt.Sprintf("--%s=%s", name, surplus.arg)
		} else if b, err := strconv.ParseBool(surplus.arg); err == nil && !b {
			write = fmt.Sprintf("--%s=false", name)
		}
		return usageError{fmt.Errorf("%w: --%s needs an equals sign before its value: write %s", surplus, name, write)}
	}

	for i, arg := range args[:max(len(args)-2, 0)] {
		if args[i+2] == surplus.arg && strings.HasPrefix(arg, "--") && strings.Trim(args[i+1], "+-.,0123456789") == "" {
			return usageError{fmt.Errorf("%w: write the numbers of %s without spaces, or quote them", surplus, arg)}
		}
	}

	return explainWord(cmd, args, surplus, err)
}

// explainWord explains a surplus word: the rest of a value with spaces, or the name of the table.
func explainWord(cmd *cobra.Command, args []string, surplus surplusArgument, err error) error {
	flags := cmd.Flags()

	for i, arg := range args[:max(len(args)-2, 0)] {
		name, long := strings.CutPrefix(arg, "--")
		if flag := flags.Lookup(name); args[i+2] == surplus.arg && long && flag != nil && flag.NoOptDefVal == "" {
			return usageError{fmt.Errorf("%w: if it belongs to the value of %s, quote the whole value", surplus, arg)}
		}
	}

	if table := flags.Lookup("table"); table != nil && !table.Changed {
		return usageError{fmt.Errorf("%w: if it is the table, write --table %s", surplus, surplus.arg)}
	}

	return err
}

// noArgs is for commands that take only flags. It distinguishes a surplus argument, which is
// often the rest of a list with spaces, from a command.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{surplusArgument{args[0]}}
	}
	return nil
}
