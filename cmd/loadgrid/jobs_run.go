package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/picture"
	"github.com/loadgrid/loadgrid/loader"
)

// load does the jobs, one after the other.
func (f *jobsFlags) load(cmd *cobra.Command) error {
	set, err := f.open(cmd)
	if err != nil {
		return err
	}
	if err := set.check(cmd.Context(), true); err != nil {
		return err
	}
	failed := &failedJobs{of: len(set.jobs)}
	for i, job := range set.jobs {
		p := set.prepare(job, true)
		err := p.err
		if err == nil {
			if len(set.jobs) > 1 {
				p.note("job %s begins, %d of %d", p.name(), i+1, len(set.jobs))
			}
			err = p.wrap(runLoad(p.cmd, p.run))
		}
		if err == nil {
			continue
		}
		if !f.keepGoing || cmd.Context().Err() != nil {
			if rest := set.jobs[i+1:]; len(rest) > 0 {
				names := make([]string, len(rest))
				for i, job := range rest {
					names[i] = job.DisplayName()
				}
				p.note("not done: %s", strings.Join(names, ", "))
			}
			return err
		}
		if failed.names = append(failed.names, p.name()); failed.first == nil {
			failed.first = err
		}
		if len(set.jobs) == 1 {
			return err
		}
		report(cmd.ErrOrStderr(), cmd.Context(), cmd, err)
	}
	if failed.first != nil {
		return failed
	}
	return nil
}

// note tells people how far the jobs are, in the form that the job's log has.
func (p *prepared) note(format string, args ...any) {
	w, text := p.cmd.ErrOrStderr(), oneLine(fmt.Sprintf(format, args...))
	if inJSON(p.cmd) {
		slog.New(slog.NewJSONHandler(w, nil)).With("type", "log").Info(text, "job", p.name())
		return
	}
	fmt.Fprintln(w, text)
}

// plan says of each job what load would do.
func (f *jobsFlags) plan(cmd *cobra.Command, image string) error {
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
func (p *prepared) plan(image string) error {
	if err := p.connection(); err != nil {
		_, planErr := loader.NewPlan(p.cmd.Context(), p.run.job)
		var needs *loader.NeedsServerError
		if p.run.job.IfExists == loader.Append || errors.As(planErr, &needs) {
			return err
		}
	}
	plan, err := planJob(p.cmd, p.run.job, p.flags.server.dsn)
	if err != nil {
		return p.wrap(err)
	}
	if image != "" {
		if err := drawPlan(plan, image); err != nil {
			return p.wrap(err)
		}
	}
	if p.run.job.IfExists == loader.Append {
		return p.wrap(planAppend(p.cmd, p.flags.server, plan))
	}
	return printPlan(p.cmd.OutOrStdout(), plan, true)
}
