package pg

import (
	"context"
	"time"
)

// setDeadline sets a deadline for the next read or write, or the driver's where that
// comes earlier. One that is there and comes by up to early before it will do: to
// set it for each packet would cost a part of what sending it does.
func (h *ioDirection) setDeadline(t time.Time, early time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.deadline.IsZero() && h.deadline.Before(t) {
		t = h.deadline
	}

	if ahead := t.Sub(h.currentDeadline); ahead >= 0 && ahead <= early {
		return nil
	}

	h.currentDeadline = t

	return h.apply(t)
}

// deadlinePassed tells whether the driver's deadline has passed.
func (h *ioDirection) deadlinePassed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.deadline.IsZero() && !time.Now().Before(h.deadline)
}

// probeContext returns a context for a question to the server: it ends when limit has
// passed, at the driver's deadline, and when the driver sets another one.
func (h *ioDirection) probeContext(limit time.Duration) (context.Context, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	end := time.Now().Add(limit)
	if !h.deadline.IsZero() && h.deadline.Before(end) {
		end = h.deadline
	}

	ctx, cancel := context.WithDeadline(context.Background(), end)
	h.interrupt = cancel

	return ctx, func() {
		h.mu.Lock()
		h.interrupt = nil
		h.mu.Unlock()
		cancel()
	}
}

// stop ends the question that is asked.
func (h *ioDirection) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.interrupt != nil {
		h.interrupt()
	}
}
