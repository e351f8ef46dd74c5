//go:build unix

package textfile

import (
	"errors"
	"syscall"
)

// busyHint is the advice if isBusy is true.
const busyHint = ": if a single file is mounted into a container, mount its directory instead"

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isBusy(err error) bool { return errors.Is(err, syscall.EBUSY) }
