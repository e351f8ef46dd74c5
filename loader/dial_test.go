package loader

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/geomgen"
)

func TestNetworkParameters(t *testing.T) {
	system := time.Duration(-1) // as net.KeepAliveConfig has it
	for _, tt := range []struct {
		dsn       string
		keepAlive net.KeepAliveConfig
		silence   time.Duration
		socket    bool // has a user timeout
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
			config, err := pgx.ParseConfig("host=/nowhere user=me " + tt.dsn)
			if err != nil {
				t.Fatal(err)
			}
			d, err := newDialer(config)
			for _, name := range []string{"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"} {
				if v, there := config.RuntimeParams[name]; there {
					t.Errorf("%s=%s goes to the server", name, v)
				}
			}
			var wrong *geomgen.ParamError
			if tt.wrong {
				if !errors.As(err, &wrong) || wrong.Param != "dsn" {
					t.Errorf("got %v, want an error of the dsn", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d.tcp.KeepAliveConfig != tt.keepAlive || d.limits.silence != tt.silence || (d.tcp.Control != nil) != tt.socket {
				t.Errorf("got %+v, silence %s, user timeout %v", d.tcp.KeepAliveConfig, d.limits.silence, d.tcp.Control != nil)
			}
		})
	}
}

// Time mends what a server that is away, full or busy says, and nothing else.
func TestTransient(t *testing.T) {
	for code, want := range map[string]bool{
		"08000": true, "08001": true, "08003": true, "08004": true, "08006": true, "08007": true, "08P01": true,
		"57P01": true, "57P02": true, "57P03": true, "57P05": true, "25P03": true, "25P04": true,
		"53300": true, "55P03": true, "40001": true, "40P01": true,
		"57014": false, "57P04": false, "53100": false, "53200": false, "28P01": false, "42P07": false, "23505": false,
		"25006": false, "40002": false, "XX000": false,
	} {
		if got := transient(serverError(&pgconn.PgError{Code: code}, "trying")); got != want {
			t.Errorf("SQLSTATE %s: %v, want %v", code, got, want)
		}
	}
	if !transient(&lostError{net.ErrClosed}) || !transient(&StallError{}) || transient(errors.New("else")) {
		t.Error("errors of the connection")
	}
}
