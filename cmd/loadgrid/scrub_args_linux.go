package main

import (
	"strings"
	"unsafe"
)

// scrubArgs returns copies of the arguments, and hides what may be a password from
// the list of processes, which all users of the machine may read. On Linux that
// shows the memory that the kernel has put the arguments into, and the strings of
// os.Args are that memory: it is overwritten. Until then, a few milliseconds, it
// can be seen; LOADGRID_DSN and the password file have no such moment.
func scrubArgs(original []string) []string {
	args := make([]string, len(original))
	for i, arg := range original {
		args[i] = strings.Clone(arg)
	}

	for i := 1; i < len(args); i++ {
		at, hide := findSecret(args[i-1], args[i])
		if !hide {
			continue
		}

		memory := unsafe.Slice(unsafe.StringData(original[i]), len(original[i]))
		for j := range memory[at:] {
			memory[at+j] = maskByte
		}
	}

	return args
}
