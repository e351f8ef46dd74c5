package tablelock

import (
	"context"
	"errors"
	"time"

	"github.com/loadgrid/loadgrid/internal/pg"
)

const (
	ensureTries = 10
	// answerTimeout is how long the server may take to answer on the lock's connection. Without a
	// limit, a network that drops packets would block the run for as long as TCP retries.
	answerTimeout = 30 * time.Second
)

// Ensure takes the lock again if its connection has broken, or returns a *LockedError if another
// run has it by then. If the network broke, the server does not notice for a while, so Ensure ends
// the old backend, which may need a moment to release the lock. If ctx ends before that, it is
// unknown who has the lock, and the error is the cause of ctx instead of a *LockedError.
func (l *Lock) Ensure(ctx context.Context) error {
	if l.answers(ctx) {
		return nil
	}

	if !l.lost { // it may take many tries
		l.lost = true
		l.log.Warn("the connection that held the table's lock is gone, so the run takes the lock again")
	}

	if err := l.backend.Terminate(ctx, l.pool); err != nil {
		l.log.Debug("the backend that held the lock may still be there", "error", pg.Message(err))
	}

	for try := 0; ; try++ {
		lock, err := Acquire(ctx, l.pool, l.log, l.table)

		if errors.As(err, new(*LockedError)) && try < ensureTries {
			select {
			case <-ctx.Done():
				return stopped(ctx, l.table)
			case <-time.After(time.Second):
				continue
			}
		}

		if err != nil {
			return err
		}

		l.Release(ctx)
		lock.dirty = l.dirty
		*l = *lock

		return nil
	}
}

func (l *Lock) answers(ctx context.Context) bool {
	if l.conn.Conn().IsClosed() {
		return false
	}

	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()

	return l.conn.Ping(ctx) == nil
}
