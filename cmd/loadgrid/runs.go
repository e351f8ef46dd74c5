package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRuns() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List, show, resume, drop, roll back and prune runs",
		Example: `  loadgrid runs list
  loadgrid runs show 3
  loadgrid runs show 3 --json
  loadgrid runs resume 3
  loadgrid runs drop 3
  loadgrid runs rollback 2
  loadgrid runs prune --older-than 90d`,
	}
	cmd.AddCommand(newRunsList(), newRunsShow(), newRunsResume(), newRunsDrop(), newRunsRollback(), newRunsPrune())
	return group(cmd)
}

// newRunsOf makes a subcommand that takes the number of a run.
func newRunsOf(name, short string, do func(cmd *cobra.Command, server serverFlags, id int64) error) *cobra.Command {
	var server serverFlags
	cmd := &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: "  loadgrid runs " + name + " 3",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := runID(args[0])
			if err != nil {
				return err
			}
			return do(cmd, server, id)
		},
	}
	server.register(cmd)
	return cmd
}

func newRunsResume() *cobra.Command {
	var watch watchFlags
	cmd := newRunsOf("resume", "Resume an unfinished run, as the command that began it would",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			run, err := findRun(cmd, server, id)
			if err != nil {
				return err
			}
			if run.State != loader.StateLoading {
				return &loader.StateError{ID: id, State: run.Status(), Only: "resumed"}
			}
			job := run.Job
			job.Table, job.LedgerSchema = run.Table, server.ledger
			return runLoad(cmd, loadRun{job: job, server: server, watch: watch, options: loader.Options{JobName: run.JobName}})
		})
	watch.register(cmd)
	return cmd
}

func findRun(cmd *cobra.Command, server serverFlags, id int64) (run loader.RunInfo, err error) {
	err = server.with(cmd, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		run, err = loader.FindRun(ctx, pool, server.ledger, id)
		return err
	})
	return run, err
}

func newRunsDrop() *cobra.Command {
	return newRunsOf("drop", "Remove what an unfinished run has loaded, or the version of a table that is kept of a run",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			err := server.with(cmd, func(ctx context.Context, pool *pgxpool.Pool) error {
				return loader.DropRun(ctx, pool, server.ledger, id)
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "run %d is dropped\n", id)
			return err
		})
}

func newRunsRollback() *cobra.Command {
	return newRunsOf("rollback", "Give a table the rows of an earlier run again, which --keep has kept",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			var done loader.Rollback
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			err := server.with(cmd, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
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

func newRunsPrune() *cobra.Command {
	var (
		server serverFlags
		age    string
	)
	cmd := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "Take ended runs out of the ledger that are older than an age",
		Long: `prune takes out of the ledger what it knows of runs that ended longer ago than --older-than:
those that were dropped, whose rows others have replaced, whose table is gone, or that
found all their cells there and added none, but for the last of each job. Runs that are
unfinished, and those whose rows a table shows or keeps, stay. No table is touched. 'load --prune-runs AGE' does the same for its table, after publish.`,
		Example: "  loadgrid runs prune --older-than 90d",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("older-than") {
				return usageError{errors.New("--older-than is required, such as 90d")}
			}
			limit, err := parseAge("older-than", age)
			if err != nil {
				return err
			}
			return server.with(cmd, func(ctx context.Context, pool *pgxpool.Pool) error {
				n, err := loader.PruneRuns(ctx, pool, server.ledger, limit)
				if err := tellNoLedger(cmd, err); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s removed from the ledger\n", plural(int(n), "run"))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&age, "older-than", "", "`AGE` such as 90d, 2w or 12h")
	server.register(cmd)
	return cmd
}

func runID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id < 1 {
		return 0, usageError{fmt.Errorf("%q is no number of a run", s)}
	}
	return id, nil
}
