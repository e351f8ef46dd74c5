package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/options"
)

func newRunsPruneCommand() *cobra.Command {
	var (
		server    serverOptions
		olderThan time.Duration
	)
	cmd := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "Take ended runs out of the ledger that are older than an age",
		Long: `prune takes out of the ledger what it knows of runs that ended longer ago than --older-than:
those that were dropped, whose rows others have replaced, whose table is gone, or that
found all their cells there and added none. The last run of each job stays, and so do runs
that are unfinished, or whose rows a table shows or keeps. No table is touched. 'load --prune-runs AGE' does the same for its table, after publish.`,
		Example: "  loadgrid runs prune --older-than 90d",
		Args:    noArgs,
	}

	table := append(options.Table{{Name: "older-than", Value: options.Age(&olderThan), Help: "`AGE` such as 90d, 2w or 12h"}}, server.Table()...)
	addFlags(cmd, table)

	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		values := givenValues(cmd)
		if !values.Has("older-than") {
			return usageError{errors.New("--older-than is required, such as 90d")}
		}

		if err := table.Apply(values); err != nil {
			return err
		}
		return runPrune(cmd.Context(), server, olderThan, streamsOf(cmd))
	}

	return cmd
}

func runPrune(ctx context.Context, server serverOptions, olderThan time.Duration, std streams) error {
	return server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) error {
		n, err := server.ledgerOn(pool).Prune(ctx, olderThan)
		if err := warnNoLedger(err, std.err); err != nil {
			return err
		}

		_, err = fmt.Fprintf(std.report, "%s removed from the ledger\n", plural(int(n), "run"))
		return err
	})
}
