package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRunsResumeCommand() *cobra.Command {
	var progress progressOptions
	cmd := newRunCommand("resume", "Resume an unfinished run, as its original command would", progress.Table(),
		func(ctx context.Context, o runOptions, std streams) error {
			return runResume(ctx, o, progress, std)
		})
	cmd.Long = `resume continues a run that was stopped, failed or was killed. It reads the job from the
ledger, so you do not repeat the options of the load. It copies only the chunks or
partitions that are missing, and then publishes the table.`

	return cmd
}

func runResume(ctx context.Context, o runOptions, progress progressOptions, std streams) error {
	var run loader.RunInfo
	err := o.server.withPool(ctx, func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		run, err = o.server.ledgerOn(pool).RunToResume(ctx, o.id)
		return err
	})
	if err != nil {
		return err
	}

	job, err := run.JobToResume(o.server.ledger())
	if err != nil {
		return err
	}
	job.LedgerOwner = o.server.LedgerOwner

	return runLoad(ctx, loadOptions{
		job:      job,
		run:      loader.Options{JobName: run.JobName},
		server:   o.server,
		progress: progress,
	}, std)
}
