package pg

import (
	"context"
	"time"
)

// setDeadline sets the deadline for the next read or write: t, or the driver's if that is earlier. It keeps an
// existing deadline that is up to early sooner, because setting it for each packet would cost a part of what
// sending the packet costs.
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

// deadlinePassed reports whether the driver's deadline has passed.
func (h *ioDirection) deadlinePassed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.deadline.IsZero() && !time.Now().Before(h.deadline)
}

// probeContext returns a context for a question to the server. It ends after limit, at the driver's deadline, and
// when the driver sets another deadline.
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

// stop ends the present question.
func (h *ioDirection) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.interrupt != nil {
		h.interrupt()
	}
}
