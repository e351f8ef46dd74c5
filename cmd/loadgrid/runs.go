package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

func newRunsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List, show, resume, drop, roll back and prune runs, and put tables on hold",
		Long: `A run is one load of a table, with all its attempts. The ledger in the database records
each run. These commands show the runs, finish or give up those that did not end, and
manage the kept versions of tables. 'loadgrid runs list' prints the number of each run,
which the other commands take as ID.`,
		Example: `  loadgrid runs list
  loadgrid runs show 3
  loadgrid runs show 3 --json
  loadgrid runs resume 3
  loadgrid runs drop 3
  loadgrid runs rollback 2
  loadgrid runs hold stats.grid --reason 'the source has half of its rows'
  loadgrid runs release stats.grid
  loadgrid runs prune --older-than 90d`,
	}

	cmd.AddCommand(newRunsListCommand(), newRunsShowCommand(), newRunsResumeCommand(), newRunsDropCommand(), newRunsRollbackCommand(),
		newRunsHoldCommand(), newRunsReleaseCommand(), newRunsPruneCommand())
	return withSubcommands(cmd)
}

// runOptions select the run of a subcommand, and the ledger.
type runOptions struct {
	server serverOptions
	id     int64
}

// newRunCommand makes a subcommand that takes the number of a run and its own options.
func newRunCommand(name, short string, own options.Table, do func(context.Context, runOptions, streams) error) *cobra.Command {
	var o runOptions
	table := append(own, o.server.Table()...)
	cmd := &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: "  loadgrid runs " + name + " 3",
		Args:    oneArg("the number of a run, which 'loadgrid runs list' shows"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := table.Apply(givenValues(cmd)); err != nil {
				return err
			}
			if o.id, err = runID(args[0]); err != nil {
				return err
			}
			return do(cmd.Context(), o, streamsOf(cmd))
		},
	}

	addFlags(cmd, table)
	return cmd
}

// oneArg is for commands that take one argument, and describes it if it is missing.
func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return usageError{fmt.Errorf("an argument is missing: %s", what)}
		case 1:
			return nil
		}
		return usageError{fmt.Errorf("unexpected argument %q: the command takes only one: %s", args[1], what)}
	}
}

func runID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id < 1 {
		return 0, usageError{fmt.Errorf("%q is not the number of a run: 'loadgrid runs list' shows the numbers", s)}
	}
	return id, nil
}

// warnNoLedger turns the absence of a ledger into a warning: before the first load there is
// none, but a schedule may already query it.
func warnNoLedger(err error, stderr io.Writer) error {
	var none *loader.NoLedgerError
	if !errors.As(err, &none) {
		return err
	}

	_, err = fmt.Fprintln(stderr, "loadgrid:", noLedgerMessage(none))
	return err
}

// jsonOption makes a command write JSON.
func jsonOption(to *bool) options.Option {
	return options.Option{Name: "json", Value: options.Bool(to),
		Help: "write JSON with everything in the ledger: stages, rates, retries, errors with SQLSTATE, and who ran it from where"}
}

// statedRun is a run for JSON, with its status and the hold on its table.
type statedRun struct {
	loader.RunInfo
	Status string       `json:"status"`
	Hold   *loader.Hold `json:"on_hold,omitempty"`
}

func withStatus(holds []loader.Hold, runs ...loader.RunInfo) []statedRun {
	list, held := make([]statedRun, len(runs)), holdsOf(holds) // not nil, so that JSON has a list even without runs
	for i, r := range runs {
		list[i] = statedRun{r, r.Status(), held[r.Table]}
	}

	return list
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
