package observe

import (
	"errors"

	"golang.org/x/sys/windows"
)

// errReset is the system's error of a connection that the other end has reset.
const errReset = windows.WSAECONNRESET

// broken reports whether the system has said that a connection is broken. Package syscall
// has ECONNRESET and EPIPE here too, but no call of Windows returns them.
func broken(err error) bool {
	return errors.Is(err, errReset) || errors.Is(err, windows.WSAECONNABORTED) ||
		errors.Is(err, windows.WSAESHUTDOWN)
}
