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

// How often a run that waits for another looks whether that has ended. The backend of a run
// that was killed ends within moments.
const (
	pollInterval  = time.Second
	graceInterval = 100 * time.Millisecond
)

// How long a run waits that is not to wait for another one. A server notices at once that the
// client of an idle backend is gone. One that is at work looks every two seconds from
// PostgreSQL 14 on, and else when its statement is done.
const (
	// graceForGone is for the backend of a process of this machine that has ended.
	graceForGone = 30 * time.Second
	// graceForUnknown is for a backend whose client may be gone or not.
	graceForUnknown = 5 * time.Second
)

// NoWait is a limit with which Wait waits for nobody, also not for a run that was killed.
const NoWait time.Duration = -1

// Wait takes the lock of a table, and waits for another run that has it for at most
// limit. It returns how long it has waited, 0 where nobody had the lock: that is the
// other run's time, and the progress of the stage begins after it. Where ctx ends while it
// waits, the error is what ctx ended for, and no *LockedError.
//
// A run that was killed may hold the lock for a moment: its backend ends when the server
// notices that. Wait waits for that, whatever limit is: for at most half a minute where the
// holder was a process of this machine that has ended, and for at most 5 seconds where that
// cannot be known, and the holder does nothing meanwhile.
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

		// Also while it waits: that may be long, and see the server restart.
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

// wait decides how long to wait for whoever holds the lock.
type wait struct {
	limit     time.Duration // for a run that is alive
	log       *slog.Logger
	table     job.Table
	first     holder // as it was seen first
	announced string // what was logged last
}

// pause returns when to look again, 0 for never.
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
