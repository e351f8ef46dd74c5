package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRunsRollbackCommand() *cobra.Command {
	cmd := newRunCommand("rollback", "Restore the rows of an earlier run that --keep has kept", nil, runRollback)
	cmd.Long = `rollback restores the rows of an earlier run that --keep has kept, and keeps the current
rows as a version. It copies nothing.

The next load replaces the table again. So first stop the schedule or fix the source, or
put the table on hold with 'loadgrid runs hold TABLE'.`

	return cmd
}

func runRollback(ctx context.Context, o runOptions, std streams) error {
	log := slog.New(newTextHandler(std.err, std.verbosity))

	var done loader.Rollback
	var holds []loader.Hold
	err := o.server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		ledger := o.server.ledgerOn(pool)
		if done, err = ledger.Rollback(ctx, o.id, log); err == nil {
			holds, _ = ledger.Holds(ctx, done.Table) // the rollback is done, even if the holds cannot be read
		}
		return err
	})
	var state *loader.StateError
	if errors.As(err, &state) {
		return fmt.Errorf("%w: 'loadgrid runs list' shows the runs whose state is kept", err)
	}
	if err != nil {
		return err
	}

	_, err = fmt.Fprintf(std.report, "table %s has the rows of run %d again\n", done.Table, done.Version)
	if err == nil && done.KeptVersion != 0 {
		_, err = fmt.Fprintf(std.report, "the rows of run %d are kept as %s\n", done.KeptVersion, done.Kept)
	}
	if err == nil && len(holds) == 0 {
		_, err = fmt.Fprintf(std.out, "the next load will replace the table again: first stop the schedule or fix the source, or run %s\n",
			tableCommand("hold", o.server, done.Table))
	}
	return err
}
