// Package socket owns operations on sockets that the kernel offers and package net does not.
package socket

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// SetUserTimeout sets, in milliseconds, how long sent data may remain without an acknowledgement
// from the other end's kernel.
func SetUserTimeout(fd uintptr, ms int) error {
	return unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, ms)
}

// Unsent returns how many bytes are in the kernel that the other end has not received yet.
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
