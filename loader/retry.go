package loader

import (
	"context"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/loadgrid/loadgrid/internal/pg"
)

const (
	// retryFor bounds how long one step is tried again while the server is away:
	// long enough for a restart, short enough for somebody who waits.
	retryFor = 2 * time.Minute
	// publishFor bounds how long publish waits for readers to leave the table, when
	// the options do not say.
	publishFor = 10 * time.Minute
)

// retry runs do until it succeeds, its error is not one that time mends, or
// limit has passed since it first failed. Each failed try is logged once, with attrs,
// and counted.
func (l *load) retry(ctx context.Context, limit time.Duration, doing string, do func() error, attrs ...any) error {
	try := 0
	var failed time.Time // the first time in a row
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		began := time.Now()
		err := do()
		// A try that went well for longer than the limit is a new beginning.
		if failed.IsZero() || time.Since(began) > limit {
			failed = time.Now()
		}
		if err != nil && (!pg.IsTransient(err) || ctx.Err() != nil || time.Since(failed) > limit) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(0), backoff.WithBackOff(pg.NewBackOff()), backoff.WithNotify(func(err error, wait time.Duration) {
		try++
		l.retries.add(l.progress.Snapshot().Stage, doing, err)
		about := slices.Clip(attrs)
		if code := pg.SQLState(err); code != "" {
			about = append(about, "sqlstate", code)
		}
		l.log.With(about...).Warn("trying again", "doing", doing, "try", try, "wait", wait.Round(time.Millisecond).String(), "error", pg.Message(err))
	}))
	return err
}
