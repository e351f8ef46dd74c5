package main

import (
	"context"
	"fmt"
	"time"

	"github.com/loadgrid/loadgrid/internal/attempts"
	"github.com/loadgrid/loadgrid/internal/jobqueue"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// sharedServer is a server with a ledger for some of the jobs, and its own connection to look at them.
type sharedServer struct {
	options     serverOptions
	observer    *observe.Observer
	reader      *attempts.Reader
	unreachable time.Time // when a look last failed, zero for never
}

// serverOf returns the server of a job.
func (c *sharedRun) serverOf(p *preparedJob) (*sharedServer, error) {
	for _, s := range c.servers {
		if s.options == p.options.server {
			return s, nil
		}
	}

	r, err := p.options.progress.reporter(c.std)
	if err != nil {
		return nil, p.locate(err)
	}

	s := &sharedServer{options: p.options.server, observer: observe.New(r.log(), nil, nil),
		reader: &attempts.Reader{Ledger: ledger.New(p.options.server.ledger(), p.options.server.LedgerOwner), Batch: c.options.share.batch, Began: c.began}}
	c.servers = append(c.servers, s)

	return s, nil
}

func (c *sharedRun) close() {
	for _, s := range c.servers {
		if s.reader.Pool != nil {
			loader.Close(s.reader.Pool)
		}
	}
}

// look asks the servers for the state of jobs. If a server does not answer, the states of its jobs
// are unknown, and an attempt at one of them reports why.
func (c *sharedRun) look(ctx context.Context, jobs []int) ([]jobqueue.State, error) {
	states := make([]jobqueue.State, len(jobs))

	for n, server := range c.servers {
		var at []int
		var wanted []attempts.Wanted
		for i, job := range jobs {
			if j := c.jobs[job]; j.server == server {
				at, wanted = append(at, i), append(wanted, attempts.Wanted{Key: j.key, Table: j.prepared.options.job.Table})
			}
		}
		if len(at) == 0 {
			continue
		}

		for k, found := range server.look(ctx, wanted) {
			i := at[k]
			states[i] = c.jobs[jobs[i]].take(found, c.options.only != nil)
			states[i].Table = fmt.Sprintf("%d %s", n, found.Table)
		}
	}

	return states, nil
}

// lookAgainAfter is how long to leave a server alone that did not answer: each look might take as long
// as the connection takes to time out.
const lookAgainAfter = 10 * time.Minute

// look asks one server, unless it recently failed to answer.
func (s *sharedServer) look(ctx context.Context, wanted []attempts.Wanted) []attempts.State {
	unknown := make([]attempts.State, len(wanted))
	for i, w := range wanted {
		unknown[i].Table = w.Table
	}
	if !s.unreachable.IsZero() && time.Since(s.unreachable) < lookAgainAfter {
		return unknown
	}

	if s.reader.Pool == nil {
		err := s.observer.Connect(ctx, func() (err error) {
			s.reader.Pool, err = s.options.open(ctx, 1)
			return err
		})
		if err != nil {
			s.unreachable = time.Now()
			return unknown
		}
	}

	var states []attempts.State
	err := s.observer.Retry(ctx, observe.RetryFor, "look at shared jobs", func() (err error) {
		states, err = s.reader.Look(ctx, wanted)
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.unreachable = time.Now()
		s.observer.Log.Warn("cannot see what other processes have done before a job is tried", "error", err.Error())
	}
	if err != nil {
		return unknown
	}

	return states
}

// take notes the state of a job for the report at the end. With again, the job is tried however often
// it has failed.
func (j *sharedJob) take(found attempts.State, again bool) (state jobqueue.State) {
	p := j.prepared
	state.Tried = found.Failures > 0

	switch {
	case found.Done != nil:
		state.Done, j.by = true, found.Done
	case found.Failures >= attempts.MaxFailures && !again:
		state.Failed = true
		if j.err == nil {
			j.err = p.locate(&loader.SharedFailedError{Last: *found.LastFailure})
		}
	case found.Holder != "":
		state.Held = true
		j.held = p.locate(&loader.LockedError{Table: found.Table, Holder: found.Holder})
	}

	return state
}
