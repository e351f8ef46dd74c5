package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/internal/nearest"
	"github.com/loadgrid/loadgrid/internal/options"
	"github.com/loadgrid/loadgrid/loader"
)

// jobFileOptions select the jobs of a file.
type jobFileOptions struct {
	file      string
	only      []string
	keepGoing bool
	share     shareOptions
}

// table returns the options, which write into o. help is the help of --job.
func (o *jobFileOptions) table(help string, keepGoing bool) options.Table {
	needsFile := []options.Condition{{Options: []string{"job"}, Reason: "needs a job file: --job"}}
	add := func(text string) error {
		o.only = append(o.only, text)
		return nil
	}

	table := options.Table{
		{Name: "job", Group: "Job file", In: options.Flag, Value: options.File(&o.file, "the name is empty"), Help: help},
		{Name: "only", Group: "Job file", In: options.Flag, Value: options.List(add), With: needsFile,
			Help: "run only the job with this `name`; may be repeated"},
	}
	if !keepGoing {
		return table
	}

	return append(table, o.share.option(needsFile), options.Option{Name: "keep-going", Group: "Job file", In: options.Flag, Value: options.Bool(&o.keepGoing), With: needsFile,
		Help: "run the remaining jobs of --job if one fails; the exit code is that of the first job that failed"})
}

// jobSet holds the selected jobs of a file.
type jobSet struct {
	flags   options.Values // of the command line, which override the file
	command string         // its name for messages
	file    *jobfile.File
	dir     string // the base of relative file names in it
	jobs    []*jobfile.Job
	stdin   []byte // for jobs that read their area there
	// warnings are the warnings of the plans that check made.
	warnings []loader.Warning
}

// openJobs reads the file and selects the jobs. flags are the values of the command line.
func openJobs(ctx context.Context, o jobFileOptions, flags options.Values, command string, stdin io.Reader) (*jobSet, error) {
	return await(ctx, func() (*jobSet, error) { return readJobs(o, flags, command, stdin) })
}

func readJobs(o jobFileOptions, flags options.Values, command string, stdin io.Reader) (*jobSet, error) {
	name, data, err := o.read(stdin)
	if err != nil {
		return nil, err
	}

	s := &jobSet{flags: flags, command: command, dir: filepath.Dir(o.file)}
	if s.file, err = jobfile.Read(name, data, new(options.Load).Table()); err != nil {
		return nil, err
	}
	if s.jobs, err = o.selectJobs(s.file); err != nil {
		return nil, err
	}

	if flags.Has("table") && len(s.jobs) > 1 {
		return nil, &geomgen.ParamError{Param: "table", Value: flags.Text("table"),
			Reason: fmt.Sprintf("works with one job only, and there are %d: choose one with --only", len(s.jobs))}
	}
	return s, s.readStdin(o.file == "-", stdin)
}

// read returns the content of the file and its name for messages.
func (o *jobFileOptions) read(stdin io.Reader) (name string, data []byte, err error) {
	name, r := "stdin", stdin
	if o.file != "-" {
		file, err := os.Open(o.file)
		if err != nil {
			return "", nil, &geomgen.ParamError{Param: "job", Value: options.QuoteEmpty(o.file), Reason: "cannot be read: " + options.WithoutPath(err)}
		}
		defer func() { _ = file.Close() }()

		name, r = o.file, file
	}

	if data, err = io.ReadAll(io.LimitReader(r, jobfile.MaxSize+1)); err != nil {
		return "", nil, &geomgen.ParamError{Param: "job", Value: options.QuoteEmpty(o.file), Reason: "cannot be read: " + options.WithoutPath(err)}
	}
	return name, data, nil
}

// selectJobs returns the jobs that --only names, in the order of the file, or all without --only.
func (o *jobFileOptions) selectJobs(file *jobfile.File) ([]*jobfile.Job, error) {
	if o.only == nil {
		return file.Jobs, nil
	}

	var names []string
	for _, job := range file.Jobs {
		names = append(names, job.DisplayName())
	}

	for _, name := range o.only {
		if !slices.Contains(names, name) {
			reason := "is not a job in " + file.Name
			if near, ok := nearest.Name(name, names); ok {
				reason += fmt.Sprintf(": did you mean %q?", near)
			} else {
				reason += ", which has " + strings.Join(names, ", ")
			}

			return nil, &geomgen.ParamError{Param: "only", Value: options.QuoteEmpty(name), Reason: reason}
		}
	}

	return slices.DeleteFunc(slices.Clone(file.Jobs), func(j *jobfile.Job) bool { return !slices.Contains(o.only, j.DisplayName()) }), nil
}

// readStdin reads stdin if a job has its area there, because the area is parsed again for each job and each
// check.
func (s *jobSet) readStdin(jobFileOnStdin bool, stdin io.Reader) error {
	for _, job := range s.jobs {
		p := s.newJob(job)
		if p.values.Text("aoi") != "-" || s.stdin != nil {
			continue
		}

		if jobFileOnStdin {
			return p.locate(&geomgen.ParamError{Param: "aoi", Value: "-", Reason: "conflicts with job -: stdin already provides the job file"})
		}

		data, err := io.ReadAll(stdin)
		if err != nil {
			return p.locate(&geomgen.ParamError{Param: "aoi", Value: "-", Reason: "cannot be read: " + options.WithoutPath(err)})
		}

		s.stdin = append([]byte{}, data...)
	}

	return nil
}

// check checks all jobs, as far as possible without a server. With secrets, the variables and files of
// the connection must exist.
func (s *jobSet) check(ctx context.Context, secrets bool) error {
	var errs []error
	prepared := make([]*preparedJob, len(s.jobs))
	for i, job := range s.jobs {
		p, err := s.prepare(ctx, job, secrets)
		if err == nil {
			err = p.check(ctx, secrets)
		}

		if err != nil {
			errs = append(errs, err)
		}
		prepared[i] = p
	}

	if len(errs) == 0 {
		return checkMetricsFiles(prepared)
	}
	return s.joinErrors(ctx, errs)
}
