// Package socket owns what the kernel is asked about a socket, and net does not know.
package socket

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// SetUserTimeout bounds, in milliseconds, how long what was sent may stay without
// an answer of the other end's kernel.
func SetUserTimeout(fd uintptr, ms int) error {
	return unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, ms)
}

// Unsent returns how many bytes the kernel still holds that the other end has not
// got yet.
func Unsent(conn net.Conn) (n int) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return 0
	}

	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}

	_ = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })

	return n
}
