package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signalError is the reason that a context ended.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string {
	switch e.signal {
	case syscall.SIGTERM:
		return "stopped by SIGTERM"
	case syscall.SIGHUP:
		return "stopped by SIGHUP, the terminal is gone"
	}

	return "stopped by SIGINT"
}

// withSignals ends the context at the first SIGINT, SIGTERM or SIGHUP; a second
// one ends the program at once. A pipe that nobody reads any more is an error of
// the write to it, not the end of a program that has things to put in order.
func withSignals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	stops := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
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
