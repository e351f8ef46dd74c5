package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/picture"
	"github.com/loadgrid/loadgrid/loader"
)

// runPlan says of each job what load would do.
func (f *jobFileFlags) runPlan(cmd *cobra.Command, image string) error {
	set, err := f.open(cmd)
	if err != nil {
		return err
	}

	if cmd.Flags().Changed("picture") {
		if err := picture.CheckName(image); err != nil {
			return err
		}

		if len(set.jobs) > 1 {
			return &geomgen.ParamError{Param: "picture", Value: image,
				Reason: fmt.Sprintf("goes with one job, and there are %d: choose it with --only", len(set.jobs))}
		}
	}

	for i, job := range set.jobs {
		p := set.prepare(job, false)
		if p.err != nil {
			return p.err
		}

		if i > 0 {
			fmt.Fprintln(cmd.OutOrStdout())
		}

		fmt.Fprintf(cmd.OutOrStdout(), "job %s\n", oneLine(p.name()))
		if err := p.plan(image); err != nil {
			return err
		}
	}

	return nil
}

// plan asks for the secrets of the connection only where there is something to ask a
// server.
func (p *preparedJob) plan(image string) error {
	if err := p.fillConnection(); err != nil {
		_, planErr := loader.NewPlan(p.cmd.Context(), p.options.job)
		var needs *loader.NeedsServerError
		if p.options.job.IfExists == loader.Append || errors.As(planErr, &needs) {
			return err
		}
	}

	plan, err := planJob(p.cmd.Context(), p.options.job, p.flags.server.dsn, p.cmd.ErrOrStderr())
	if err != nil {
		return p.locate(err)
	}

	if image != "" {
		if err := drawPlan(plan, image); err != nil {
			return p.locate(err)
		}
	}

	if p.options.job.IfExists == loader.Append {
		return p.locate(printPlanOfAppend(p.cmd.Context(), plan, p.flags.server, p.cmd.OutOrStdout()))
	}
	return printPlan(p.cmd.OutOrStdout(), plan, true)
}
