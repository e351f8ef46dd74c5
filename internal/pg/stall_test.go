package pg

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

// silence is short here: waits that must outlast it are many times longer.
const testSilence = 30 * time.Millisecond

// watchedPair returns a watched connection, its other end, and a counter of the questions to the server about it.
func watchedPair(t *testing.T, ask func(context.Context, *watchedConn, backendState) (backendState, string)) (c *watchedConn, peer net.Conn, asked *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	asked = new(atomic.Int64)
	d := &dialer{next: new(net.Dialer).DialContext, limits: limits{silence: testSilence, again: testSilence, probe: time.Minute}}
	d.probe = func(ctx context.Context, c *watchedConn, before backendState) (backendState, string) {
		asked.Add(1)
		return ask(ctx, c, before)
	}
	conn, err := d.dial(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}

	if peer, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		_ = conn.Close()
		_ = peer.Close()
	})
	watch(conn, Backend{PID: 1, Start: "now"})

	return conn.(*watchedConn), peer, asked
}

func atWork(context.Context, *watchedConn, backendState) (backendState, string) {
	return backendState{}, ""
}

func waiting(context.Context, *watchedConn, backendState) (backendState, string) {
	return backendState{state: "active ClientRead"}, "its backend waits"
}

// until waits for a condition.
func until(t *testing.T, what string, there func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if there() {
			return
		}
	}

	t.Fatalf("waited a minute for %s", what)
}

// A working backend may be silent.
func TestSilenceOfABackendAtWork(t *testing.T) {
	c, peer, asked := watchedPair(t, atWork)
	go func() {
		until(t, "questions", func() bool { return asked.Load() >= 5 })
		_, _ = peer.Write([]byte("done"))
	}()
	b := make([]byte, 10)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "done" {
		t.Errorf("got %q, %v", b[:n], err)
	}
}

