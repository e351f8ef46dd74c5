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

// backendState is what the server says of a backend that is not at work. The zero
// value is that of one that is, or about which nothing is known.
type backendState struct {
	state  string // "gone", "away" for a server that cannot be asked, or what pg_stat_activity has
	since  string // when that changed last
	copied int64  // bytes that its COPY has read
	unsent int    // bytes that this end's kernel still holds
}

// probeBackend asks the server of a connection, on a new one, what its backend does. It
// returns the state where that is trouble, with words for people. Where that is the same as
// before, the backend is ended, so that it holds neither locks nor rows of the
// ledger against the next attempt.
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
		_ = b.Terminate(ctx, conn) // it goes in any case, once the server has noticed
	}

	return found, words
}

// answered tells whether an error comes from a server that is alive: it has no
// room for one more connection, for example.
func answered(err error) bool {
	var pgErr *pgconn.PgError
	var wrongCert *tls.CertificateVerificationError
	return errors.As(err, &pgErr) || errors.As(err, &wrongCert)
}

var (
	errElsewhere = errors.New("this is not where the connection goes")
	// errNotAsked is no news of the server: what the caller gives each connection was not
	// to be had, such as a password.
	errNotAsked = errors.New("the server was not asked")
)

// reach connects to the very place that a connection goes to, whatever its name
// means by now, with the password, the TLS and the rest that hold for that place.
func (d *dialer) reach(ctx context.Context, c *watchedConn) (conn *pgx.Conn, hangUp func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	var opened []net.Conn
	hangUp = func() {
		cancel() // first, so that the driver's farewell opens no more
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

// read reads what the server knows of a backend. The connection has the role's search_path, so
// that what it calls has its schema. The state stays empty when
// that is at work, or when the server does not say.
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

// major returns the first number of a version, 0 where there is none.
func major(version string) int {
	digits := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(version)
	}

	n, _ := strconv.Atoi(version[:digits])

	return n
}
