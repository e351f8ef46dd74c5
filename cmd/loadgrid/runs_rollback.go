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
	cmd := newRunCommand("rollback", "Give a table the rows of an earlier run again, which --keep has kept", nil, runRollback)
	cmd.Long = `rollback gives a table the rows of an earlier run again, which --keep has kept, and keeps
the present rows instead. Nothing is copied. Stop the schedule or mend the source first:
the next load replaces the table again. 'loadgrid runs hold TABLE' keeps loads off it.`

	return cmd
}

func runRollback(ctx context.Context, o runOptions, std streams) error {
	log := slog.New(newTextHandler(std.err, std.verbosity))

	var done loader.Rollback
	var holds []loader.Hold
	err := o.server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		ledger := o.server.ledgerOn(pool)
		if done, err = ledger.Rollback(ctx, o.id, log); err == nil {
			holds, _ = ledger.Holds(ctx, done.Table) // the rollback is done, whatever is known of these
		}
		return err
	})
	if err != nil {
		return err
	}

	_, err = fmt.Fprintf(std.report, "table %s has the rows of run %d again\n", done.Table, done.Version)
	if err == nil && done.KeptVersion != 0 {
		_, err = fmt.Fprintf(std.report, "those of run %d are kept as %s\n", done.KeptVersion, done.Kept)
	}
	if err == nil && len(holds) == 0 {
		_, err = fmt.Fprintf(std.out, "the next load replaces the table again: stop the schedule or mend the source first, or run %s\n",
			tableCommand("hold", o.server, done.Table))
	}
	return err
}
