package main

import (
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/loader"
)

// loadFlags are the flags that say what load does. A job file has them as keys.
type loadFlags struct {
	table    string
	exists   existsFlags
	cells    cellFlags
	layout   layoutFlags
	server   serverFlags
	schedule scheduleFlags
	progress progressFlags
}

func (f *loadFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.table, "table", "", "the table to load, `[SCHEMA.]NAME`")
	f.exists.register(cmd, "what to do with a table that is there: `fail|append|replace`")
	f.exists.registerPublish(cmd)
	f.server.register(cmd)
	f.cells.register(cmd)
	f.layout.register(cmd)
	f.schedule.register(cmd)
	f.progress.register(cmd)
}

// options returns what the flags say.
func (f *loadFlags) options(cmd *cobra.Command) (o loadOptions, err error) {
	o = loadOptions{server: f.server, progress: f.progress, textfile: f.schedule.textfile}
	name, err := loader.ParseTable(f.table)
	if err != nil {
		return o, err
	}
	if o.job, err = f.cells.job(cmd, name); err != nil {
		return o, err
	}

	o.job.LedgerSchema = f.server.ledger
	if err := f.exists.apply(&o.job); err != nil {
		return o, err
	}
	if err := f.layout.apply(cmd, &o.job); err != nil {
		return o, err
	}
	if err := f.schedule.applyHooks(cmd, &o.job); err != nil {
		return o, err
	}

	err = f.schedule.applyRun(cmd, &o.run)

	return o, err
}
