//go:build !linux

// Package socket owns operations on sockets that the kernel offers and package net does not.
package socket

import "net"

// SetUserTimeout does nothing, like libpq on a system without this option.
func SetUserTimeout(uintptr, int) error { return nil }

// Unsent returns 0, because this system does not report it.
func Unsent(net.Conn) int { return 0 }
