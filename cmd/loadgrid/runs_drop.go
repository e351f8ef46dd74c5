package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
)

func newRunsDropCommand() *cobra.Command {
	return newRunCommand("drop", "Remove the rows of an unfinished run, or the table version that was kept from a run", nil, runDrop)
}

func runDrop(ctx context.Context, o runOptions, std streams) error {
	log := slog.New(newTextHandler(std.err, std.verbosity))

	err := o.server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) error {
		return o.server.ledgerOn(pool).Drop(ctx, o.id, log)
	})
	if err != nil {
		return err
	}

	_, err = fmt.Fprintf(std.report, "dropped run %d\n", o.id)
	return err
}
