package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/loadgrid/loadgrid/internal/credential"
	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/internal/options"
)

// preparedJob is a job of a file, merged with the command line and the defaults of the file.
type preparedJob struct {
	set     *jobSet
	source  *jobfile.Job
	values  options.Values
	options loadOptions
}

// name returns the name of the job, which defaults to the name of its table.
func (p *preparedJob) name() string {
	if name := p.source.DisplayName(); name != "" {
		return name
	}
	return p.values.Text("table")
}

// newJob returns a job with its values. It checks none of them.
func (s *jobSet) newJob(job *jobfile.Job) *preparedJob {
	table := new(options.Load).Table()
	p := &preparedJob{set: s, source: job, values: make(options.Values)}

	for name, items := range table.Merge(s.flags, job.Values, s.file.Defaults) {
		o, _ := table.Find(name)
		for _, item := range items {
			if o.Value.Path && item.Line > 0 && item.Text != "-" {
				item.Text = s.resolvePath(item.Text)
			}
			p.values.Add(name, item)
		}
	}

	return p
}

// resolvePath makes a file name of the job file relative to the directory of the file: a scheduler may start
// the program in any directory.
func (s *jobSet) resolvePath(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

// prepare makes a job from its values. With secrets, it also fills in the connection.
func (s *jobSet) prepare(ctx context.Context, job *jobfile.Job, secrets bool) (*preparedJob, error) {
	p := s.newJob(job)
	values := make(options.Values)
	for name, items := range p.values {
		if items[0].Line == 0 || name != "dsn" && name != "password" { // see fillConnection
			values[name] = items
		}
	}

	var load options.Load
	if err := load.Table().Apply(values); err != nil {
		return p, p.locate(err)
	}
	if err := awaitErr(ctx, func() error { return load.Complete(ctx, values, bytes.NewReader(s.stdin)) }); err != nil {
		return p, p.locate(err)
	}

	load.JobName = job.DisplayName()
	p.options = newLoadOptions(load)
	if secrets {
		return p, awaitErr(ctx, p.fillConnection)
	}
	return p, nil
}

// fillConnection fills in the connection string, and the password if the file has one. It leaves a server
// from the command line alone, because the password of the file is for another server.
func (p *preparedJob) fillConnection() error {
	if p.set.flags.Has("dsn") {
		return nil
	}

	var err error
	secrets := credential.Resolver{Dir: p.set.dir, Lookup: os.LookupEnv}
	if p.values.Has("dsn") {
		if p.options.server.DSN, err = secrets.DSN(p.values.Text("dsn")); err != nil {
			return p.valueError("dsn", err)
		}
	}

	if p.values.Has("password") {
		if p.options.server.Password, err = secrets.Password(p.values.Text("password")); err != nil {
			return p.valueError("password", err)
		}
	}

	return nil
}

// check checks the job, as far as possible without a server.
func (p *preparedJob) check(ctx context.Context, secrets bool) error {
	if _, err := p.options.progress.reporter(streams{err: io.Discard, failures: io.Discard}); err != nil {
		return p.locate(err)
	}
	if err := p.options.checkMetricsFile(); err != nil {
		return p.locate(err)
	}

	if secrets {
		if _, err := p.options.server.config(p.options.job.Streams); err != nil {
			return p.locate(err)
		}
	}

	// The plan is made again when the job runs: the polygons of all jobs would otherwise stay in memory for
	// hours.
	plan, err := estimate(ctx, p.options.job)
	if err != nil {
		return p.locate(err)
	}

	if plan != nil {
		for _, w := range plan.Warnings() {
			w.Text = "job " + p.name() + ": " + w.Text
			p.set.warnings = append(p.set.warnings, w)
		}
	}
	return nil
}
