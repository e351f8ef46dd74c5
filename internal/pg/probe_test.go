package pg

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// passwordServer accepts connections with a password, and sends each password to a channel.
func passwordServer(t *testing.T) (address string, passwords <-chan string) {
	t.Helper()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })

	sent := make(chan string, 10)

	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}

			go func() {
				if password, err := takePassword(pgproto3.NewBackend(conn, conn)); err == nil {
					sent <- password
				}
			}()
		}
	}()

	return listener.Addr().String(), sent
}

// takePassword accepts a client with any password.
func takePassword(b *pgproto3.Backend) (string, error) {
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return "", err
	}

	b.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := b.Flush(); err != nil {
		return "", err
	}

	if err := b.SetAuthType(pgproto3.AuthTypeCleartextPassword); err != nil {
		return "", err
	}

	m, err := b.Receive()
	if err != nil {
		return "", err
	}

	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})

	return m.(*pgproto3.PasswordMessage).Password, b.Flush()
}

// watchedTo returns a watched connection whose configuration has the given BeforeConnect.
func watchedTo(t *testing.T, address string, before func(context.Context, *pgx.ConnConfig) error) *watchedConn {
	t.Helper()

	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}

	config, err := ParseConfig("host="+host+" port="+port+" user=me password=stale sslmode=disable", 1)
	if err != nil {
		t.Fatal(err)
	}
	config.BeforeConnect = before

	prepared, err := prepareConfig(config)
	if err != nil {
		t.Fatal(err)
	}

	conn, err := prepared.ConnConfig.DialFunc(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })

	c := conn.(*watchedConn)
	c.backend.Store(&Backend{PID: 1, Start: "now"})

	return c
}

// The question to the server uses the password from BeforeConnect, like any connection.
func TestProbeAsksForThePassword(t *testing.T) {
	address, passwords := passwordServer(t)
	c := watchedTo(t, address, func(_ context.Context, config *pgx.ConnConfig) error {
		config.Password = "token"
		return nil
	})

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	_, hangUp, err := c.dialer.reach(ctx, c)
	defer hangUp()

	if err != nil {
		t.Fatal(err)
	}

	if got := <-passwords; got != "token" {
		t.Errorf("it came with %q", got)
	}
}

// Without a password, nothing is known about the server, and the connection is kept.
func TestProbeWithoutAPassword(t *testing.T) {
	address, _ := passwordServer(t)
	c := watchedTo(t, address, func(context.Context, *pgx.ConnConfig) error { return errors.New("no token today") })

	// The server accepts everybody, and then answers nothing.
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()

	if found, words := c.dialer.probeBackend(ctx, c, backendState{}); found != (backendState{}) {
		t.Errorf("it found %+v: %s", found, words)
	}
}
