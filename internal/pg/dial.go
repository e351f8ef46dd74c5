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

// What a connection is looked after with, where the DSN does not say.
const (
	// silenceLimit is how long nothing may come or go while the driver waits, before
	// the server is asked what the connection's backend does.
	silenceLimit = 30 * time.Second
	probeLimit   = 10 * time.Second // for one such question
)

// limits are those of the watch over a connection.
type limits struct {
	silence time.Duration // see silenceLimit
	again   time.Duration // before the second question, once the first one has found trouble
	probe   time.Duration // see probeLimit
}

func limitsOf(silence time.Duration) limits {
	return limits{silence: silence, again: silence / 2, probe: min(probeLimit, silence)}
}

// dialer opens the connections of a pool and watches over them: TCP keepalive
// finds out that the other end's kernel is gone, the watch (see watchedConn) that
// nobody is at work behind it.
type dialer struct {
	next        pgconn.DialFunc // opens the connection
	keepAlive   net.KeepAliveConfig
	userTimeout int // tcp_user_timeout in milliseconds; 0 for the system's
	limits      limits

	// To ask on a connection of its own. beforeConnect is the pool's, and may be nil: it
	// gives each connection what changes from one to the next, such as a password.
	server        *pgx.ConnConfig
	beforeConnect func(context.Context, *pgx.ConnConfig) error

	// probe is probeBackend, which tests replace.
	probe func(context.Context, *watchedConn, backendState) (backendState, string)
	// sessions tells that a pooler on the way gives a connection one backend for
	// good. Until that is known, nothing is asked about it.
	sessions atomic.Bool
	// reserved tells that somebody works on the pool already: see Own.
	reserved atomic.Bool
}

// newDialer makes a dialer for a configuration, which dials with it from then on, and takes
// libpq's parameters of the network out of it: see dsn.TakeNetwork. tcp_user_timeout is the
// socket's, on Linux, and also replaces silenceLimit, which is at least a second. It has no
// other default, since Linux also ends a connection whose peer is alive and reads nothing for
// so long: a COPY that waits for a lock.
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

	d.server = config.Copy() // with the DialFunc and the AfterConnect that were there
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

// open dials, and sets what the socket is looked after with. What is no TCP connection, or
// hides it, stays as it is.
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

// connected begins the watch over a new connection, and lets the server watch,
// too. It is the driver's AfterConnect.
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
	if err != nil && !HasCode(err, pgerrcode.InsufficientPrivilege) { // somebody has hidden pg_stat_activity: nobody can be asked
		return err
	}

	if err == nil && len(results) == 1 && len(results[0].Rows) == 1 {
		row := results[0].Rows[0]
		// A pooler knows another process number, and other poolers none at all.
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

// ownBackendSQL asks before the hooks of a pool, so before the session has the search_path of
// a run: see SearchPath.
const ownBackendSQL = `
	select pg_catalog.pg_backend_pid(), (
		select ` + BackendStartSQL + ` from pg_catalog.pg_stat_activity where pid operator(pg_catalog.=) pg_catalog.pg_backend_pid())`

// serverKeepAlive makes the server notice within a minute that its client is
// gone, and end the backend and with it the lock of a table, where it would
// wait for two hours otherwise, or for a quarter of one while an answer of its is
// on the way. What somebody has set stays: reset_val is that, where setting is what
// the operating system makes of it. A Unix socket has none of it, and takes it.
const serverKeepAlive = `
	select pg_catalog.set_config(name, v, false) from pg_catalog.pg_settings
	join (values ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'),
	             ('tcp_user_timeout', '60000')) w (n, v) on n operator(pg_catalog.=) name
	where reset_val operator(pg_catalog.=) '0'`

// MarkSessionPooling tells that a pooler on the way of this connection gives it one backend
// for good, as others of its pool.
func MarkSessionPooling(conn net.Conn) {
	if c := watched(conn); c != nil {
		c.dialer.sessions.Store(true)
	}
}
