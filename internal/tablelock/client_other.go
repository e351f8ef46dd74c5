//go:build !linux

package tablelock

// thisClient returns nothing: others cannot look after a process of this system.
func thisClient() client { return client{} }

func isAlive(client) bool { return true }
