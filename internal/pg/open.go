// Package pg owns connections to the server: opening and watching them, what their errors mean, and the settings
// of a session.
package pg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/dsn"
)

// connectTimeout is the default limit for connecting.
const connectTimeout = 10 * time.Second

// ParseConfig reads a connection string for a pool with room for the given number of connections. It does not
// connect. text is a URL or a list of keywords, as in psql. Missing settings come from the PG* environment
// variables, the service file and the password file. The error is a *dsn.Error.
//
// You may set ConnConfig.Password afterwards. It applies to all hosts in the string: a fallback has its own host,
// port and TLS, but no password.
func ParseConfig(text string, conns int) (*pgxpool.Config, error) {
	config, err := dsn.Parse(text)
	if err != nil {
		return nil, err
	}

	config.MaxConns = int32(conns)
	config.MinConns, config.MinIdleConns = 0, 0

	// The dialer sets keepalive on the socket.
	config.ConnConfig.DialFunc = (&net.Dialer{KeepAlive: -1}).DialContext

	return config, nil
}

// OpenConfig opens a pool and connects once. config must come from ParseConfig or pgxpool.ParseConfig, and is not
// changed. Its hooks (BeforeConnect, AfterConnect and others) and its DialFunc apply to all connections,
// including those on which the watch asks.
//
// OpenConfig gives up after ConnectTimeout, or after 10 seconds if that is 0. The application_name defaults to
// loadgrid. A session gets what a run relies on, whatever role, database or hooks have set: see prepareSession.
//
// The pool notices a silently lost connection within about a minute, and reports it as a *StallError:
//   - TCP keepalive finds a dead network.
//   - If no data passes for 30 seconds, the pool asks the server about the session on another connection. That
//     finds a paused server, and a session that the server lost although its kernel or a proxy keeps the
//     connection open.
//
// libpq's keepalives, keepalives_idle, keepalives_interval, keepalives_count and tcp_user_timeout work as in
// psql. tcp_user_timeout also replaces the 30 seconds. The server checks its side of the connection in the same
// way, unless its keepalives are already set.
//
// Close the pool with Close, which does not wait long if the network is gone.
func OpenConfig(ctx context.Context, config *pgxpool.Config) (*pgxpool.Pool, error) {
	config, err := prepareConfig(config)
	if err != nil {
		return nil, err
	}

	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, Wrap(err, "connecting to %s", place(config.ConnConfig))
	}

	// A host with several addresses, or with a fallback from TLS, is tried several times. All tries share one
	// time limit.
	pingCtx, cancel := context.WithTimeout(ctx, config.ConnConfig.ConnectTimeout)
	defer cancel()

	if err := pool.Ping(pingCtx); err != nil {
		Close(pool)

		if errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) {
			err = fmt.Errorf("no answer within %s: %w", config.ConnConfig.ConnectTimeout, context.DeadlineExceeded)
		}

		return nil, Wrap(err, "connecting to %s", place(config.ConnConfig))
	}

	return pool, nil
}

// prepareConfig returns a copy of a configuration whose connections are watched and whose sessions are prepared.
func prepareConfig(config *pgxpool.Config) (*pgxpool.Config, error) {
	config = config.Copy()
	c := config.ConnConfig

	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}

	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "loadgrid"
	}

	// prepareSession turns them off. Until then, they must not apply either.
	for _, name := range SessionTimeouts() {
		delete(c.RuntimeParams, name)
	}

	// Names and values are sent in UTF-8, whatever the encoding of the role or the database.
	c.RuntimeParams["client_encoding"] = "UTF8"

	if err := newDialer(config); err != nil {
		return nil, err
	}

	prepareHooks(config)

	return config, nil
}

// prepareHooks prepares a session after the hooks of the configuration.
func prepareHooks(config *pgxpool.Config) {
	limit := config.ConnConfig.ConnectTimeout
	prepare := func(ctx context.Context, conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()

		return prepareSession(ctx, conn)
	}

	connected := config.AfterConnect
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if connected != nil {
			if err := connected(ctx, conn); err != nil {
				return err
			}
		}

		return prepare(ctx, conn)
	}

	closing := config.BeforeClose
	config.BeforeClose = func(conn *pgx.Conn) {
		if closing != nil {
			closing(conn)
		}

		endLeft(conn)
	}

	// A hook such as reset all takes back what AfterConnect has set.
	//lint:ignore SA1019 a caller may have set it
	acquired, before := config.PrepareConn, config.BeforeAcquire
	if acquired == nil && before == nil && config.AfterRelease == nil {
		return
	}

	config.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		switch {
		case acquired != nil:
			if ok, err := acquired(ctx, conn); !ok || err != nil {
				return ok, err
			}
		case before != nil:
			if !before(ctx, conn) {
				return false, nil
			}
		}

		err := prepare(ctx, conn)

		return err == nil, err
	}
}

// Own returns a pool for the program's own statements, and a function that returns it. It is the same pool if
// OpenConfig opened that with enough room, and no other caller has it from Own: two callers could wait forever
// for each other's connections. Otherwise, it is a new pool with that room and the pool's configuration. So a
// connection of the caller is never changed, and is used only to look at it.
func Own(ctx context.Context, pool *pgxpool.Pool, conns int) (own *pgxpool.Pool, release func(), err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, nil, Wrap(err, "connecting")
	}

	prepared := watched(conn.Conn().PgConn().Conn())
	conn.Release()

	if prepared != nil && int(pool.Stat().MaxConns()) >= conns && prepared.dialer.reserved.CompareAndSwap(false, true) {
		return pool, func() { prepared.dialer.reserved.Store(false) }, nil
	}

	config := pool.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = int32(conns), 0, 0

	if own, err = OpenConfig(ctx, config); err != nil {
		return nil, nil, err
	}

	return own, func() { Close(own) }, nil
}

// closeTimeout is how long Close waits.
const closeTimeout = time.Second

// Close closes a pool. The driver says goodbye even on broken connections, which takes 15 seconds if the network
// swallows the packets. Close waits for one second. The rest continues in the background, or ends with the
// process.
func Close(pool *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		pool.Close()
	}()

	select {
	case <-closed:
	case <-time.After(closeTimeout):
	}
}

func place(c *pgx.ConnConfig) string {
	database := c.Database
	if database == "" {
		database = c.User // the server's default
	}
	return fmt.Sprintf("%s:%d, database %s, as %s", c.Host, c.Port, database, c.User)
}
