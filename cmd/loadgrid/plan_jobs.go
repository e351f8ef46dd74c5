package main

import (
	"context"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// runPlanJobs prints what load would do for each job of a file. flags are the values of the command line, command is
// its name for messages, and image is the file for a picture.
func runPlanJobs(ctx context.Context, o jobFileOptions, flags options.Values, command string, image imageOptions, std streams) error {
	set, err := openJobs(ctx, o, flags, command, std.in)
	if err != nil {
		return err
	}

	if image.file != "" && len(set.jobs) > 1 {
		return &geomgen.ParamError{Param: "picture", Value: image.file,
			Reason: fmt.Sprintf("works with one job only, and there are %d: choose one with --only", len(set.jobs))}
	}

	for i, job := range set.jobs {
		p, err := set.prepare(ctx, job, false)
		if err != nil {
			return err
		}

		if i > 0 {
			fmt.Fprintln(std.out)
		}

		fmt.Fprintf(std.out, "job %s\n", oneLine(p.name()))
		if err := p.plan(ctx, image, std); err != nil {
			return err
		}
	}

	return nil
}

// plan plans a job. The secrets of the connection may be missing if the plan needs no server.
func (p *preparedJob) plan(ctx context.Context, image imageOptions, std streams) error {
	if err := awaitErr(ctx, p.fillConnection); err != nil {
		_, needs, _ := plan.Approximate(ctx, p.options.job)
		if p.options.job.IfExists == loader.Append || needs != nil {
			return err
		}
	}

	return p.locate(runPlan(ctx, planOptions{p.options, image, true}, std))
}
