package main

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
)

// runLoad does the jobs, one after the other.
func (f *jobFileFlags) runLoad(cmd *cobra.Command) error {
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
				p.reportProgress("job %s begins, %d of %d", p.name(), i+1, len(set.jobs))
			}
			err = p.locate(runLoad(p.cmd.Context(), p.options, streamsOf(p.cmd)))
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
				p.reportProgress("not done: %s", strings.Join(names, ", "))
			}

			return err
		}

		if failed.names = append(failed.names, p.name()); failed.first == nil {
			failed.first = err
		}

		if len(set.jobs) == 1 {
			return err
		}

		reportError(cmd.ErrOrStderr(), cmd.Context(), cmd, err)
	}

	if failed.first != nil {
		return failed
	}
	return nil
}

// reportProgress writes how far the jobs are, in the form that the job's log has.
func (p *preparedJob) reportProgress(format string, args ...any) {
	w, text := p.cmd.ErrOrStderr(), oneLine(fmt.Sprintf(format, args...))
	if writesJSON(p.cmd) {
		slog.New(slog.NewJSONHandler(w, nil)).With("type", "log").Info(text, "job", p.name())
		return
	}

	fmt.Fprintln(w, text)
}

// failedJobs is what jobs that were to go on when one fails end with.
type failedJobs struct {
	first error // reported already, as the others are
	names []string
	of    int
}

func (e *failedJobs) Error() string {
	return fmt.Sprintf("%d of %d jobs failed: %s", len(e.names), e.of, strings.Join(e.names, ", "))
}

func (e *failedJobs) Unwrap() error { return e.first }
