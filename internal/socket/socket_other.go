//go:build !linux

// Package socket owns what the kernel is asked about a socket, and net does not know.
package socket

import "net"

// SetUserTimeout does nothing, as libpq on a system that has no such option.
func SetUserTimeout(uintptr, int) error { return nil }

// Unsent is not known here.
func Unsent(net.Conn) int { return 0 }
