package observe

import (
	"context"
	"errors"
)

// stoppedError is the error of a run whose context has ended, with the cause of that. What
// a driver says of an end by its deadline does not hold it.
type stoppedError struct{ err, cause error }

func (e *stoppedError) Error() string   { return e.err.Error() }
func (e *stoppedError) Unwrap() []error { return []error{e.err, e.cause} }

// WithCause returns the error of a run with the cause for which its context has ended, if
// it has.
func WithCause(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || errors.Is(err, cause) {
		return err
	}
	return &stoppedError{err, cause}
}
