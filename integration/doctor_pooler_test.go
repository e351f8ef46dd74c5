package integration

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/loadgrid/loadgrid/internal/doctor"
)

// pooler is a connection pooler. Clients get process numbers from the pooler, and the most recently
// returned server connection, for a session or for a transaction.
type pooler struct {
	t            *testing.T
	transactions bool
	listener     net.Listener

	mu     sync.Mutex
	free   []*pgconn.HijackedConn
	opened []*pgconn.HijackedConn
	dsn    string
}

// throughPooler puts a pooler between the sandbox's loadgrid processes and the server.
func (s *sandbox) throughPooler(transactions bool) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}

	p := &pooler{t: s.t, transactions: transactions, listener: listener, dsn: s.dsn}
	s.dsn = changeDSN(s.t, s.dsn, func(u *url.URL, _ url.Values) { u.Host = listener.Addr().String() })

	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer client.Close()
				p.serve(client)
			})
		}
	})

	s.t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
		for _, server := range p.opened {
			_ = server.Conn.Close()
		}
	})
}

// take returns a free server connection, or a new one.
func (p *pooler) take() *pgconn.HijackedConn {
	p.mu.Lock()
	defer p.mu.Unlock()

	if n := len(p.free); n > 0 {
		server := p.free[n-1]
		p.free = p.free[:n-1]
		return server
	}

	conn, err := pgconn.Connect(context.Background(), p.dsn)
	if err != nil {
		p.t.Errorf("the pooler reaches no server: %v", err)
		return nil
	}

	server, err := conn.Hijack()
	if err != nil {
		p.t.Errorf("the pooler has no server connection: %v", err)
		return nil
	}
	p.opened = append(p.opened, server)

	return server
}

func (p *pooler) giveBack(server *pgconn.HijackedConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, server)
}

// greet admits a client with the messages that a server sends first.
func greet(client *pgproto3.Backend, server *pgconn.HijackedConn) error {
	startup, err := client.ReceiveStartupMessage()
	if _, starts := startup.(*pgproto3.StartupMessage); err != nil || !starts {
		return errors.Join(err, errors.New("it does not begin a session"))
	}

	client.Send(&pgproto3.AuthenticationOk{})
	for name, value := range server.ParameterStatuses {
		client.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	client.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})

	return client.Flush()
}

// serve serves a client until it leaves.
func (p *pooler) serve(conn net.Conn) {
	client, server := pgproto3.NewBackend(conn, conn), p.take()
	if server == nil || greet(client, server) != nil {
		return
	}

	for free := p.transactions; ; {
		if free {
			p.giveBack(server)
		}

		message, err := client.Receive()
		if _, leaves := message.(*pgproto3.Terminate); err != nil || leaves {
			if leaves && !free {
				p.giveBack(server)
			}
			return
		}

		if free {
			if server = p.take(); server == nil {
				return
			}
			free = false
		}
		server.Frontend.Send(message)

		switch message.(type) {
		case *pgproto3.Sync, *pgproto3.Query, *pgproto3.CopyDone, *pgproto3.CopyFail:
			status, err := answer(server, client)
			if err != nil {
				return
			}
			free = p.transactions && status == 'I'
		}
	}
}

// answer forwards the server's messages until the server is ready for more statements or COPY data.
func answer(server *pgconn.HijackedConn, client *pgproto3.Backend) (status byte, err error) {
	if err := server.Frontend.Flush(); err != nil {
		return 0, err
	}

	for {
		message, err := server.Frontend.Receive()
		if err != nil {
			return 0, err
		}

		client.Send(message)

		switch message := message.(type) {
		case *pgproto3.CopyInResponse:
			return 'T', client.Flush()
		case *pgproto3.ReadyForQuery:
			return message.TxStatus, client.Flush()
		}
	}
}

// A transaction pooler is a problem, and a load refuses it with the same words. A session pooler is not.
func TestDoctorBehindAPooler(t *testing.T) {
	for name, transactions := range map[string]bool{"sessions": false, "transactions": true} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			direct := s.examine("--schema", s.schema)
			s.expectFinding(direct, "pooler", doctor.OK, "none")

			s.throughPooler(transactions)
			r := s.examine("--schema", s.schema)
			if len(r.Findings) != len(direct.Findings) {
				t.Errorf("%d findings behind the pooler, and %d without it", len(r.Findings), len(direct.Findings))
			}

			load := s.load("grid", append(boxes(3, 3), "--progress", "none")...)
			if transactions {
				s.expectFinding(r, "pooler", doctor.Problem, "in transaction mode")
				cli(t, s.dsn, load...).expect(t, 1, "a pooler in transaction mode")
				return
			}

			s.expectFinding(r, "pooler", doctor.OK, "in session mode")
			mustCLI(t, s.dsn, load...)
		})
	}
}
