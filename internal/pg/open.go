// Package pg owns connections to the server: how they are opened and watched, what their
// errors mean, and the settings of a session.
package pg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
)

// connectTimeout is how long connecting may take when the DSN does not say.
const connectTimeout = 10 * time.Second

// Open connects to PostGIS: dsn is a URL or a list of keywords as psql takes
// them; what it leaves open comes from the PG* environment, the service file and
// the password file. The pool has room for so many connections. Open
// gives up after connect_timeout, or after 10 seconds when that is not set.
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
func Open(ctx context.Context, dsn string, conns int) (*pgxpool.Pool, error) {
	config, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}

	config.MaxConns = int32(conns)
	config.MinConns = 0
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}

	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "loadgrid"
	}

	// Turned off by prepareSession, and not in force until then either.
	for _, name := range SessionTimeouts() {
		delete(config.ConnConfig.RuntimeParams, name)
	}

	// Names and values go out as UTF-8, whatever the role's or the database's is.
	config.ConnConfig.RuntimeParams["client_encoding"] = "UTF8"
	if _, err := newDialer(config.ConnConfig); err != nil {
		return nil, err
	}

	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, config.ConnConfig.ConnectTimeout)
		defer cancel()

		return prepareSession(ctx, conn)
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

// CheckDSN tells whether dsn is a connection string, as Open takes it, without
// connecting. It is a *geomgen.ParamError where it is none.
func CheckDSN(dsn string) error {
	_, err := parseDSN(dsn)
	return err
}

func parseDSN(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, &geomgen.ParamError{Param: "dsn", Value: "(not shown)", Reason: dsnReason(err)}
	}
	return config, checkHosts(dsn, config.ConnConfig)
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

// SessionTimeouts are the limits that hold for any session of a role or database.
func SessionTimeouts() []string {
	return []string{"statement_timeout", "transaction_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout"}
}

// prepareSession turns off what a role or database may have set against stray
// sessions: an index takes as long as it takes, and the connection that holds a
// table's lock is idle meanwhile. Not every server knows all of them.
//
// A backend notices that its client is gone when it next reads from it, and an
// index build does not. From PostgreSQL 14 on it can look from time to time, on
// most platforms; where it cannot, a rerun waits for it.
func prepareSession(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `
		select set_config(name, '0', false) from pg_settings where name = any($1::text[])`,
		pgx.QueryExecModeExec, SessionTimeouts())
	if err != nil {
		return err
	}

	_, err = conn.Exec(ctx, `
		select set_config(name, '2s', false) from pg_settings
		where name = 'client_connection_check_interval' and setting = '0'`, pgx.QueryExecModeExec)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == pgerrcode.InvalidParameterValue { // not on this platform
		return nil
	}

	return err
}

// dsnReason says why a connection string cannot be read. The parser's own
// message may quote the string, and the password in it: only what is known to
// be free of it is passed on.
func dsnReason(err error) string {
	reason := "is no connection string: it must look like 'host=db dbname=gis user=me' or postgresql://me@db/gis"
	for known, hint := range map[string]string{
		"failed to read service":  " (service, PGSERVICE, PGSERVICEFILE)",
		"failed to configure TLS": " (sslmode, sslrootcert, sslcert, sslkey)",
		"invalid port":            "", "invalid connect_timeout": "", "invalid sslcertmode": "",
		"could not match": " the number of ports to that of hosts",
	} {
		if strings.Contains(err.Error(), "`: "+known) {
			reason = known + hint
		}
	}

	var file *fs.PathError
	if errors.As(err, &file) {
		reason += ": " + file.Error()
	}

	return reason
}

// checkHosts refuses a connection string of which the parser may have taken a
// part of the password for a host or a database: those are printed, and looked
// up in DNS.
func checkHosts(dsn string, c *pgx.ConnConfig) error {
	refuse := func() error {
		return &geomgen.ParamError{Param: "dsn", Value: "(not shown)",
			Reason: "where its host begins is in doubt: in a URL write %40, %2F, %3F, %23, %3A for @ / ? # : in user and password; in a list of keywords put spaces between them"}
	}
	if _, rest, ok := strings.Cut(dsn, "://"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		_, path, _ := strings.Cut(rest, "/")
		if strings.Count(rest, "@") > 1 || strings.Contains(path, "@") {
			return refuse()
		}
	}

	hosts := []string{c.Host}

	for _, f := range c.Fallbacks {
		hosts = append(hosts, f.Host)
	}

	for _, h := range hosts {
		// A path is a socket's, and so is a name that begins with @.
		if !strings.HasPrefix(h, "/") && len(h) > 0 && strings.ContainsAny(h[1:], "@;= ") {
			return refuse()
		}
	}

	return nil
}

func place(c *pgx.ConnConfig) string {
	database := c.Database
	if database == "" {
		database = c.User // as the server takes it
	}
	return fmt.Sprintf("%s:%d, database %s, as %s", c.Host, c.Port, database, c.User)
}
