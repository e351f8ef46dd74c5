package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/jobfile"
)

// valueError is an error of the value of a key.
func (p *preparedJob) valueError(key string, err error) error {
	wrong := jobfile.Error{Pos: p.settings[key].Items[0].Pos, Message: key + " " + err.Error()}
	return &jobError{cmd: p.cmd, help: p.set.cmd, err: &jobfile.Errors{File: p.set.file.Name, List: []jobfile.Error{wrong}}}
}

// locate says of an error which job it is of, and where in the file the value stands that
// is wrong.
func (p *preparedJob) locate(err error) error {
	if err == nil {
		return nil
	}

	e := &jobError{cmd: p.cmd, help: p.set.cmd, err: err}
	if len(p.set.file.Jobs) > 1 {
		e.job = p.name()
	}

	if param := wrongParam(err); param != nil && !p.set.cmd.Flags().Changed(param.Param) {
		pos := p.source.Pos()
		if setting, ok := p.settings[param.Param]; ok {
			pos = setting.Items[0].Pos
			for _, item := range setting.Items {
				if item.Text == param.Value {
					pos = item.Pos
				}
			}
		}

		e.pos, e.position = pos, fmt.Sprintf("%s:%d:%d: ", p.set.file.Name, pos.Line, pos.Column)
	}

	return e
}

// jobError is an error of one of a file's jobs.
type jobError struct {
	job      string         // "" where the file has one alone
	pos      jobfile.Pos    // of what is wrong, 0:0 where that is not the file
	position string         // FILE:LINE:COLUMN: of what is wrong, "" where that is not the file
	cmd      *cobra.Command // with the job's flags
	help     *cobra.Command // whose help helps
	err      error
}

func (e *jobError) Error() string { return e.prefix() + e.err.Error() }
func (e *jobError) Unwrap() error { return e.err }

func (e *jobError) prefix() string {
	if e.job == "" {
		return e.position
	}
	return e.position + "job " + e.job + ": "
}

// message is what errorMessage says without a file, but that what stands in the file is no flag.
func (e *jobError) message(ctx context.Context) string {
	text := errorMessage(ctx, e.help, e.err)
	if e.position != "" {
		text = strings.TrimPrefix(text, "--")
	}
	return oneLine(e.prefix() + text)
}

// joinErrors makes one error of those of several jobs, which are all in the file.
func (s *jobSet) joinErrors(ctx context.Context, errs []error) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}

	all := &jobfile.Errors{File: s.file.Name}
	add := func(one jobfile.Error) {
		// What is wrong in the defaults is wrong in each job.
		if !slices.ContainsFunc(all.List, func(e jobfile.Error) bool { return e.Pos == one.Pos }) {
			all.List = append(all.List, one)
		}
	}

	var first *jobError
	for _, err := range errs {
		var inJob *jobError
		var list *jobfile.Errors
		switch {
		case errors.As(err, &list):
			for _, one := range list.List {
				add(one)
			}
		case errors.As(err, &inJob) && inJob.position != "":
			add(jobfile.Error{Pos: inJob.pos, Message: strings.TrimPrefix(inJob.message(ctx), oneLine(inJob.position)+" ")})
		default:
			return err // of the command line, and the same for all jobs
		}

		if first == nil {
			errors.As(err, &first)
		}
	}

	return &jobError{cmd: first.cmd, help: first.help, err: all}
}
