package main

import (
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// existsFlags are the flags that say what becomes of a table that is there.
type existsFlags struct {
	ifExists, onConflict, publish string

	keep int
}

// register registers what load and plan share; usage is that of --if-exists.
func (f *existsFlags) register(cmd *cobra.Command, usage string) {
	f.publish = string(loader.PublishSwap)
	fs := cmd.Flags()
	fs.StringVar(&f.ifExists, "if-exists", "fail", usage)
	fs.StringVar(&f.onConflict, "on-conflict", "error",
		"what becomes of cells to append that the table holds already, `error|skip`: with skip they stay as they are, coverage included")
}

// registerPublish registers what load alone has.
func (f *existsFlags) registerPublish(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.publish, "publish", "swap",
		"how a table that is replaced gets the new rows, `swap|truncate`: truncate fills the table that is there, so that views on it stay, and readers wait meanwhile")
	fs.IntVar(&f.keep, "keep", 0, "`number` of previous versions to keep of a table that is replaced, as TABLE_runN; older ones are dropped")
}

// apply puts the flags into a job. The library takes no choice for the default; on
// a command line it is a variable that was not set.
func (f *existsFlags) apply(job *loader.Job) error {
	for _, flag := range []struct{ name, value, must string }{
		{"if-exists", f.ifExists, "must be fail, append or replace"},
		{"on-conflict", f.onConflict, "must be error or skip"},
		{"publish", f.publish, "must be swap or truncate"},
	} {
		if flag.value == "" {
			return &geomgen.ParamError{Param: flag.name, Value: `""`, Reason: flag.must}
		}
	}

	job.IfExists, job.OnConflict = loader.IfExists(f.ifExists), loader.OnConflict(f.onConflict)
	job.Publish, job.Keep = loader.Publish(f.publish), f.keep
	return nil
}
