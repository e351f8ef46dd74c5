package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

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
		list, held := make([]listedRun, len(runs)), holdsOf(holds)
		for i, r := range runs {
			list[i] = listedRun{r, held[r.Table]}
		}
		return printJSON(std.out, list)
	}

	if err := printRuns(std.out, runs); err != nil {
		return err
	}
	return printHolds(std.out, holds)
}

func printRuns(w io.Writer, runs []loader.RunInfo) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RUN\tJOB\tBATCH\tTABLE\tSTATE\tROWS\tCHUNKS\tSTARTED\tTOOK\tROWS/S\tRETRIES\tBY\tERROR")
	for _, r := range runs {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			r.ID, oneLine(r.JobName), batchColumn(r), oneLine(r.Table.String()), r.Status(),
			formatCount(r.Rows), chunksColumn(r), r.StartedAt.Format("2006-01-02 15:04:05"), elapsedColumn(r),
			attemptRate(r), r.Retries(), startedByColumn(r.LastAttempt()), errorCode(r))
	}

	return t.Flush()
}

func batchColumn(r loader.RunInfo) string {
	if r.Batch == "" {
		return "-"
	}
	return oneLine(r.Batch)
}

func attemptRate(r loader.RunInfo) string {
	if rate := r.LastAttempt().RowsPerSecond; rate > 0 {
		return formatCount(int64(rate))
	}
	return "-"
}

func startedByColumn(a loader.Attempt) string {
	if who := a.StartedBy(); who != "" {
		return oneLine(who)
	}
	return "-"
}

// errorCode is the code of the last error of a run, or a word for it.
func errorCode(r loader.RunInfo) string {
	switch a := r.LastAttempt(); {
	case a.SQLState != "":
		return a.SQLState
	case a.Error != "", r.LastError != "":
		return "see show"
	}

	return "-"
}

func chunksColumn(r loader.RunInfo) string {
	if r.State == loader.StateDropped {
		return fmt.Sprint(r.Chunks)
	}
	return fmt.Sprintf("%d/%d", r.Committed, r.Chunks)
}

func elapsedColumn(r loader.RunInfo) string {
	if took, known := r.Took(); known {
		return formatDuration(took)
	}
	return "-"
}
