package pg

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/dsn"
)

func TestNetworkParameters(t *testing.T) {
	system := time.Duration(-1) // as in net.KeepAliveConfig
	for _, tt := range []struct {
		dsn       string
		keepAlive net.KeepAliveConfig
		silence   time.Duration
		socket    bool // the socket has a user timeout
		wrong     bool
	}{
		{dsn: "", keepAlive: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}, silence: 30 * time.Second},
		{dsn: "keepalives_idle=60 keepalives_interval=5 keepalives_count=9 tcp_user_timeout=2500",
			keepAlive: net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 5 * time.Second, Count: 9}, silence: 2500 * time.Millisecond, socket: true},
		{dsn: "keepalives=0", keepAlive: net.KeepAliveConfig{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}, silence: 30 * time.Second},
		{dsn: "keepalives=1 keepalives_idle=0 keepalives_interval=0 keepalives_count=0 tcp_user_timeout=0",
			keepAlive: net.KeepAliveConfig{Enable: true, Idle: system, Interval: system, Count: -1}, silence: 30 * time.Second},
		{dsn: "tcp_user_timeout=10", keepAlive: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}, silence: time.Second, socket: true},
		{dsn: "keepalives_idle=soon", wrong: true},
		{dsn: "tcp_user_timeout=2s", wrong: true},
		{dsn: "keepalives_count=99999999999", wrong: true},
	} {
		t.Run(tt.dsn, func(t *testing.T) {
			config, err := ParseConfig("host=/nowhere user=me "+tt.dsn, 1)
			if err != nil {
				t.Fatal(err)
			}

			err = newDialer(config)

			for _, name := range []string{"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"} {
				if v, there := config.ConnConfig.RuntimeParams[name]; there {
					t.Errorf("%s=%s goes to the server", name, v)
				}
			}

			var wrong *dsn.Error
			if tt.wrong {
				if !errors.As(err, &wrong) {
					t.Errorf("got %v, want an error of the dsn", err)
				}

				return
			}

			if err != nil {
				t.Fatal(err)
			}

			d := dialerOf(t, config)
			if d.keepAlive != tt.keepAlive || d.limits.silence != tt.silence || (d.userTimeout > 0) != tt.socket {
				t.Errorf("got %+v, silence %s, user timeout %d ms", d.keepAlive, d.limits.silence, d.userTimeout)
			}
		})
	}
}

// dialerOf dials with a configuration, to any address, and returns the dialer.
func dialerOf(t *testing.T, config *pgxpool.Config) *dialer {
	t.Helper()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()

	conn, err := config.ConnConfig.DialFunc(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })

	return conn.(*watchedConn).dialer
}
