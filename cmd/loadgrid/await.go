package main

import (
	"context"
	"io"
	"time"
)

// await returns the result of do, or the reason why ctx has ended. It is for work that cannot watch a
// context, such as reading stdin, opening a named pipe, or checking a large area. If ctx ends, do continues
// until the program ends, so it must leave nothing behind, and its results may not be used after an error.
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

// abandonAfter is how long the work may take to finish after a signal, so that a result that is
// ready is still shown.
const abandonAfter = 200 * time.Millisecond

// awaitErr is await for functions that return only an error.
func awaitErr(ctx context.Context, do func() error) error {
	_, err := await(ctx, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// patientWriter writes to a pipe, which may have no reader, until ctx ends.
type patientWriter struct {
	ctx context.Context
	w   io.Writer
}

func (p patientWriter) Write(b []byte) (int, error) {
	// A writer must not keep its argument, but an abandoned write still has it.
	b = append([]byte(nil), b...)
	return await(p.ctx, func() (int, error) { return p.w.Write(b) })
}

// Unwrap returns the writer below.
func (p patientWriter) Unwrap() io.Writer { return p.w }
