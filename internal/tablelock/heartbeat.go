package tablelock

import (
	"context"
	"errors"
	"time"
)

// heartbeatInterval is how often a stage has its lock looked after.
const heartbeatInterval = 5 * time.Second

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
