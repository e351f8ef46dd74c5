package tablelock

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"syscall"
)

// thisClient returns this process. Its space is the machine's boot and the process's PID namespace,
// so that containers with the same name differ.
func thisClient() client {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return client{}
	}

	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return client{}
	}

	began, _, err := processStat(os.Getpid())
	if err != nil {
		return client{}
	}

	h := fnv.New32a()
	_, _ = h.Write(append(bytes.TrimSpace(boot), namespace...))

	return newClient(max(h.Sum32(), 1), uint32(os.Getpid()), began)
}

// isAlive reports whether a process of this machine runs: it exists, has not ended, and is not
// another process that has got the same ID since. If the system does not tell, isAlive returns
// true.
func isAlive(c client) bool {
	if errors.Is(syscall.Kill(c.pid(), 0), syscall.ESRCH) {
		return false
	}

	began, ended, err := processStat(c.pid())
	if err != nil { // processes of other users may be hidden
		return true
	}

	return !ended && newClient(c.space, uint32(c.pid()), began) == c
}

// processStat returns when a process began, in ticks since boot, and whether it has ended and only
// waits for its parent to notice.
func processStat(pid int) (began uint64, ended bool, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false, err
	}

	// The second field is the program's name in parentheses, which may have any characters.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])

	const state, start = 0, 19 // indexes in the rest: see proc_pid_stat(5)
	if len(fields) <= start {
		return 0, false, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}

	began, err = strconv.ParseUint(string(fields[start]), 10, 64)

	return began, bytes.ContainsAny(fields[state], "ZXx"), err
}
