package pg

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// StallError reports a connection that was closed because it stalled. No data passed while the driver waited, and
// twice in a row, the server, asked on another connection, was not working for it or could not be reached.
type StallError struct {
	Silent time.Duration // for how long
	Found  string        // what the server reported, or why it did not
}

func (e *StallError) Error() string {
	return fmt.Sprintf("the connection stalled: no data passed for %s, and %s", e.Silent.Round(time.Second), e.Found)
}

// watchedConn is a connection to a server under the driver and its TLS. If a read or write makes no progress for
// long, it asks the server, on another connection, what the backend is doing. A backend that is working may be
// silent for any time, as during an index build. A backend that is gone, or that waits for this client, will
// never answer, although keepalive finds that the kernel at the other end, or a proxy, is alive. A paused server
// does not answer at all. In these cases, the connection is closed, and the driver gets a *StallError.
//
// The driver's deadlines apply as on any connection, even during a question to the server. Nothing is read or
// written on an idle connection, so there are no questions about it.
type watchedConn struct {
	net.Conn
	dialer           *dialer
	network, address string // where to ask

	read, write ioDirection
	backend     atomic.Pointer[Backend] // nil until it is known: then there is no watch
	opened      time.Time
	moved       atomic.Int64               // when data last passed, as time since opened
	stalled     atomic.Pointer[StallError] // set if the connection was closed as stalled
	broke       atomic.Pointer[error]      // the first error

	probing     sync.Mutex   // allows one question at a time, and guards the rest
	lastState   backendState // problem that the last question found
	lastStateAt int64        // value of moved at that time
}

// ioDirection is one direction of a connection.
type ioDirection struct {
	do    func([]byte) (int, error)
	apply func(time.Time) error // sets the deadline of do

	mu              sync.Mutex
	deadline        time.Time // set by the driver
	currentDeadline time.Time // deadline of do, or zero if unknown
	interrupt       func()    // ends the present question
}

func newWatchedConn(conn net.Conn, d *dialer, network, address string) *watchedConn {
	c := &watchedConn{Conn: conn, dialer: d, network: network, address: address, opened: time.Now()}
	c.read.do, c.read.apply = conn.Read, conn.SetReadDeadline
	c.write.do, c.write.apply = conn.Write, conn.SetWriteDeadline
	return c
}

// watched returns the watched connection under the driver's, or nil if it is not from a dialer.
func watched(conn net.Conn) *watchedConn {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	c, _ := conn.(*watchedConn)
	return c
}

// watch starts the watch over a connection of a dialer.
func watch(conn net.Conn, b Backend) {
	if c := watched(conn); c != nil {
		c.backend.Store(&b)
	}
}

// watches reports whether there is a backend to ask the server about.
func (c *watchedConn) watches() bool {
	b := c.backend.Load()
	return b != nil && (!b.pooled || c.dialer.sessions.Load())
}

// Read reads from the connection: see net.Conn.
func (c *watchedConn) Read(p []byte) (int, error) { return c.readOrWrite(&c.read, p) }

// Write writes to the connection: see net.Conn.
func (c *watchedConn) Write(p []byte) (n int, err error) {
	for {
		m, err := c.readOrWrite(&c.write, p[n:])
		n += m
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// readOrWrite reads or writes. Passing its own deadline is not an error.
func (c *watchedConn) readOrWrite(h *ioDirection, p []byte) (int, error) {
	if !c.watches() {
		return h.do(p)
	}

	since, wait := time.Now(), c.dialer.limits.silence

	for {
		if err := h.setDeadline(since.Add(wait), wait/2); err != nil {
			return 0, c.mapError(err)
		}

		n, err := h.do(p)
		passed := errors.Is(err, os.ErrDeadlineExceeded) && !h.deadlinePassed()

		switch {
		case n > 0 && passed:
			err = nil
			fallthrough
		case n > 0:
			c.moved.Store(int64(time.Since(c.opened)))
			return n, c.mapError(err)
		case !passed:
			return 0, c.mapError(err)
		}

		if last := c.opened.Add(time.Duration(c.moved.Load())); last.After(since) {
			since, wait = last, c.dialer.limits.silence // the other direction makes progress
		}

		if time.Since(since) < wait {
			continue
		}

		if wait, err = c.probe(h); err != nil {
			return 0, err
		}

		since = time.Now()
	}
}

// mapError returns the reason if the other direction closed the connection. It also remembers the first error of
// a connection.
func (c *watchedConn) mapError(err error) error {
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}

	if stalled := c.stalled.Load(); stalled != nil {
		return stalled
	}

	first := err // a copy, so that err itself stays on the stack
	c.broke.CompareAndSwap(nil, &first)

	return err
}

// closeError returns why the connection is closed, or nil if that is unknown. The driver hides it from a
// statement without parameters.
func (c *watchedConn) closeError() error {
	if stalled := c.stalled.Load(); stalled != nil {
		return stalled
	}

	if broke := c.broke.Load(); broke != nil {
		return *broke
	}

	return nil
}

// probe asks the server, and closes the connection if it finds the same problem for the second time and nothing
// has moved in between. Otherwise, it returns when to look again.
func (c *watchedConn) probe(h *ioDirection) (time.Duration, error) {
	limits := c.dialer.limits
	if !c.probing.TryLock() {
		return limits.silence, nil // the other direction is asking
	}
	defer c.probing.Unlock()
	moved := c.moved.Load()
	before := c.lastState
	if c.lastStateAt != moved {
		before = backendState{}
	}

	ctx, done := h.probeContext(limits.probe)
	found, words := c.dialer.probe(ctx, c, before)
	interrupted := h.deadlinePassed()
	done()
	if interrupted || c.moved.Load() != moved {
		return limits.silence, nil
	}

	c.lastState, c.lastStateAt = found, moved

	switch {
	case found == backendState{}:
		return limits.silence, nil
	case found != before:
		return limits.again, nil
	}

	err := &StallError{Silent: time.Since(c.opened) - time.Duration(moved), Found: words}
	c.stalled.Store(err)
	_ = c.Conn.Close() // so that the other direction and the driver's goodbye end at once

	return 0, err
}

// Close ends any operation in progress on the connection.
func (c *watchedConn) Close() error {
	err := c.Conn.Close()
	c.read.stop()
	c.write.stop()
	return err
}

// SetDeadline sets the driver's deadlines: see net.Conn.
func (c *watchedConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets the driver's deadline for reads: see net.Conn.
func (c *watchedConn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.read, t) }

// SetWriteDeadline sets the driver's deadline for writes: see net.Conn.
func (c *watchedConn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.write, t) }

func (c *watchedConn) setDeadline(h *ioDirection, t time.Time) error {
	h.mu.Lock()
	h.deadline, h.currentDeadline = t, time.Time{}
	if h.interrupt != nil && !t.IsZero() {
		h.interrupt()
	}

	h.mu.Unlock()
	if !c.watches() {
		return h.apply(t)
	}

	return h.setDeadline(time.Now().Add(c.dialer.limits.silence), 0)
}
