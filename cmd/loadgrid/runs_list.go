package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

func newRunsListCommand() *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the runs in the ledger, newest first",
		Long: `list shows the runs in the ledger, newest first. A run has one of these states:

  loading    a process is working on it
  published  readers see its rows
  stopped    a signal or a time limit ended it
  failed     an error ended it
  killed     it recorded no end: its process was killed, or it lost the server
  kept       newer rows replaced its rows, which --keep has kept
  replaced   newer rows replaced its rows
  dropped    it was given up

To resume a stopped, failed or killed run, run the command that started it again, or use
'loadgrid runs resume'.`,
		Example: `  loadgrid runs list
  loadgrid runs list --table stats.grid --limit 10
  loadgrid runs list --batch 2026-03-01
  loadgrid runs list --json --limit 1`,
		Args: noArgs,
	}

	table := append(options.Table{
		{Name: "table", Value: options.Parsed(o.parseTable), Help: "list only runs of this table, as `[SCHEMA.]NAME`; without a schema, of tables with this name in any schema"},
		{Name: "limit", Value: options.Int(&o.filter.Limit, 1, math.MaxInt32), Help: "list at most this `number` of runs, the newest ones; defaults to all"},
		{Name: "batch", Value: options.Text(&o.filter.Batch, "the name is empty"), Help: "list only runs of this `BATCH`, as named by load --share=BATCH"},
		{Name: "wide", Value: options.Bool(&o.wide), Help: "show all columns; by default, the list leaves out those that do not fit in 100 characters"},
		jsonOption(&o.json),
	}, o.server.Table()...)
	addFlags(cmd, table)

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := table.Apply(givenValues(cmd)); err != nil {
			return err
		}
		return runList(cmd.Context(), o, streamsOf(cmd))
	}

	return cmd
}

// listOptions select the runs to list, and the format.
type listOptions struct {
	server serverOptions
	filter loader.RunFilter
	wide   bool
	json   bool
}

func (o *listOptions) parseTable(text string) (err error) {
	o.filter.Table, err = loader.ParseTable(text)
	return err
}

func runList(ctx context.Context, o listOptions, std streams) error {
	var runs []loader.RunInfo
	var holds []loader.Hold
	err := o.server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		ledger := o.server.ledgerOn(pool)
		if runs, err = ledger.Runs(ctx, o.filter); err != nil {
			return warnNoLedger(err, std.err)
		}

		holds, err = ledger.Holds(ctx, o.filter.Table)
		return err
	})
	if err != nil {
		return err
	}

	if o.json {
		return printJSON(std.out, withStatus(holds, runs...))
	}

	leftOut, err := printRuns(std.out, runs, o.wide)
	if err == nil && len(leftOut) > 0 {
		_, err = fmt.Fprintf(std.err, "--wide also shows %s\n", strings.Join(leftOut, ", "))
	}

	if err != nil {
		return err
	}

	return printHolds(std.out, holds)
}
