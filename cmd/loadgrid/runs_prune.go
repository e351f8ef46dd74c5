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
		Short: "Remove old, ended runs from the ledger",
		Long: `prune removes runs from the ledger that ended longer ago than --older-than. It removes a
run if it was dropped, if newer rows replaced its rows, if its table no longer exists, or
if it added no rows because the table already held them.

It keeps the last run of each job, unfinished runs, and runs whose rows are in a table or
a kept version. It changes no table. 'load --prune-runs AGE' does the same for its own
table after it publishes.`,
		Example: "  loadgrid runs prune --older-than 90d",
		Args:    noArgs,
	}

	table := append(options.Table{{Name: "older-than", Value: options.Age(&olderThan), Help: "minimum `AGE`, such as 90d, 2w or 12h (required)"}}, server.Table()...)
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

		_, err = fmt.Fprintf(std.report, "removed %s from the ledger\n", plural(int(n), "run"))
		return err
	})
}
