package tablelock

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/loader/job"
)

// How often a waiting run looks whether the other run has ended. The backend of a killed run ends
// within moments.
const (
	pollInterval  = time.Second
	graceInterval = 100 * time.Millisecond
)

// How long a run waits for a killed run even if it must not wait for another one. A server notices
// at once that the client of an idle backend is gone. A busy backend looks every two seconds from
// PostgreSQL 14 on. On older servers, it looks when its statement is done.
const (
	// graceForGone applies if the client was a process of this machine that has ended.
	graceForGone = 30 * time.Second
	// graceForUnknown applies if it is unknown whether the client is gone.
	graceForUnknown = 5 * time.Second
)

// NoWait is a limit with which Wait waits for nobody, not even for a killed run.
const NoWait time.Duration = -1

// Wait takes the lock of a table, and waits at most limit for another run that has it. It returns
// how long it waited, 0 if nobody had the lock. That time belongs to the other run, and the
// progress of the stage begins after it. If ctx ends during the wait, the error is the cause of ctx
// instead of a *LockedError.
//
// A killed run may hold the lock for a moment, until the server notices and ends its backend. Wait
// waits for that, whatever limit is: at most half a minute if the holder was a process of this
// machine that has ended, and at most 5 seconds if that is unknown and the holder does nothing
// meanwhile.
func Wait(ctx context.Context, pool *pgxpool.Pool, o *observe.Observer, t job.Table, limit time.Duration) (_ *Lock, waited time.Duration, _ error) {
	w := wait{limit: limit, log: o.Log, table: t}
	began := time.Now()

	defer func() {
		if w.announced != "" {
			waited = time.Since(began)
			o.Progress.Restart()
		}
	}()

	for {
		var lock *Lock

		// Retry covers the wait, too: it may be long enough for a restart of the server.
		err := o.Retry(ctx, observe.RetryFor, "lock", func() (err error) {
			lock, err = Acquire(ctx, pool, o.Log, t)
			return err
		})

		var locked *LockedError
		if !errors.As(err, &locked) {
			if err == nil && w.announced != "" {
				o.Log.Info("the other run has ended", "waited", time.Since(began).Round(time.Second).String())
			}

			return lock, 0, err
		}

		pause := w.pause(locked.holder, time.Since(began))
		if pause <= 0 {
			return nil, 0, locked
		}

		select {
		case <-ctx.Done():
			return nil, 0, stopped(ctx, t)
		case <-time.After(pause):
		}
	}
}

// wait decides how long to wait for the holder of the lock.
type wait struct {
	limit     time.Duration // for a live run
	log       *slog.Logger
	table     job.Table
	first     holder // as first seen
	announced string // the last log message
}

// pause returns the time until the next look, 0 to give up.
func (w *wait) pause(h holder, waited time.Duration) time.Duration {
	if w.limit == NoWait {
		return 0
	}

	if w.first.pid != h.pid {
		w.first = h
	}

	grace, why := time.Duration(0), "waiting for another run"

	switch state := h.client.state(); {
	case state == clientGone:
		grace, why = graceForGone, "waiting for the server to end the backend of a killed run"
	case state == clientUnknown && h.moved == w.first.moved:
		grace = graceForUnknown
		if w.limit == 0 {
			why = "waiting briefly: the run that holds the table may have been killed"
		}
	}

	left := max(w.limit, grace) - waited
	if left <= 0 {
		return 0
	}

	if w.announced != why {
		w.log.Info(why, "table", w.table.String(), "holder", h.text, "at_most", left.Round(time.Second).String())
		w.announced = why
	}

	if waited < grace {
		return min(graceInterval, left)
	}

	return min(pollInterval, left)
}
