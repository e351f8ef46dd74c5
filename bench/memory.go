package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// memoryWatch looks at the most memory that a process has held. Linux counts that
// anew when a program starts; what it tells of an ended child, ru_maxrss, begins
// with what the parent held, and is no measure of the child.
type memoryWatch struct {
	stop chan struct{}
	done sync.WaitGroup
	most int64 // bytes
}

// watchEvery is short beside the shortest load, and costs little.
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

// end stops the watch and returns the most that it has seen, in bytes.
func (w *memoryWatch) end() int64 {
	close(w.stop)
	w.done.Wait()
	return w.most
}

// highWater is VmHWM in /proc/PID/status, see proc(5): 0 where the process is gone.
func highWater(pid int) int64 {
	kB, err := strconv.ParseInt(strings.TrimSuffix(lineOf(fmt.Sprintf("/proc/%d/status", pid), "VmHWM"), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kB * 1024
}
