package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/internal/options"
)

// valueError returns an error about the value of a key.
func (p *preparedJob) valueError(key string, err error) error {
	wrong := jobfile.Error{Pos: p.values[key][0].Pos, Message: key + " " + err.Error()}
	return p.newError(&jobfile.Errors{File: p.set.file.Name, List: []jobfile.Error{wrong}})
}

func (p *preparedJob) newError(err error) *jobError {
	return &jobError{json: writesJSON(p.values), command: p.set.command, err: err}
}

// locate adds to an error the name of its job, and the position of the wrong value in the file.
func (p *preparedJob) locate(err error) error {
	if err == nil {
		return nil
	}

	e := p.newError(err)
	if len(p.set.file.Jobs) > 1 {
		e.job = p.name()
	}

	if param := wrongParam(err); param != nil && !p.set.flags.Has(param.Param) {
		pos := p.source.Pos()
		if o, ok := new(options.Load).Table().Find(param.Param); ok {
			o.QuoteTyped(param, p.values[param.Param])
		}
		if items := p.values[param.Param]; len(items) > 0 {
			pos = items[0].Pos
		}

		var inItem *options.ItemError
		if errors.As(err, &inItem) {
			pos = inItem.Pos
		}

		e.pos, e.position = pos, fmt.Sprintf("%s:%d:%d: ", p.set.file.Name, pos.Line, pos.Column)
	}

	return e
}

// jobError is an error of one of a file's jobs.
type jobError struct {
	job      string      // "" if the file has only one
	pos      options.Pos // of the mistake, 0:0 if it is not in the file
	position string      // FILE:LINE:COLUMN: of the mistake, "" if it is not in the file
	json     bool        // whether the job writes JSON to stderr
	command  string      // the command to refer to for help
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

// message is the text of errorMessage, except that a value in the file is not called a flag.
func (e *jobError) message(ctx context.Context) string {
	text := errorMessage(ctx, e.command, e.err)
	if e.position != "" {
		text = strings.TrimPrefix(text, "--")
	}
	return oneLine(e.prefix() + text)
}

// joinErrors makes one error from the errors of several jobs of the file.
func (s *jobSet) joinErrors(ctx context.Context, errs []error) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}

	all := &jobfile.Errors{File: s.file.Name}
	add := func(one jobfile.Error) {
		// A mistake in the defaults occurs in each job.
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
			return err // of the command line, so it is the same for all jobs
		}

		if first == nil {
			errors.As(err, &first)
		}
	}

	return &jobError{json: first.json, command: first.command, err: all}
}
