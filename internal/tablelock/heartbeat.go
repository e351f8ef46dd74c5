package tablelock

import (
	"context"
	"errors"
	"time"
)

// heartbeatInterval is the interval between checks of the lock during a stage.
const heartbeatInterval = 5 * time.Second

// WithHeartbeat runs a stage that does not use the lock's connection, and checks the lock
// meanwhile. If another run has taken it, the stage is cancelled.
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

// beat ensures the lock at intervals, until the stage is over.
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

		// The stage itself meets temporary errors, too.
		if err := l.Ensure(ctx); errors.As(err, new(*LockedError)) {
			cancel(err)
		}
	}
}
