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
		Short: "List the runs that the ledger knows, the newest first",
		Long: `list shows the runs that the ledger knows, the newest first. The states are:
  loading    a process is at work on it
  published  readers see its rows
  stopped    a signal or a time limit ended it
  failed     an error ended it
  killed     it ended without a word: its process was killed, or it lost its server
  kept       other rows took the place of its rows, and --keep has kept them
  replaced   other rows took the place of its rows
  dropped    it was given up
The command that began a stopped, failed or killed run resumes it, as does
'loadgrid runs resume'.`,
		Example: `  loadgrid runs list
  loadgrid runs list --table stats.grid --limit 10
  loadgrid runs list --batch 2026-03-01
  loadgrid runs list --json --limit 1`,
		Args: noArgs,
	}

	table := append(options.Table{
		{Name: "table", Value: options.Parsed(o.parseTable), Help: "list the runs of this table alone, `[SCHEMA.]NAME`; without a schema, of tables of this name in any"},
		{Name: "limit", Value: options.Int(&o.filter.Limit, 1, math.MaxInt32), Help: "list the newest `number` of runs; left out, all"},
		{Name: "batch", Value: options.Text(&o.filter.Batch, "the name is empty"), Help: "list the runs of this `BATCH` alone, which load --share=BATCH has named"},
		{Name: "wide", Value: options.Bool(&o.wide), Help: "show all columns: without, the list takes 100 columns, and leaves out what it has no room for"},
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

// listOptions say which runs are listed, and how.
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
