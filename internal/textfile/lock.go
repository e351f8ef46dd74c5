package textfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	// lockFor is the longest wait. Others have the lock for milliseconds, but for
	// seconds where a disk is slow to sync, and many jobs may end together. It is
	// longer than staleAfter, so that a killed process costs nobody a record.
	lockFor   = 90 * time.Second
	lockEvery = 10 * time.Millisecond // between two tries
	// staleAfter is the age from which on a lock file is what a killed process left.
	staleAfter = time.Minute
)

// errHeld is why a try to lock has failed when another has the lock.
var errHeld = errors.New("another process holds the lock")

// wait tries until it succeeds, fails for another reason than errHeld, or ctx ends.
// It tries once in any case.
func wait(ctx context.Context, dir string, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, lockFor)
	defer cancel()

	for {
		err := try()
		if !errors.Is(err, errHeld) {
			return err
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for others that write in %s: %w: %w", dir, err, context.Cause(ctx))
		case <-time.After(lockEvery):
		}
	}
}

// lockByFile is for systems and file systems that cannot lock a directory: a file
// that only one can make. When its owner is killed, others wait until it is stale.
func lockByFile(ctx context.Context, dir string) (unlock func() error, err error) {
	path := filepath.Join(dir, ".loadgrid.lock")
	err = wait(ctx, dir, func() error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			return f.Close()
		}

		if !errors.Is(err, os.ErrExist) {
			return err
		}

		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > staleAfter {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}

		return errHeld
	})

	if err != nil {
		return nil, err
	}

	return func() error { return os.Remove(path) }, nil
}