// If the backend and the client wait for each other, the connection is closed for both directions.
func TestStall(t *testing.T) {
	for name, op := range map[string]func(*watchedConn) error{
		"read": func(c *watchedConn) error {
			_, err := c.Read(make([]byte, 1))
			return err
		},
		"write": func(c *watchedConn) error {
			var err error
			for b := make([]byte, 1<<20); err == nil; {
				_, err = c.Write(b)
			}

			return err
		},
		"write while a read waits": func(c *watchedConn) error {
			read := make(chan error, 1)
			go func() {
				_, err := c.Read(make([]byte, 1))
				read <- err
			}()
			var err error

			for b := make([]byte, 1<<20); err == nil; {
				_, err = c.Write(b)
			}

			if other := <-read; !errors.As(other, new(*StallError)) {
				return other
			}

			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, asked := watchedPair(t, waiting)
			err := op(c)
			var stall *StallError
			if !errors.As(err, &stall) || stall.Found != "its backend waits" || !IsTransient(err) {
				t.Fatalf("got %v", err)
			}

			// Between two questions, the kernel may still accept some of a write.
			if n := asked.Load(); n < 2 {
				t.Errorf("asked %d times, want at least 2", n)
			}

			if _, err := c.Read(make([]byte, 1)); !errors.As(err, &stall) {
				t.Errorf("after it: %v", err)
			}

			if _, err := c.Write(make([]byte, 1)); !errors.As(err, &stall) {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

// A problem that changes each time is not a stall: something makes progress.
func TestTroubleThatChanges(t *testing.T) {
	n := int64(0)
	c, peer, asked := watchedPair(t, func(context.Context, *watchedConn, backendState) (backendState, string) {
		n++
		return backendState{state: "active ClientRead", copied: n}, "its backend waits"
	})
	go func() {
		until(t, "questions", func() bool { return asked.Load() >= 5 })
		_, _ = peer.Write([]byte("x"))
	}()
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

// A problem before progress and one after it are not the same problem.
func TestTroubleThatPassed(t *testing.T) {
	peers := make(chan net.Conn, 1)
	c, peer, asked := watchedPair(t, func(ctx context.Context, c *watchedConn, before backendState) (backendState, string) {
		if before != (backendState{}) {
			t.Error("trouble is remembered although something has moved since")
		}

		peer := <-peers
		_, _ = peer.Write([]byte("x")) // it is there when the next read begins
		peers <- peer

		return waiting(ctx, c, before)
	})

	peers <- peer

	for range 4 {
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}

	if n := asked.Load(); n != 4 {
		t.Errorf("asked %d times, want 4", n)
	}
}

// While one direction makes progress, there are no questions about the other one.
func TestTheOtherDirection(t *testing.T) {
	c, peer, asked := watchedPair(t, atWork)
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		read <- err
	}()
	before := asked.Load()
	pauses, last := int64(0), time.Now()

	for began := time.Now(); time.Since(began) < 20*testSilence; time.Sleep(testSilence / 30) {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}

		if time.Since(last) > testSilence/2 {
			pauses++
		}
		last = time.Now()
	}

	// A pause of a busy machine may cause one question; real silence causes twenty.
	if n := asked.Load() - before; n > 10+pauses {
		t.Errorf("asked %d times, with %d pauses", n, pauses)
	}

	_, _ = peer.Write([]byte("x"))
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// The driver's deadline ends a read at once, even during a question to the server.
func TestDeadlineOfTheDriver(t *testing.T) {
	for name, set := range map[string]func(*watchedConn) error{
		"past":   func(c *watchedConn) error { return c.SetDeadline(time.Unix(1, 0)) },
		"future": func(c *watchedConn) error { return c.SetDeadline(time.Now().Add(50 * time.Millisecond)) },
	} {
		t.Run(name, func(t *testing.T) {
			c, _, asked := watchedPair(t, func(ctx context.Context, _ *watchedConn, _ backendState) (backendState, string) {
				<-ctx.Done() // for a minute, if nobody interrupts
				return backendState{state: "away"}, "it is away"
			})
			began := time.Now()
			go func() {
				until(t, "a question", func() bool { return asked.Load() >= 1 })
				_ = set(c)
			}()
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v", err)
			}

			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}

			// After the deadline is removed, the connection works and is watched.
			if err := c.SetDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}

			if _, err := c.Write([]byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
}

// Close ends a question in progress.
func TestCloseWhileAsking(t *testing.T) {
	c, _, asked := watchedPair(t, func(ctx context.Context, _ *watchedConn, _ backendState) (backendState, string) {
		<-ctx.Done()
		return backendState{}, ""
	})
	began := time.Now()
	go func() {
		until(t, "a question", func() bool { return asked.Load() >= 1 })
		_ = c.Close()
	}()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}

	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

// There are no questions before the backend is known, nor if a pooler may have changed it.
func TestUnknownBackend(t *testing.T) {
	c, peer, asked := watchedPair(t, atWork)
	exchange := func() {
		go func() {
			time.Sleep(5 * testSilence)
			_, _ = peer.Write([]byte("x"))
		}()
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}

	c.backend.Store(nil)
	exchange()
	watch(c, Backend{PID: 1, pooled: true})
	exchange()
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}

	MarkSessionPooling(c)
	go func() {
		until(t, "a question, since this pooler pools sessions", func() bool { return asked.Load() > 0 })
		_, _ = peer.Write([]byte("x"))
	}()
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// slowPieces writes in pieces, with pauses longer than the silence.
type slowPieces struct {
	net.Conn
	writes, reads *rand.Rand // one goroutine writes, another reads
}

func (s slowPieces) Write(p []byte) (n int, err error) {
	for len(p) > 0 && err == nil {
		m := min(len(p), 1+s.writes.IntN(1500))
		if s.writes.IntN(8) == 0 {
			time.Sleep(2 * testSilence)
		}

		m, err = s.Conn.Write(p[:m])
		p, n = p[m:], n+m
	}

	return n, err
}

// Read reads little at a time, and sometimes nothing for long.
func (s slowPieces) Read(p []byte) (int, error) {
	if s.reads.IntN(30) == 0 {
		time.Sleep(2 * testSilence)
	}
	return s.Conn.Read(p[:min(len(p), 1+s.reads.IntN(8000))])
}

// The deadlines of the watch harm neither bytes nor TLS: everything that is sent slowly in both directions
// arrives.
func TestSlowBytes(t *testing.T) {
	certificate := func() tls.Certificate {
		s := httptest.NewTLSServer(nil)
		defer s.Close()

		return s.TLS.Certificates[0]
	}()

	for name, layer := range map[string]func(conn, peer net.Conn) (net.Conn, net.Conn){
		"plain": func(conn, peer net.Conn) (net.Conn, net.Conn) { return conn, peer },
		"TLS": func(conn, peer net.Conn) (net.Conn, net.Conn) {
			return tls.Client(conn, &tls.Config{InsecureSkipVerify: true}), tls.Server(peer, &tls.Config{Certificates: []tls.Certificate{certificate}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			watchedConn, tcp, asked := watchedPair(t, atWork)
			// Small buffers, so that writes have to wait for reads.
			_ = watchedConn.Conn.(*net.TCPConn).SetWriteBuffer(4096)
			_ = tcp.(*net.TCPConn).SetReadBuffer(4096)
			conn, peer := layer(watchedConn, slowPieces{tcp, testrand.New(t, 1), testrand.New(t, 2)})
			want, rng := make([]byte, 60_000), testrand.New(t, 3)

			for i := range want {
				want[i] = byte(rng.Uint32())
			}

			echoed := make(chan error, 1)
			go func() { // the peer sends back what it receives
				got := make([]byte, len(want))
				_, err := io.ReadFull(peer, got)
				if err == nil {
					_, err = peer.Write(got)
				}

				echoed <- err
			}()

			go func() { _, _ = conn.Write(want) }()
			got := make([]byte, len(want))
			if _, err := io.ReadFull(conn, got); err != nil {
				t.Fatal(err)
			}

			if err := <-echoed; err != nil {
				t.Fatal(err)
			}

			if !bytes.Equal(got, want) {
				t.Error("other bytes came back")
			}

			if asked.Load() == 0 {
				t.Error("it was never silent: this shows nothing")
			}

			if watched(conn) != watchedConn {
				t.Error("the watch is not found under the layer")
			}
		})
	}
}
