package observe

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/progress"
)

// RetryFor limits how long a step is tried again while the server is away: long enough for a restart, and short
// enough for a person who waits.
const RetryFor = 2 * time.Minute

// Retry calls do until it succeeds, its error is not transient, or limit has passed since the first failure. It
// logs each failed try once, with attrs, and counts it.
func (o *Observer) Retry(ctx context.Context, limit time.Duration, doing string, do func() error, attrs ...any) error {
	try := 0
	var failed time.Time // the first failure in a row

	attempt := func() (struct{}, error) {
		began := time.Now()
		err := do()

		// After a try that worked for longer than the limit, the count starts again.
		if failed.IsZero() || time.Since(began) > limit {
			failed = time.Now()
		}

		if err != nil && (!pg.IsTransient(err) || ctx.Err() != nil || time.Since(failed) > limit) {
			return struct{}{}, backoff.Permanent(err)
		}

		return struct{}{}, err
	}

	notify := func(err error, wait time.Duration) {
		try++
		o.retries.add(o.Progress.Snapshot().Stage, doing, err)

		about := slices.Clip(attrs)
		if code := pg.SQLState(err); code != "" {
			about = append(about, "sqlstate", code)
		}

		o.Log.With(about...).Warn("trying again", "doing", doing, "try", try,
			"wait", wait.Round(time.Millisecond).String(), "error", pg.Message(err))
	}

	_, err := backoff.Retry(ctx, attempt,
		backoff.WithMaxElapsedTime(0), backoff.WithBackOff(pg.NewBackOff()), backoff.WithNotify(notify))

	return err
}

// Retries returns the number of retries, and the reasons of the last ones.
func (o *Observer) Retries() (n int, last []progress.Retry) {
	return o.retries.all()
}

// maxRetries is how many retries are remembered.
const maxRetries = 20

// retries remembers the retries.
type retries struct {
	mu   sync.Mutex
	n    int
	last []progress.Retry
}

func (r *retries) add(stage progress.Stage, doing string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.n++
	if len(r.last) == maxRetries {
		r.last = r.last[1:]
	}

	r.last = append(r.last, progress.Retry{
		At: time.Now(), Stage: stage, Doing: doing, SQLState: pg.SQLState(err), Error: pg.Message(err),
	})
}

func (r *retries) all() (n int, last []progress.Retry) {
	r.mu.Lock()
	defer r.mu.Unlock()

	return r.n, append([]progress.Retry{}, r.last...)
}
