package pg

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/internal/socket"
)

// backendState is the server's information about a backend that is not working. The zero value means that it is
// working, or that nothing is known.
type backendState struct {
	state  string // "gone", "away" for a server that does not answer, or the state in pg_stat_activity
	since  string // when that last changed
	copied int64  // bytes that its COPY has read
	unsent int    // bytes that the kernel at this end has not sent
}

// probeBackend asks the server, on a new connection, what the backend of a connection is doing. If there is a
// problem, it returns the state and a description for people. If the problem is the same as before, probeBackend
// ends the backend, so that it does not block the next attempt with locks or rows of the ledger.
func (d *dialer) probeBackend(ctx context.Context, c *watchedConn, before backendState) (backendState, string) {
	b := c.backend.Load()
	conn, hangUp, err := d.reach(ctx, c)
	defer hangUp()
	reached := err == nil
	found := backendState{unsent: socket.Unsent(c.Conn)}
	var words string
	if reached {
		words, err = found.read(ctx, conn, *b)
	}

	switch {
	case answered(err), errors.Is(err, errNotAsked), errors.Is(ctx.Err(), context.Canceled):
		return backendState{}, ""
	case err != nil && reached && b.pooled:
		return backendState{}, "" // a pooler lets this connection wait for its turn
	case err != nil:
		found.state = "away"
		return found, "the server cannot be reached: " + Message(err)
	case found.state == "":
		return backendState{}, ""
	case found == before:
		_ = b.Terminate(ctx, conn) // it ends in any case once the server notices
	}

	return found, words
}

// answered reports whether an error comes from a live server, which may have no room for another connection, for
// example.
func answered(err error) bool {
	var pgErr *pgconn.PgError
	var wrongCert *tls.CertificateVerificationError
	return errors.As(err, &pgErr) || errors.As(err, &wrongCert)
}

var (
	errElsewhere = errors.New("this is not the address of the connection")
	// errNotAsked tells nothing about the server: something that each connection gets from the caller was not
	// available, such as a password.
	errNotAsked = errors.New("the server was not asked")
)

// reach connects to exactly the address of a connection, even if its name has changed since, with the password,
// TLS and other settings for that address.
func (d *dialer) reach(ctx context.Context, c *watchedConn) (conn *pgx.Conn, hangUp func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	var opened []net.Conn
	hangUp = func() {
		cancel() // first, so that the driver's goodbye opens no more
		mu.Lock()
		defer mu.Unlock()

		for _, o := range opened {
			_ = o.Close()
		}
	}

	config := d.server.Copy()
	if d.beforeConnect != nil {
		if err := d.beforeConnect(ctx, config); err != nil {
			return nil, hangUp, fmt.Errorf("%w: %w", errNotAsked, err)
		}
	}

	dial := config.DialFunc
	config.ValidateConnect = nil
	config.LookupFunc = func(context.Context, string) ([]string, error) {
		host, _, err := net.SplitHostPort(c.address)
		return []string{host}, err
	}
	config.DialFunc = func(dialCtx context.Context, network, address string) (net.Conn, error) {
		if network != c.network || address != c.address {
			return nil, errElsewhere
		}

		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}

		o, err := d.open(dialCtx, dial, network, address)
		if err == nil {
			opened = append(opened, o)
		}

		return o, err
	}

	conn, err = pgx.ConnectConfig(ctx, config)

	return conn, hangUp, err
}

// read reads what the server knows about a backend. The connection has the role's search_path, so all names
// include their schema. The state stays empty if the backend is working, or if the server does not tell.
func (e *backendState) read(ctx context.Context, conn *pgx.Conn, b Backend) (words string, err error) {
	copied := "0"
	if major(conn.PgConn().ParameterStatus("server_version")) >= 14 {
		copied = "coalesce((select bytes_processed from pg_catalog.pg_stat_progress_copy c where c.pid operator(pg_catalog.=) a.pid), 0)"
	}

	var state, event, since string
	err = conn.QueryRow(ctx, `
		select coalesce(state, ''), case when wait_event_type operator(pg_catalog.=) 'Client' then wait_event else '' end,
		       coalesce(state_change::pg_catalog.text, ''), `+copied+`
		from pg_catalog.pg_stat_activity a
		where pid operator(pg_catalog.=) $1 and `+BackendStartSQL+` operator(pg_catalog.=) $2`,
		pgx.QueryExecModeExec, int64(b.PID), b.Start).Scan(&state, &event, &since, &e.copied)

	switch {
	case errors.Is(err, pgx.ErrNoRows):
		e.state = "gone"
		return fmt.Sprintf("its backend %d is gone", b.PID), nil
	case err != nil:
		return "", err
	case strings.HasPrefix(state, "idle"):
		words = fmt.Sprintf("its backend %d is %s", b.PID, state)
	case event == "ClientRead" || event == "ClientWrite":
		words = fmt.Sprintf("its backend %d waits for this client (%s)", b.PID, event)
	default:
		return "", nil
	}

	e.state, e.since = state+" "+event, since

	return words, nil
}

// major returns the first number of a version, or 0 if there is none.
func major(version string) int {
	digits := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(version)
	}

	n, _ := strconv.Atoi(version[:digits])

	return n
}
