package main

import (
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

// loadFlags are the flags that say what load does. A job file has them as keys.
type loadFlags struct {
	table    string
	exists   existsFlags
	rows     jobFlags
	layout   layoutFlags
	server   serverFlags
	schedule scheduleFlags
	watch    watchFlags
}

func (f *loadFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.table, "table", "", "the table to load, `[SCHEMA.]NAME`")
	f.exists.register(cmd, "what to do with a table that is there: `fail|append|replace`")
	f.exists.registerPublish(cmd)
	f.server.register(cmd)
	f.rows.register(cmd)
	f.layout.register(cmd)
	f.schedule.register(cmd)
	f.watch.register(cmd)
}

// run returns what the flags say.
func (f *loadFlags) run(cmd *cobra.Command) (run loadRun, err error) {
	run = loadRun{server: f.server, watch: f.watch, textfile: f.schedule.textfile}
	name, err := loader.ParseTable(f.table)
	if err != nil {
		return run, err
	}
	if run.job, err = f.rows.job(cmd, name); err != nil {
		return run, err
	}
	run.job.LedgerSchema = f.server.ledger
	if err := f.exists.exists(&run.job); err != nil {
		return run, err
	}
	if err := f.layout.layout(cmd, &run.job); err != nil {
		return run, err
	}
	if err := f.schedule.steps(cmd, &run.job); err != nil {
		return run, err
	}
	return run, f.schedule.options(cmd, &run.options)
}
