package main

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"

	"github.com/loadgrid/loadgrid/internal/attempts"
	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/internal/jobqueue"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

// shareOptions hold whether several processes share the jobs of a file.
type shareOptions struct {
	on    bool
	batch string
}

// noBatch is the value of --share without a batch.
const noBatch = "-"

// option is --share.
func (o *shareOptions) option(needsFile []options.Condition) options.Option {
	return options.Option{Name: "share", Group: "Job file", In: options.Flag, With: needsFile,
		Value: options.Optional(o.set, noBatch),
		Help: "share the jobs of --job with other processes that run the same file. Each job is done once per `BATCH`, such as the run ID of your scheduler. " +
			"Without a BATCH, or with -, a job is done if any process has published it since this one started"}
}

func (o *shareOptions) set(text string) error {
	o.on = true
	if text == noBatch {
		return nil
	}

	o.batch = text
	if text == "" || len(text) > 200 || strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("must have 1 to 200 bytes of printable text; leave out the equals sign for no batch")
	}

	return nil
}

// sharedRun runs the jobs of a file together with other processes.
type sharedRun struct {
	set     *jobSet
	options jobFileOptions
	std     streams
	began   time.Time
	jobs    []sharedJob
	servers []*sharedServer
	stop    error // of the job that was running when the process was stopped
}

// sharedJob is a job with the knowledge of this process about it.
type sharedJob struct {
	prepared *preparedJob // without its area, which may be large
	key      string
	server   *sharedServer
	by       *loader.SharedBy // who has done it
	summary  loader.Summary   // set if this process has done it
	err      error            // why it is not done
	held     error            // who held it when this process last looked
	hold     *loader.Hold     // set if its table is on hold
}

// runSharedJobs runs the jobs of a file that no other process runs.
func runSharedJobs(ctx context.Context, o jobFileOptions, set *jobSet, std streams) error {
	c := &sharedRun{set: set, options: o, std: std, began: time.Now()}
	defer c.close()
	if err := c.prepare(ctx); err != nil {
		return err
	}

	q := jobqueue.Queue{Look: c.look, Do: c.do, Pause: pause, Waiting: c.reportWaiting,
		Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	for _, j := range c.jobs {
		q.Waits = append(q.Waits, j.wait())
	}

	results, err := q.Run(ctx)

	return c.report(results, err)
}

// prepare determines the key and the server of each job.
func (c *sharedRun) prepare(ctx context.Context) error {
	for _, job := range c.set.jobs {
		p, err := c.set.prepare(ctx, job, true)
		if err != nil {
			return err
		}

		server, err := c.serverOf(p)
		if err != nil {
			return err
		}

		c.jobs = append(c.jobs, sharedJob{prepared: p, key: attempts.Key(p.name(), p.options.job), server: server})
		p.options.job.Area = nil
	}

	return nil
}

// wait is how long the process waits for others when they hold all remaining jobs. Without --wait there is no limit.
func (j *sharedJob) wait() time.Duration {
	if !j.prepared.values.Has("wait") {
		return -1
	}
	return j.prepared.options.run.Wait
}

// do runs a job, unless other processes have done it or hold it.
func (c *sharedRun) do(ctx context.Context, i int) jobqueue.Result {
	j := &c.jobs[i]
	p, err := c.set.prepare(ctx, c.set.jobs[i], true)
	if err != nil {
		return c.failed(ctx, j, err)
	}

	p.reportProgress(c.std.err, "job %s starts (%d of %d)", p.name(), i+1, len(c.jobs))
	p.options.run.Shared = &loader.Shared{Batch: c.options.share.batch, Job: j.key, Began: c.began, Again: c.options.only != nil,
		ExitCode: func(err error) int { return exitCode(context.Background(), err) }}
	summary, err := doLoad(ctx, p.options, c.std)

	var locked *loader.LockedError
	var failed *loader.SharedFailedError

	switch {
	case err == nil && summary.Hold != nil:
		j.hold = summary.Hold
		return jobqueue.DoneHere
	case err == nil && summary.DoneBy != nil:
		j.by = summary.DoneBy
		return jobqueue.DoneElsewhere
	case err == nil:
		j.summary = summary
		return jobqueue.DoneHere
	case errors.As(err, &locked):
		j.held = p.locate(err)
		p.reportProgress(c.std.err, "job %s is postponed: another process holds its table (%s)", p.name(), locked.Holder)
		return jobqueue.Locked
	case errors.As(err, &failed):
		j.err = p.locate(err)
		return jobqueue.FailedElsewhere
	}

	return c.failed(ctx, j, p.locate(err))
}

// failed reports a job that failed here. Other processes may still do it.
func (c *sharedRun) failed(ctx context.Context, j *sharedJob, err error) jobqueue.Result {
	if ctx.Err() != nil {
		c.stop = err
		return jobqueue.FailedHere
	}

	if j.err = err; len(c.jobs) > 1 {
		reportError(c.std.failures, ctx, c.set.command, writesJSON(j.prepared.values), err)
	}
	return jobqueue.FailedHere
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// reportWaiting reports that only jobs of other processes remain.
func (c *sharedRun) reportWaiting(jobs []int) {
	names := make([]string, len(jobs))
	for i, job := range jobs {
		names[i] = c.jobs[job].prepared.name()
	}

	c.jobs[jobs[0]].prepared.reportProgress(c.std.err, "waiting for jobs whose tables other processes hold: %s", strings.Join(names, ", "))
}

// report says who has done each job, and returns the error that this process ends with: the error of
// the first job in the file that nobody has done.
func (c *sharedRun) report(results []jobqueue.Result, stopped error) error {
	var rest []*jobfile.Job
	failed := &failedJobs{of: len(c.jobs)}

	for i, r := range results {
		j := &c.jobs[i]
		if r == jobqueue.NotReached {
			rest = append(rest, c.set.jobs[i])
			continue
		}

		if err := j.report(c.std, r); err != nil {
			failed.names = append(failed.names, j.prepared.name())
			failed.first = cmp.Or(failed.first, err)
		}
	}

	switch {
	case stopped != nil:
		c.jobs[0].prepared.reportRest(c.std.err, rest)
		return cmp.Or(c.stop, stopped)
	case failed.first == nil:
		return nil
	case len(c.jobs) == 1:
		return failed.first
	}

	return failed
}
