package tablelock

import (
	"context"
	"errors"
	"time"

	"github.com/loadgrid/loadgrid/internal/pg"
)

const (
	ensureTries       = 10
	heartbeatInterval = 5 * time.Second
	// answerTimeout is how long the server may take to say that the connection of the
	// lock is alive. Without a bound a network that swallows packets would hold the
	// run for as long as TCP tries.
	answerTimeout = 30 * time.Second
)

// Ensure takes the lock again when its connection has broken, or returns a *LockedError
// where another run has it by then. Where the network broke, the server does not notice
// that for a while, so the backend is ended. It may need a moment then to give the old
// lock back.
func (l *Lock) Ensure(ctx context.Context) error {
	if l.answers(ctx) {
		return nil
	}

	l.log.Warn("the connection that held the table's lock is gone, taking it anew")

	if err := l.backend.Terminate(ctx, l.pool); err != nil {
		l.log.Debug("the backend that held the lock may still be there", "error", pg.Message(err))
	}

	for try := 0; ; try++ {
		lock, err := Acquire(ctx, l.pool, l.log, l.table)

		if errors.As(err, new(*LockedError)) && try < ensureTries {
			select {
			case <-ctx.Done():
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

// WithHeartbeat runs a stage that leaves the lock's connection alone, and looks after
// the lock meanwhile: when another run has taken it, the stage is ended.
func (l *Lock) WithHeartbeat(stage func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)

		over, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			l.beat(ctx, cancel, over)
		}()

		err := stage(ctx)
		close(over)
		<-ended

		var locked *LockedError
		if err != nil && errors.As(context.Cause(ctx), &locked) {
			return locked
		}

		return err
	}
}

// beat ensures the lock from time to time, until the stage is over.
func (l *Lock) beat(ctx context.Context, cancel context.CancelCauseFunc, over <-chan struct{}) {
	tick := time.NewTicker(heartbeatInterval)
	defer tick.Stop()

	for {
		select {
		case <-over:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}

		// Trouble of the moment is the stage's to meet, too.
		if err := l.Ensure(ctx); errors.As(err, new(*LockedError)) {
			cancel(err)
		}
	}
}
