//go:build unix

package observe

import (
	"errors"
	"syscall"
)

// errReset is the system's error of a connection that the other end has reset.
const errReset = syscall.ECONNRESET

// broken reports whether the system has said that a connection is broken.
func broken(err error) bool {
	return errors.Is(err, errReset) || errors.Is(err, syscall.EPIPE)
}
