// Package pg owns connections to the server: how they are opened and watched, what their
// errors mean, and the settings of a session.
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

// connectTimeout is how long connecting may take when the DSN does not say.
const connectTimeout = 10 * time.Second

// ParseConfig reads a connection string for a pool with room for so many connections. text
// is a URL or a list of keywords as psql takes them; what it leaves open comes from the
// PG* environment, the service file and the password file. Nothing is connected. The error
// is a *dsn.Error.
//
// ConnConfig.Password may be set afterwards. It holds for every host that the string names: a
// fallback has a host, a port and TLS of its own, and no password.
func ParseConfig(text string, conns int) (*pgxpool.Config, error) {
	config, err := dsn.Parse(text)
	if err != nil {
		return nil, err
	}

	config.MaxConns = int32(conns)
	config.MinConns, config.MinIdleConns = 0, 0

	// Keepalive is set on the socket: see dialer.
	config.ConnConfig.DialFunc = (&net.Dialer{KeepAlive: -1}).DialContext

	return config, nil
}

// OpenConfig opens a pool, and connects once. config must come from ParseConfig, or from
// that of pgxpool, and stays as it is. Its hooks (BeforeConnect, AfterConnect and others)
// and its DialFunc hold for every connection, also for those that the watch asks on.
//
// OpenConfig gives up after ConnectTimeout, or after 10 seconds where that is 0. The
// application_name defaults to loadgrid. A session gets what a run relies on, whatever
// role, database or hooks have set: see prepareSession.
//
// A connection that is lost without a word is found out within about a minute: a
// dead network by TCP keepalive, a server that is paused, or that has lost the
// connection though its kernel or a proxy has not, by asking it on another one
// once nothing came or went for 30 seconds. That is a *StallError. libpq's
// keepalives, keepalives_idle, keepalives_interval, keepalives_count and
// tcp_user_timeout hold as for psql, and the latter replaces the 30 seconds,
// too. The server looks after the connection likewise, where
// nobody has set it otherwise.
//
// Close the pool with Close, which does not wait long for a network that is gone.
func OpenConfig(ctx context.Context, config *pgxpool.Config) (*pgxpool.Pool, error) {
	config, err := prepareConfig(config)
	if err != nil {
		return nil, err
	}

	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, Wrap(err, "connecting to %s", place(config.ConnConfig))
	}

	// A host with several addresses, or with TLS to fall back from, is tried
	// several times: all of them together have the same time.
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

// prepareConfig returns a copy of a configuration whose connections are watched, and whose
// sessions are prepared.
func prepareConfig(config *pgxpool.Config) (*pgxpool.Config, error) {
	config = config.Copy()
	c := config.ConnConfig

	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}

	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "loadgrid"
	}

	// Turned off by prepareSession, and not in force until then either.
	for _, name := range SessionTimeouts() {
		delete(c.RuntimeParams, name)
	}

	// Names and values go out as UTF-8, whatever the role's or the database's is.
	c.RuntimeParams["client_encoding"] = "UTF8"

	if err := newDialer(config); err != nil {
		return nil, err
	}

	prepareHooks(config)

	return config, nil
}

// prepareHooks prepares a session once the hooks of the configuration have had it.
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

// Own returns a pool for the program's own statements, and how to give it back. It is the
// same pool if OpenConfig has made that with room for so many connections, and nobody else
// has it from Own: two who share it could wait for each other's connections for ever. Else
// it is one with that room, opened from the pool's configuration. A connection of the
// caller's is thus never changed, nor used for longer than it takes to look at it.
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

// Close closes a pool. The driver says goodbye on connections that broke, too, and
// takes 15 seconds where the network swallows that: Close waits for a second and
// leaves the rest to go on by itself, or to end with the process.
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
		database = c.User // as the server takes it
	}
	return fmt.Sprintf("%s:%d, database %s, as %s", c.Host, c.Port, database, c.User)
}
