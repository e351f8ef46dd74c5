package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/jobfile"
)

// jobFileFlags are the flags that say which jobs of a file are done.
type jobFileFlags struct {
	file      string
	only      []string
	keepGoing bool
}

func (f *jobFileFlags) register(cmd *cobra.Command, usage string) {
	fs := cmd.Flags()
	fs.StringVar(&f.file, "job", "", usage)
	fs.StringArrayVar(&f.only, "only", nil, "of the jobs of --job only the one of this `name`; may be given several times")
	_ = cmd.MarkFlagFilename("job", "yaml", "yml")
}

func (f *jobFileFlags) registerKeepGoing(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.keepGoing, "keep-going", false, "do the other jobs of --job when one fails; the exit code is that of the first that did")
}

// isSet reports whether jobs of a file are asked for.
func (f *jobFileFlags) isSet(cmd *cobra.Command) (bool, error) {
	if cmd.Flags().Changed("job") {
		return true, nil
	}

	for _, name := range []string{"only", "keep-going"} {
		if flag := cmd.Flags().Lookup(name); flag != nil && flag.Changed {
			return false, &geomgen.ParamError{Param: name, Value: flag.Value.String(), Reason: "needs a job file: --job"}
		}
	}

	return false, nil
}

// jobSet are the jobs of a file that are to be done.
type jobSet struct {
	cmd   *cobra.Command // whose flags win
	file  *jobfile.File
	dir   string // what names of files in it are relative to
	jobs  []*jobfile.Job
	stdin []byte // what jobs read there
}

// open reads the file and selects the jobs.
func (f *jobFileFlags) open(cmd *cobra.Command) (*jobSet, error) {
	name, data, err := f.read(cmd)
	if err != nil {
		return nil, err
	}

	s := &jobSet{cmd: cmd, dir: filepath.Dir(f.file)}
	if s.file, err = jobfile.Read(name, data); err != nil {
		return nil, err
	}
	if s.jobs, err = f.selectJobs(s.file); err != nil {
		return nil, err
	}

	if table := cmd.Flags().Lookup("table"); table.Changed && len(s.jobs) > 1 {
		return nil, &geomgen.ParamError{Param: "table", Value: table.Value.String(),
			Reason: fmt.Sprintf("goes with one job, and there are %d: choose it with --only", len(s.jobs))}
	}
	return s, s.readStdin(f.file == "-")
}

// read returns the content of the file, and what to call it.
func (f *jobFileFlags) read(cmd *cobra.Command) (name string, data []byte, err error) {
	var r io.Reader = cmd.InOrStdin()
	name = "stdin"
	if f.file != "-" {
		file, err := os.Open(f.file)
		if err != nil {
			return "", nil, &geomgen.ParamError{Param: "job", Value: quoteEmpty(f.file), Reason: "cannot be read: " + errorWithoutPath(err)}
		}
		defer func() { _ = file.Close() }()

		name, r = f.file, file
	}

	if data, err = io.ReadAll(io.LimitReader(r, jobfile.MaxSize+1)); err != nil {
		return "", nil, &geomgen.ParamError{Param: "job", Value: quoteEmpty(f.file), Reason: "cannot be read: " + errorWithoutPath(err)}
	}
	return name, data, nil
}

// selectJobs returns the jobs that --only names, in the file's order; without it, all.
func (f *jobFileFlags) selectJobs(file *jobfile.File) ([]*jobfile.Job, error) {
	if f.only == nil {
		return file.Jobs, nil
	}

	var names []string
	for _, job := range file.Jobs {
		names = append(names, job.DisplayName())
	}

	for _, name := range f.only {
		if !slices.Contains(names, name) {
			reason := "is no job of " + file.Name
			if near, ok := jobfile.Nearest(name, names); ok {
				reason += fmt.Sprintf(": did you mean %q?", near)
			} else {
				reason += ", which has " + strings.Join(names, ", ")
			}

			return nil, &geomgen.ParamError{Param: "only", Value: quoteEmpty(name), Reason: reason}
		}
	}

	return slices.DeleteFunc(slices.Clone(file.Jobs), func(j *jobfile.Job) bool { return !slices.Contains(f.only, j.DisplayName()) }), nil
}

// readStdin reads stdin where a job's area is there: it is read again for each job,
// and each time that one is looked at.
func (s *jobSet) readStdin(jobFileOnStdin bool) error {
	for _, job := range s.jobs {
		p := s.parseFlags(job)
		if p.err != nil {
			return p.err
		}

		if p.flags.cells.area.file != "-" || s.stdin != nil {
			continue
		}

		if jobFileOnStdin {
			return p.locate(&geomgen.ParamError{Param: "aoi", Value: "-", Reason: "contradicts job -: stdin has the job file"})
		}

		data, err := io.ReadAll(s.cmd.InOrStdin())
		if err != nil {
			return p.locate(&geomgen.ParamError{Param: "aoi", Value: "-", Reason: "cannot be read: " + errorWithoutPath(err)})
		}

		s.stdin = append([]byte{}, data...)
	}

	return nil
}

// check finds out whether all jobs are right, as far as that needs no server. With
// secrets, what is filled in for them has to be there.
func (s *jobSet) check(ctx context.Context, secrets bool) error {
	var errs []error
	for _, job := range s.jobs {
		if err := s.prepare(job, secrets).check(ctx, secrets); err != nil {
			errs = append(errs, err)
		}
	}

	return s.joinErrors(ctx, errs)
}
