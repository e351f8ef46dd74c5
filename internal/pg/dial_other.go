//go:build !linux

package pg

import "net"

// setUserTimeout does nothing, as libpq on a system that has no such option.
func setUserTimeout(uintptr, int) error { return nil }

// unsent is not known here.
func unsent(net.Conn) int { return 0 }
