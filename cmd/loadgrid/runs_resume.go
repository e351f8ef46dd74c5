package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRunsResumeCommand() *cobra.Command {
	var progress progressFlags
	cmd := newRunCommand("resume", "Resume an unfinished run, as the command that began it would",
		func(ctx context.Context, options runOptions, std streams) error {
			return runResume(ctx, options, progress, std)
		})

	progress.register(cmd)
	return cmd
}

func runResume(ctx context.Context, options runOptions, progress progressFlags, std streams) error {
	run, err := findRun(ctx, options)
	if err != nil {
		return err
	}

	job, err := jobToResume(run, options.server.ledger)
	if err != nil {
		return err
	}

	return runLoad(ctx, loadOptions{
		job:      job,
		run:      loader.Options{JobName: run.JobName},
		server:   options.server,
		progress: progress,
	}, std)
}

// jobToResume returns the job that goes on with an unfinished run. The table is the one
// that the run has found, with its schema, and the ledger the one that was asked,
// whatever the job says that the ledger holds.
func jobToResume(run loader.RunInfo, ledgerSchema string) (loader.Job, error) {
	if run.State != loader.StateLoading {
		return loader.Job{}, &loader.StateError{ID: run.ID, State: run.Status(), Only: "resumed"}
	}

	job := run.Job
	job.Table, job.LedgerSchema = run.Table, ledgerSchema
	return job, nil
}
