package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRunsListCommand() *cobra.Command {
	var (
		server serverFlags
		filter loader.RunFilter
		asJSON bool
		table  string
	)

	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the runs that the ledger knows, the newest first",
		Example: `  loadgrid runs list
  loadgrid runs list --table stats.grid --limit 10
  loadgrid runs list --json --limit 1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkPositive(cmd, "limit"); err != nil {
				return err
			}

			if cmd.Flags().Changed("table") {
				t, err := loader.ParseTable(table)
				if err != nil {
					return err
				}
				filter.Table = t
			}

			return runList(cmd.Context(), server, filter, asJSON, streamsOf(cmd))
		},
	}

	fs := cmd.Flags()
	fs.StringVar(&table, "table", "", "list the runs of this table alone, `[SCHEMA.]NAME`; without a schema, of tables of this name in any")
	fs.Int64Var(&filter.Limit, "limit", 0, "list the newest `number` of runs; left out, all")
	registerJSON(cmd, &asJSON)
	server.register(cmd)

	return cmd
}

func runList(ctx context.Context, server serverFlags, filter loader.RunFilter, asJSON bool, std streams) error {
	var runs []loader.RunInfo
	err := server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		runs, err = loader.NewLedger(pool, server.ledger).Runs(ctx, filter)
		return warnNoLedger(err, std.err)
	})
	if err != nil {
		return err
	}

	if asJSON {
		return printJSON(std.out, append([]loader.RunInfo{}, runs...))
	}
	return printRuns(std.out, runs)
}

func printRuns(w io.Writer, runs []loader.RunInfo) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RUN\tJOB\tTABLE\tSTATE\tROWS\tCHUNKS\tSTARTED\tTOOK\tROWS/S\tRETRIES\tBY\tERROR")
	for _, r := range runs {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			r.ID, oneLine(r.JobName), oneLine(r.Table.String()), r.Status(),
			formatCount(r.Rows), chunksColumn(r), r.StartedAt.Format("2006-01-02 15:04:05"), elapsedColumn(r),
			attemptRate(r), r.Retries(), startedByColumn(r.LastAttempt()), errorCode(r))
	}

	return t.Flush()
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
