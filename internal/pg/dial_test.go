package pg

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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
