package main

import (
	"context"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// runPlanJobs says of each job of a file what load would do. flags are what the command
// line gives, command is what people call it, and image is where a picture goes.
func runPlanJobs(ctx context.Context, o jobFileOptions, flags options.Values, command string, image imageOptions, std streams) error {
	set, err := openJobs(ctx, o, flags, command, std.in)
	if err != nil {
		return err
	}

	if image.file != "" && len(set.jobs) > 1 {
		return &geomgen.ParamError{Param: "picture", Value: image.file,
			Reason: fmt.Sprintf("goes with one job, and there are %d: choose it with --only", len(set.jobs))}
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

// plan asks for the secrets of the connection only where there is something to ask a
// server.
func (p *preparedJob) plan(ctx context.Context, image imageOptions, std streams) error {
	if err := awaitErr(ctx, p.fillConnection); err != nil {
		_, needs, _ := plan.Approximate(ctx, p.options.job)
		if p.options.job.IfExists == loader.Append || needs != nil {
			return err
		}
	}

	return p.locate(runPlan(ctx, planOptions{p.options, image, true}, std))
}
