package main

import (
	"context"
	"io"
	"time"
)

// await returns what do returns, or the reason why ctx has ended: it does not wait for what
// cannot look at a context, such as a read of stdin, the opening of a named pipe, or the
// check of a large area. What do has begun then goes on until the program ends, so it must
// leave nothing behind, and nothing of it may be used after an error.
func await[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()

	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}

	select {
	case r := <-done: // at the same time
		return r.value, r.err
	case <-time.After(abandonAfter):
		var none T
		return none, context.Cause(ctx)
	}
}

// abandonAfter is how long what is at work has to come to its end when a signal comes: a
// result that is ready is still shown.
const abandonAfter = 200 * time.Millisecond

// awaitErr is await for what returns an error alone.
func awaitErr(ctx context.Context, do func() error) error {
	_, err := await(ctx, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// patientWriter writes to a pipe that nobody may read, until ctx ends.
type patientWriter struct {
	ctx context.Context
	w   io.Writer
}

func (p patientWriter) Write(b []byte) (int, error) {
	// A writer must not keep what it was given, and one that is left behind has it still.
	b = append([]byte(nil), b...)
	return await(p.ctx, func() (int, error) { return p.w.Write(b) })
}

// Unwrap returns what is written to.
func (p patientWriter) Unwrap() io.Writer { return p.w }
