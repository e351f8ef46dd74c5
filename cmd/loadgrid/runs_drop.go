package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
)

func newRunsDropCommand() *cobra.Command {
	cmd := newRunCommand("drop", "Remove the rows of an unfinished run, or the table version that was kept from a run", nil, runDrop)
	cmd.Long = `drop gives up an unfinished run and removes the rows that it has committed. For a run that
has ended, it removes the version of the table that --keep has kept from it. It never
changes the rows that readers of the table see, and refuses a run that is still alive.`

	return cmd
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
