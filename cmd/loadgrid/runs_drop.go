package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRunsDropCommand() *cobra.Command {
	return newRunCommand("drop", "Remove what an unfinished run has loaded, or the version of a table that is kept of a run",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			err := server.withPool(cmd, func(ctx context.Context, pool *pgxpool.Pool) error {
				return loader.DropRun(ctx, pool, server.ledger, id)
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "run %d is dropped\n", id)
			return err
		})
}
