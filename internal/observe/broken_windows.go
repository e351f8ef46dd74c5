package observe

import (
	"errors"

	"golang.org/x/sys/windows"
)

// errReset is the system's error for a connection that the other end reset.
const errReset = windows.WSAECONNRESET

// broken reports whether the system reported a broken connection. Package syscall has ECONNRESET and EPIPE here,
// too, but no Windows call returns them.
func broken(err error) bool {
	return errors.Is(err, errReset) || errors.Is(err, windows.WSAECONNABORTED) ||
		errors.Is(err, windows.WSAESHUTDOWN)
}
