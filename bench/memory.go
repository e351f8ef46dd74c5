package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// memoryWatch finds the most memory that a process has held, from a counter that
// Linux resets when a program starts. ru_maxrss of an ended child is unsuitable,
// because it begins with the memory of the parent.
type memoryWatch struct {
	stop chan struct{}
	done sync.WaitGroup
	most int64 // bytes
}

// watchEvery is short compared with the shortest load, and costs little.
const watchEvery = 20 * time.Millisecond

func watchMemory(pid int) *memoryWatch {
	w := &memoryWatch{stop: make(chan struct{})}
	w.done.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-tick.C:
				w.most = max(w.most, highWater(pid))
			}
		}
	})
	return w
}

// end stops the watch and returns the greatest memory, in bytes.
func (w *memoryWatch) end() int64 {
	close(w.stop)
	w.done.Wait()
	return w.most
}

// highWater returns VmHWM in /proc/PID/status, see proc(5), or 0 if the process is gone.
func highWater(pid int) int64 {
	kB, err := strconv.ParseInt(strings.TrimSuffix(lineOf(fmt.Sprintf("/proc/%d/status", pid), "VmHWM"), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kB * 1024
}
