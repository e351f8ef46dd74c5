package observe

import (
	"context"
	"errors"
)

// stoppedError is the error of a run whose context ended, with its cause. A driver's error after a deadline does
// not contain the cause.
type stoppedError struct{ err, cause error }

func (e *stoppedError) Error() string   { return e.err.Error() }
func (e *stoppedError) Unwrap() []error { return []error{e.err, e.cause} }

// WithCause adds the cause of ctx to the error of a run if ctx has ended.
func WithCause(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || errors.Is(err, cause) {
		return err
	}
	return &stoppedError{err, cause}
}
