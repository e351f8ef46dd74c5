package main

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"
)

// closedPort returns an address of this machine on which nothing listens.
func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()

	return l.Addr().String()
}

// serveConnections answers each connection with answer until the test ends.
func serveConnections(t testing.TB, answer func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	ctx := t.Context() // ends before Cleanup
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})

	go func() {
		defer close(done)

		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}

			context.AfterFunc(ctx, func() { _ = conn.Close() })
			go answer(conn)
		}
	}()

	return l.Addr().String()
}

// refuseWith plays a server that answers the first message with an error.
func refuseWith(code, message string) func(net.Conn) {
	return func(conn net.Conn) {
		defer conn.Close()

		backend := pgproto3.NewBackend(conn, conn)
		if _, err := backend.ReceiveStartupMessage(); err != nil {
			return
		}

		backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: message})
		_ = backend.Flush()
	}
}

// serverCommands are all the commands that need a server.
func serverCommands() map[string][]string {
	return map[string][]string{
		"load":            {"load", "--table", "g", "--cell-size", "1", "--cols", "10", "--rows", "10"},
		"plan an append":  {"plan", "--table", "g", "--if-exists", "append", "--cell-size", "1", "--cols", "10", "--rows", "10"},
		"bench":           {"bench"},
		"runs list":       {"runs", "list"},
		"runs show":       {"runs", "show", "1"},
		"runs resume":     {"runs", "resume", "1"},
		"runs drop":       {"runs", "drop", "1"},
		"migrate up":      {"migrate", "up"},
		"migrate down":    {"migrate", "down"},
		"migrate version": {"migrate", "version"},
	}
}

func TestNobodyListens(t *testing.T) {
	clearEnv(t)
	address := closedPort(t)
	for name, args := range serverCommands() {
		t.Run(name, func(t *testing.T) {
			t.Setenv("LOADGRID_DSN", "postgresql://me:s3kr1tPw@"+address+"/gis?sslmode=disable")
			code, stdout, stderr := call(t.Context(), args...)
			if code != exitFailed || stdout != "" {
				t.Errorf("exit code %d, should be %d; stdout %q", code, exitFailed, stdout)
			}

			checkOneLine(t, stderr, "connecting to "+address+", database gis, as me", "refused", "check host and port")
			if strings.Contains(stderr, "s3kr1tPw") {
				t.Errorf("the password is shown: %s", stderr)
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	clearEnv(t)
	address := serveConnections(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	start := time.Now()
	code, stdout, stderr := call(t.Context(), "load", "--dsn", "postgresql://me@"+address+"/gis?connect_timeout=1",
		"--table", "g", "--cell-size", "1", "--cols", "10", "--rows", "10")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v to give up", took)
	}
	if code != exitFailed || stdout != "" {
		t.Errorf("exit code %d, should be %d; stdout %q", code, exitFailed, stdout)
	}

	checkOneLine(t, stderr, "connecting to "+address, "context deadline exceeded", "check host and port")
}

func TestServerRefuses(t *testing.T) {
	clearEnv(t)
	for _, tt := range []struct {
		code, message, advice string
	}{
		{pgerrcode.InvalidPassword, `password authentication failed for user "me"`, "check user and password"},
		{pgerrcode.InvalidAuthorizationSpecification, `Peer authentication failed for user "me"`, "connect to a host, such as localhost, with a password"},
		{pgerrcode.InvalidAuthorizationSpecification, `no pg_hba.conf entry for host "127.0.0.1"`, "pg_hba.conf"},
		{pgerrcode.InvalidCatalogName, `database "gis" does not exist`, "create the database"},
		{pgerrcode.TooManyConnections, "sorry, too many clients already", "max_connections"},
		{pgerrcode.CannotConnectNow, "the database system is starting up", "try again in a moment"},
		{pgerrcode.InternalError, "something that nobody foresaw", ""},
	} {
		t.Run(tt.message, func(t *testing.T) {
			address := serveConnections(t, refuseWith(tt.code, tt.message))
			t.Setenv("LOADGRID_DSN", "postgresql://me:s3kr1tPw@"+address+"/gis?sslmode=disable")
			code, stdout, stderr := call(t.Context(), "migrate", "version")
			if code != exitFailed || stdout != "" {
				t.Errorf("exit code %d, should be %d; stdout %q", code, exitFailed, stdout)
			}

			checkOneLine(t, stderr, "connecting to "+address, tt.message, "SQLSTATE "+tt.code, tt.advice)
			if strings.Contains(stderr, "s3kr1tPw") {
				t.Errorf("the password is shown: %s", stderr)
			}
		})
	}
}
