package pg

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/dsn"
	"github.com/loadgrid/loadgrid/internal/socket"
)

// Defaults for watching a connection if the DSN does not set them.
const (
	// silenceLimit is how long nothing may be sent or received while the driver waits. After that, the watch asks
	// the server what the connection's backend is doing.
	silenceLimit = 30 * time.Second
	probeLimit   = 10 * time.Second // for one such question
)

// limits are the limits of the watch over a connection.
type limits struct {
	silence time.Duration // see silenceLimit
	again   time.Duration // before the second question, if the first one found a problem
	probe   time.Duration // see probeLimit
}

func limitsOf(silence time.Duration) limits {
	return limits{silence: silence, again: silence / 2, probe: min(probeLimit, silence)}
}

// dialer opens the connections of a pool and watches them. TCP keepalive finds out if the kernel at the other end
// is gone, and the watch (see watchedConn) if no backend is working behind the connection.
type dialer struct {
	next        pgconn.DialFunc // opens the connection
	keepAlive   net.KeepAliveConfig
	userTimeout int // tcp_user_timeout in milliseconds; 0 for the system's default
	limits      limits

	// To ask on a connection of its own. beforeConnect is the pool's hook, and may be nil: it sets what changes
	// from one connection to the next, such as a password.
	server        *pgx.ConnConfig
	beforeConnect func(context.Context, *pgx.ConnConfig) error

	// probe is probeBackend, which tests replace.
	probe func(context.Context, *watchedConn, backendState) (backendState, string)
	// sessions is true if a pooler in between keeps one backend for a connection. Until that is known, there are
	// no questions about it.
	sessions atomic.Bool
	// reserved is true while somebody uses the pool: see Own.
	reserved atomic.Bool
}

// newDialer makes a dialer for a configuration, and sets it as the configuration's dialer. It takes libpq's
// network parameters out of the configuration: see dsn.TakeNetwork. tcp_user_timeout applies to the socket, on
// Linux, and also replaces silenceLimit, which is at least a second. It has no other default, because Linux then
// also ends a connection whose peer is alive but reads nothing for that long, such as a COPY that waits for a
// lock.
func newDialer(pool *pgxpool.Config) error {
	config := pool.ConnConfig
	network, err := dsn.TakeNetwork(config.RuntimeParams)
	if err != nil {
		return err
	}

	d := &dialer{next: config.DialFunc, keepAlive: network.KeepAlive, userTimeout: network.UserTimeout,
		limits: limitsOf(silenceLimit), beforeConnect: pool.BeforeConnect}
	d.probe = d.probeBackend
	if d.userTimeout > 0 {
		d.limits = limitsOf(max(time.Duration(d.userTimeout)*time.Millisecond, time.Second))
	}

	d.server = config.Copy() // with the original DialFunc and AfterConnect
	config.DialFunc = d.dial
	config.AfterConnect = d.connected

	return nil
}

// dial is the driver's DialFunc.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.open(ctx, d.next, network, address)
	if err != nil {
		return nil, err
	}

	return newWatchedConn(conn, d, network, address), nil
}

// open dials and sets the socket's options. A connection that is not TCP, or hides its socket, stays as it is.
func (d *dialer) open(ctx context.Context, dial pgconn.DialFunc, network, address string) (net.Conn, error) {
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}

	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn, nil
	}

	if err := d.setOptions(tcp); err != nil {
		return nil, errors.Join(err, conn.Close())
	}

	return conn, nil
}

func (d *dialer) setOptions(tcp *net.TCPConn) error {
	if err := tcp.SetKeepAliveConfig(d.keepAlive); err != nil || d.userTimeout == 0 {
		return err
	}

	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}

	failed := raw.Control(func(fd uintptr) { err = socket.SetUserTimeout(fd, d.userTimeout) })

	return errors.Join(failed, err)
}

// connected starts the watch over a new connection, and lets the server watch it, too. It is the driver's
// AfterConnect.
func (d *dialer) connected(ctx context.Context, conn *pgconn.PgConn) error {
	if d.server.AfterConnect != nil {
		if err := d.server.AfterConnect(ctx, conn); err != nil {
			return err
		}
	}

	ctx, cancel := context.WithTimeout(ctx, d.server.ConnectTimeout)
	defer cancel()

	err := liftTimeout(ctx, func(ctx context.Context, sql string) error {
		_, err := conn.Exec(ctx, sql).ReadAll()
		return err
	})
	if err != nil {
		return err
	}

	results, err := conn.Exec(ctx, ownBackendSQL).ReadAll()
	if err != nil && !HasCode(err, pgerrcode.InsufficientPrivilege) { // pg_stat_activity may be hidden
		return err
	}

	if err == nil && len(results) == 1 && len(results[0].Rows) == 1 {
		row := results[0].Rows[0]
		// A pooler returns another process number, or none at all.
		if pid, err := strconv.ParseUint(string(row[0]), 10, 32); err == nil {
			watch(conn.Conn(), Backend{PID: uint32(pid), Start: string(row[1]), pooled: uint32(pid) != conn.PID()})
		}
	}

	_, err = conn.Exec(ctx, serverKeepAlive).ReadAll()
	if HasCode(err, pgerrcode.InvalidParameterValue) { // not on this platform
		return nil
	}

	return err
}

// ownBackendSQL runs before the hooks of a pool, so the session does not yet have the search_path of a run: see
// SearchPath.
const ownBackendSQL = `
	select pg_catalog.pg_backend_pid(), (
		select ` + BackendStartSQL + ` from pg_catalog.pg_stat_activity where pid operator(pg_catalog.=) pg_catalog.pg_backend_pid())`

// serverKeepAlive makes the server notice within a minute that its client is gone. It then ends the backend and
// releases the lock of the table. Otherwise it would wait for two hours, or for a quarter of an hour while an
// answer is on the way. Settings that somebody made stay: they are in reset_val, while setting shows the
// operating system's values. A Unix socket has no keepalive, and ignores the setting.
const serverKeepAlive = `
	select pg_catalog.set_config(name, v, false) from pg_catalog.pg_settings
	join (values ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'),
	             ('tcp_user_timeout', '60000')) w (n, v) on n operator(pg_catalog.=) name
	where reset_val operator(pg_catalog.=) '0'`

// MarkSessionPooling records that a pooler on the way of this connection keeps one backend for it, and for the
// other connections of its pool.
func MarkSessionPooling(conn net.Conn) {
	if c := watched(conn); c != nil {
		c.dialer.sessions.Store(true)
	}
}
