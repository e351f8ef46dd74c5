package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/loadgrid/loadgrid/internal/jobqueue"
	"github.com/loadgrid/loadgrid/loader"
)

// report says who has done the job, and returns its error if nobody has.
func (j *sharedJob) report(std streams, r jobqueue.Result) error {
	line := accountLine{job: j.prepared.name()}

	if j.hold != nil {
		line.Outcome, line.note = onHold, describeHold(*j.hold)
		line.write(std.err, writesJSON(j.prepared.values))

		return nil
	}

	switch r {
	case jobqueue.DoneHere:
		line.Outcome, line.Run, line.Here = loader.OutcomePublished, j.summary.Run, true
		if j.summary.Unchanged {
			line.Outcome = loader.OutcomeUnchanged
		}
	case jobqueue.DoneElsewhere:
		line.Outcome, line.Run, line.By = j.by.Outcome, j.by.Run, j.by.Who()
	case jobqueue.FailedHere:
		line.Outcome, line.Here, line.err = loader.OutcomeFailed, true, j.err
	case jobqueue.Blocked:
		line.Outcome = "blocked"
		line.err = j.prepared.locate(errors.New("not done: an earlier job that loads the same table has failed, and another process may still retry it"))
	case jobqueue.FailedElsewhere:
		line.Outcome, line.err = loader.OutcomeFailed, j.err
	default:
		line.Outcome, line.err = "held", j.held
		if j.held == nil { // only an earlier job that loads the same table was tried
			line.err = j.prepared.locate(errors.New("not done: another process holds the table"))
		}
	}

	to := std.err
	if line.err != nil {
		to = std.failures
	}
	line.write(to, writesJSON(j.prepared.values))

	return line.err
}

// onHold is the outcome of a job whose table is on hold.
const onHold loader.Outcome = "on hold"

// accountLine says who has done a job.
type accountLine struct {
	job     string
	Outcome loader.Outcome
	Run     int64
	Here    bool   // it was this process
	By      string // another process
	err     error
	note    string // a remark, empty for none
}

func (a accountLine) write(stderr io.Writer, asJSON bool) {
	if asJSON {
		log := slog.New(slog.NewJSONHandler(stderr, nil)).With("type", "log", "job", a.job, "outcome", string(a.Outcome), "here", a.Here)
		if a.By != "" {
			log = log.With("by", a.By)
		}
		if a.Run != 0 {
			log = log.With("run", a.Run)
		}
		if a.note != "" {
			log = log.With("note", oneLine(a.note))
		}
		if a.err != nil {
			log = log.With("error", redact(oneLine(a.reason())))
		}

		log.Info("result of the job")
		return
	}

	fmt.Fprintln(stderr, redact(oneLine(fmt.Sprintf("job %s: %s", a.job, a.text()))))
}

func (a accountLine) text() string {
	by := a.By
	if a.Here {
		by = "this process"
	}

	switch {
	case a.note != "":
		return a.note
	case a.Outcome == loader.OutcomePublished:
		return fmt.Sprintf("done by %s, run %d", by, a.Run)
	case a.Outcome == loader.OutcomeUnchanged:
		return fmt.Sprintf("found unchanged by %s; its rows are from run %d", by, a.Run)
	case a.Here:
		return "failed, and no other process has done it since"
	}

	return a.reason()
}

// reason is why nobody has done the job, without the name of the job.
func (a accountLine) reason() string {
	var inJob *jobError
	if errors.As(a.err, &inJob) {
		return inJob.err.Error()
	}
	return a.err.Error()
}
