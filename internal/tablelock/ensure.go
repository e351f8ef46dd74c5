package tablelock

import (
	"context"
	"errors"
	"time"

	"github.com/loadgrid/loadgrid/internal/pg"
)

const (
	ensureTries = 10
	// answerTimeout is how long the server may take to say that the connection of the
	// lock is alive. Without a bound a network that swallows packets would hold the
	// run for as long as TCP tries.
	answerTimeout = 30 * time.Second
)

// Ensure takes the lock again when its connection has broken, or returns a *LockedError
// where another run has it by then. Where the network broke, the server does not notice
// that for a while, so the backend is ended. It may need a moment then to give the old
// lock back. Where ctx ends before it has, nobody knows whose the lock is: that is no
// *LockedError, but what ctx ended for.
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
