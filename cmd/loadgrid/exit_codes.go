package main

import (
	"context"
	"errors"

	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/loader"
)

// Exit codes, as the help of the program lists them.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitLocked    = 3
	exitResumable = 4
	exitSignal    = 128 // plus the number of the signal
)

// exitCode is the only place that turns errors into exit codes.
func exitCode(ctx context.Context, err error) int {
	var bySignal signalError
	if errors.As(context.Cause(ctx), &bySignal) {
		return exitSignal + int(bySignal.signal)
	}

	var (
		wrongUsage usageError
		noRun      *loader.NoRunError
		noLedger   *loader.NoLedgerError
		wrongState *loader.StateError
		locked     *loader.LockedError
		wrongFile  *jobfile.Errors
		resumable  *loader.ResumableError
		elsewhere  *loader.SharedFailedError
		notHeld    *loader.NotHeldError
	)

	switch {
	case errors.As(err, &elsewhere):
		return elsewhere.ExitCode()
	case errors.As(err, &resumable):
		return exitResumable
	case errors.As(err, &locked):
		return exitLocked
	case errors.As(err, &wrongUsage), wrongParam(err) != nil, errors.As(err, &noRun), errors.As(err, &noLedger), errors.As(err, &wrongState), errors.As(err, &wrongFile), errors.As(err, &notHeld):
		return exitUsage
	}

	return exitFailed
}
