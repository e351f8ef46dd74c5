package main

import (
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

func newRunsResumeCommand() *cobra.Command {
	var watch progressFlags
	cmd := newRunCommand("resume", "Resume an unfinished run, as the command that began it would",
		func(cmd *cobra.Command, server serverFlags, id int64) error {
			run, err := findRun(cmd, server, id)
			if err != nil {
				return err
			}
			if run.State != loader.StateLoading {
				return &loader.StateError{ID: id, State: run.Standing(), Only: "resumed"}
			}
			job := run.Job
			job.Table, job.LedgerSchema = run.Table, server.ledger
			return runLoad(cmd, loadOptions{job: job, server: server, progress: watch, run: loader.Options{JobName: run.JobName}})
		})
	watch.register(cmd)
	return cmd
}
