package integration

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// network is the connection between a sandbox's loadgrid processes and the server. The tests' own queries
// do not use it.
type network struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// shortTimeouts sets the timeouts of the network so that loadgrid gives up within seconds.
func shortTimeouts(q url.Values) {
	q.Set("tcp_user_timeout", "2000")
	q.Set("connect_timeout", "2")
}

// throughProxy puts a network between a sandbox's loadgrid processes and the server.
func (s *sandbox) throughProxy(settings func(url.Values)) *network {
	s.t.Helper()
	n := &network{t: s.t}
	s.dsn = changeDSN(s.t, s.dsn, func(u *url.URL, q url.Values) {
		n.proxy = newProxy(s.t, u.Host)
		u.Host = n.proxy.Listen
		settings(q)
	})
	return n
}

func newProxy(t *testing.T, upstream string) *toxiproxy.Proxy {
	t.Helper()
	// Some of its faults write to a logger that is shared by the whole process.
	zerolog.SetGlobalLevel(zerolog.Disabled)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)

	return p
}

// addToxics adds faults of toxiproxy.
func (n *network) addToxics(toxics ...string) {
	n.t.Helper()
	for _, toxic := range toxics {
		if _, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			n.t.Fatalf("%s: %v", toxic, err)
		}
	}
}

// The faults. Each lasts until heal, which also ends the affected connections, like a router that
// restarts.
const (
	swallowUp   = `{"type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`
	swallowDown = `{"type": "timeout", "stream": "downstream", "attributes": {"timeout": 0}}`
	resetUp     = `{"type": "reset_peer", "stream": "upstream", "attributes": {"timeout": 0}}`
	resetDown   = `{"type": "reset_peer", "stream": "downstream", "attributes": {"timeout": 0}}`
)

// stop ends all connections and prevents new ones.
func (n *network) stop() { n.proxy.Stop() }

func (n *network) restore() {
	n.t.Helper()
	n.proxy.Toxics.ResetToxics(context.Background())
	if n.proxy.Enabled {
		return
	}
	if err := n.proxy.Start(); err != nil {
		n.t.Fatal(err)
	}
}

// router forwards connections and can drop the state of open ones: then nothing passes through, neither
// end is notified, and new connections work. Routers that translate addresses do this. toxiproxy has no
// such fault, because its faults also affect new connections.
type router struct {
	t        *testing.T
	listener net.Listener
	upstream string
	rate     int // bytes a second to the server; 0 for no limit

	mu       sync.Mutex
	sessions []*session
}

type session struct {
	client, server net.Conn
	mu             sync.Mutex
	dropped        bool
}

func (s *sandbox) throughRouter(settings func(url.Values)) *router {
	s.t.Helper()
	return s.throughSlowRouter(0, settings)
}

// throughSlowRouter passes this many bytes a second to the server. The router buffers little more than
// that from the client: the system's own buffer grows to megabytes and stays closed to the client until a
// sixteenth of it is free, which at a low rate means many seconds of silence.
func (s *sandbox) throughSlowRouter(rate int, settings func(url.Values)) *router {
	s.t.Helper()
	var listening net.ListenConfig
	if rate > 0 {
		listening.Control = func(_, _ string, c syscall.RawConn) (err error) {
			failed := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10) })
			return errors.Join(failed, err)
		}
	}

	listener, err := listening.Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}

	r := &router{t: s.t, listener: listener, rate: rate}
	s.dsn = changeDSN(s.t, s.dsn, func(u *url.URL, q url.Values) {
		r.upstream, u.Host = u.Host, listener.Addr().String()
		settings(q)
	})

	go r.accept()
	s.t.Cleanup(r.close)
	return r
}

func (r *router) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}

		server, err := net.Dial("tcp", r.upstream)
		if err != nil {
			_ = client.Close()
			continue
		}

		l := &session{client: client, server: server}
		r.mu.Lock()
		r.sessions = append(r.sessions, l)
		r.mu.Unlock()
		go l.forward(slowConn{client, r.rate}, server)
		go l.forward(server, client)
	}
}

// slowConn limits reading to this many bytes a second; 0 means no limit.
type slowConn struct {
	net.Conn
	rate int
}

func (c slowConn) Read(b []byte) (int, error) {
	if c.rate == 0 {
		return c.Conn.Read(b)
	}

	n, err := c.Conn.Read(b[:min(len(b), 4<<10)])
	time.Sleep(time.Duration(n) * time.Second / time.Duration(c.rate))

	return n, err
}

// forward forwards one direction, including its end, until the session is dropped.
func (l *session) forward(from, to net.Conn) {
	b := make([]byte, 1<<15)
	for {
		n, err := from.Read(b)
		l.mu.Lock()
		forgotten := l.dropped
		l.mu.Unlock()
		if forgotten {
			_, _ = io.Copy(io.Discard, from)
			return
		}

		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				_ = from.Close()
				return
			}
		}

		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// dropConnections drops the state of the open connections.
func (r *router) dropConnections() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.sessions {
		l.mu.Lock()
		l.dropped = true
		l.mu.Unlock()
	}
}

// waitForConnections waits until this many more connections were opened.
func (r *router) waitForConnections(more int) {
	r.t.Helper()
	count := func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.sessions)
	}

	before := count()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if count() >= before+more {
			return
		}
	}

	r.t.Fatalf("waited five minutes for %d more connections", more)
}

func (r *router) close() {
	_ = r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.sessions {
		_ = l.client.Close()
		_ = l.server.Close()
	}
}
