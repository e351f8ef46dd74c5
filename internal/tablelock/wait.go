package tablelock

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// pollInterval is how often a run that waits for another looks whether that has ended.
const pollInterval = time.Second

// Wait takes the lock of a table, and waits for another run that has it for at most
// limit. It returns how long it has waited, 0 where nobody had the lock: that is the
// other run's time, and the progress of the stage begins after it. Where ctx ends while it
// waits, the error is what ctx ended for, and no *LockedError.
func Wait(ctx context.Context, pool *pgxpool.Pool, o *observe.Observer, t job.Table, limit time.Duration) (_ *Lock, waited time.Duration, _ error) {
	began, waiting := time.Now(), false

	defer func() {
		if waiting {
			waited = time.Since(began)
			o.Progress.Restart()
		}
	}()

	for {
		lock, err := Acquire(ctx, pool, o.Log, t)
		if err != nil && waiting && pg.IsTransient(err) { // a long wait may see the server restart
			err = o.Retry(ctx, observe.RetryFor, "lock", func() (err error) {
				lock, err = Acquire(ctx, pool, o.Log, t)
				return err
			})
		}

		var locked *LockedError
		left := limit - time.Since(began)

		if !errors.As(err, &locked) || left <= 0 {
			if err == nil && waiting {
				o.Log.Info("the other run has ended", "waited", time.Since(began).Round(time.Second).String())
			}

			return lock, 0, err
		}

		if !waiting {
			o.Log.Info("waiting for another run", "table", t.String(), "holder", locked.Holder, "at_most", limit.String())
			waiting = true
		}

		select {
		case <-ctx.Done():
			return nil, 0, stopped(ctx, t)
		case <-time.After(min(pollInterval, left)):
		}
	}
}
