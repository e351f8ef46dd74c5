package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/textfile"
	"github.com/loadgrid/loadgrid/loader"
)

// scheduleFlags are the flags for loads that a machine starts: when one begins, what
// is done around it, and what is left behind.
type scheduleFlags struct {
	before, after               string
	beforeTimeout, afterTimeout time.Duration
	wait                        time.Duration
	skipUnchanged               bool
	pruneRuns, textfile         string
}

func (f *scheduleFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.before, "before", "", "`SQL` to run first, each statement by itself; {{table}} is the table's quoted name")
	fs.StringVar(&f.after, "after", "", "`SQL` to run in the transaction that publishes: readers see what it does together with the rows, and wait meanwhile")
	fs.DurationVar(&f.beforeTimeout, "before-timeout", loader.DefaultHookTimeout, "`duration` after which a statement of --before is ended")
	fs.DurationVar(&f.afterTimeout, "after-timeout", loader.DefaultHookTimeout, "`duration` after which a statement of --after is ended")
	fs.DurationVar(&f.wait, "wait", 0, "`duration` to wait for another run on the table, such as 30m, in place of exit code 3")
	fs.BoolVar(&f.skipUnchanged, "skip-unchanged", false, "do nothing when the table holds this already, and nobody has touched it since")
	fs.StringVar(&f.pruneRuns, "prune-runs", "", "after publish, take this table's ended runs out of the ledger that are older than `AGE`, such as 90d or 12h")
	fs.StringVar(&f.textfile, "metrics-textfile", "", "write metrics of the run for Prometheus into a `FILE.prom`, as node_exporter's textfile collector reads it; jobs may share it")
}

// applyHooks puts what is done around the load into a job.
func (f *scheduleFlags) applyHooks(cmd *cobra.Command, job *loader.Job) error {
	for name, sql := range map[string]string{"before": f.before, "after": f.after} {
		if cmd.Flags().Changed(name) && sql == "" {
			return &geomgen.ParamError{Param: name, Value: `""`, Reason: "has no statement"}
		}
	}

	job.Before, job.After = f.before, f.after
	for name, timeout := range map[string]struct{ to, from *time.Duration }{
		"before-timeout": {&job.BeforeTimeout, &f.beforeTimeout}, "after-timeout": {&job.AfterTimeout, &f.afterTimeout},
	} {
		if !cmd.Flags().Changed(name) {
			continue
		}

		if *timeout.to = *timeout.from; *timeout.to <= 0 {
			return &geomgen.ParamError{Param: name, Value: timeout.from.String(), Reason: "must be longer than 0"}
		}
	}

	return nil
}

// applyRun puts the rest into the options of a run.
func (f *scheduleFlags) applyRun(cmd *cobra.Command, options *loader.Options) error {
	if f.wait < 0 {
		return &geomgen.ParamError{Param: "wait", Value: f.wait.String(), Reason: "must not be negative"}
	}

	options.Wait, options.SkipUnchanged = f.wait, f.skipUnchanged
	if cmd.Flags().Changed("prune-runs") {
		age, err := parseAge("prune-runs", f.pruneRuns)
		if err != nil {
			return err
		}
		options.PruneRuns = age
	}

	if cmd.Flags().Changed("metrics-textfile") {
		if err := textfile.CheckName(f.textfile); err != nil {
			return &geomgen.ParamError{Param: "metrics-textfile", Value: quoteEmpty(f.textfile), Reason: "must have a name that ends in .prom: node_exporter reads no other"}
		}
	}

	return nil
}
