package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRunsRollbackCommand() *cobra.Command {
	return newRunCommand("rollback", "Give a table the rows of an earlier run again, which --keep has kept",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			var done loader.Rollback
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			err := server.withPool(cmd, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
				done, err = loader.RollbackRun(ctx, pool, server.ledger, id, log)
				return err
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "table %s has the rows of run %d again\n", done.Table, done.Version)
			if err == nil && done.KeptVersion != 0 {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "those of run %d are kept as %s\n", done.KeptVersion, done.Kept)
			}
			return err
		})
}
