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
	return newRunCommand("rollback", "Give a table the rows of an earlier run again, which --keep has kept", nil, runRollback)
}

func runRollback(ctx context.Context, o runOptions, std streams) error {
	log := slog.New(newTextHandler(std.err, std.verbosity))

	var done loader.Rollback
	err := o.server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		done, err = o.server.ledgerOn(pool).Rollback(ctx, o.id, log)
		return err
	})
	if err != nil {
		return err
	}

	_, err = fmt.Fprintf(std.report, "table %s has the rows of run %d again\n", done.Table, done.Version)
	if err == nil && done.KeptVersion != 0 {
		_, err = fmt.Fprintf(std.report, "those of run %d are kept as %s\n", done.KeptVersion, done.Kept)
	}
	return err
}
