package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signalError is the reason why a context ended.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string {
	switch e.signal {
	case syscall.SIGTERM:
		return "stopped by SIGTERM"
	case syscall.SIGHUP:
		return "stopped by SIGHUP: the terminal was closed"
	}

	return "stopped by SIGINT"
}

// withSignals ends the context at the first SIGINT, SIGTERM or SIGHUP. A second one ends the program at once. A
// closed pipe is an error of the write to it, and does not end the program, which may have to clean up.
func withSignals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	stops := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		stops = append(stops, syscall.SIGHUP)
	}

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, stops...)
	go func() {
		if s, ok := (<-signals).(syscall.Signal); ok {
			signal.Reset(stops...)
			cancel(signalError{s})
		}
	}()

	return ctx, func() { cancel(context.Canceled) }
}
