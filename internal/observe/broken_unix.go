//go:build unix

package observe

import (
	"errors"
	"syscall"
)

// errReset is the system's error for a connection that the other end reset.
const errReset = syscall.ECONNRESET

// broken reports whether the system reported a broken connection.
func broken(err error) bool {
	return errors.Is(err, errReset) || errors.Is(err, syscall.EPIPE)
}
