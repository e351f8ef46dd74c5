package observe

import (
	"context"
	"errors"
	"io"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// Connect is Retry for the first connection to a server. It is not yet known whether the server exists. If nobody
// answers, host or port may be wrong, and Connect returns an error at once. It tries again if the server answered
// that it is starting, stopping or full, or if the connection broke before it was ready.
func (o *Observer) Connect(ctx context.Context, connect func() error) error {
	return o.Retry(ctx, RetryFor, "connect", func() error {
		err := connect()
		if err != nil && !reached(err) {
			return &unreachedError{err}
		}

		return err
	})
}

// reached reports whether a connection was established before the error.
func reached(err error) bool {
	return pg.SQLState(err) != "" || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || broken(err)
}

// unreachedError reports a server that may not exist.
type unreachedError struct{ err error }

func (e *unreachedError) Error() string { return e.err.Error() }

func (e *unreachedError) Unwrap() error { return e.err }

// Transient returns false because waiting does not help: see pg.IsTransient.
func (e *unreachedError) Transient() bool { return false }
