package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/internal/options"
)

// runLoadJobs runs the jobs of a file, one after the other. flags are the values of the command line,
// and command is its name for messages.
func runLoadJobs(ctx context.Context, o jobFileOptions, flags options.Values, command string, std streams) error {
	set, err := openJobs(ctx, o, flags, command, std.in)
	if err != nil {
		return err
	}
	if err := set.check(ctx, true); err != nil {
		return err
	}

	if o.share.on {
		return runSharedJobs(ctx, o, set, std)
	}

	failed := &failedJobs{of: len(set.jobs)}
	for i := range set.jobs {
		p, err := set.runJob(ctx, i, std)
		if err == nil {
			continue
		}

		if !o.keepGoing || ctx.Err() != nil {
			p.reportRest(std.err, set.jobs[i+1:])
			return err
		}

		if len(set.jobs) == 1 {
			return err
		}

		if failed.names = append(failed.names, p.name()); failed.first == nil {
			failed.first = err
		}
		reportError(std.failures, ctx, command, writesJSON(p.values), err)
	}

	if failed.first != nil {
		return failed
	}
	return nil
}

// runJob runs the i-th job.
func (s *jobSet) runJob(ctx context.Context, i int, std streams) (*preparedJob, error) {
	p, err := s.prepare(ctx, s.jobs[i], true)
	if err != nil {
		return p, err
	}

	if len(s.jobs) > 1 {
		p.reportProgress(std.err, "job %s starts (%d of %d)", p.name(), i+1, len(s.jobs))
	}
	return p, p.locate(runLoad(ctx, p.options, std))
}

// reportRest names the jobs that were not done.
func (p *preparedJob) reportRest(stderr io.Writer, rest []*jobfile.Job) {
	if len(rest) == 0 {
		return
	}

	names := make([]string, len(rest))
	for i, job := range rest {
		names[i] = job.DisplayName()
	}
	p.reportProgress(stderr, "not done: %s", strings.Join(names, ", "))
}

// reportProgress writes a line on the progress of the jobs, in the format of the job's log.
func (p *preparedJob) reportProgress(stderr io.Writer, format string, args ...any) {
	text := oneLine(fmt.Sprintf(format, args...))
	if writesJSON(p.values) {
		slog.New(slog.NewJSONHandler(stderr, nil)).With("type", "log").Info(text, "job", p.name())
		return
	}

	fmt.Fprintln(stderr, text)
}

// failedJobs is the error of several jobs if some of them failed while the others continued.
type failedJobs struct {
	first error // already reported, like the others
	names []string
	of    int
}

func (e *failedJobs) Error() string {
	return fmt.Sprintf("%d of %d jobs failed: %s", len(e.names), e.of, strings.Join(e.names, ", "))
}

func (e *failedJobs) Unwrap() error { return e.first }
