package pg

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// The socket has the network options from the DSN.
func TestSocketOptions(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()

	for dsn, want := range map[string]map[int]int{
		"": {unix.TCP_KEEPIDLE: 30, unix.TCP_KEEPINTVL: 10, unix.TCP_KEEPCNT: 3, unix.TCP_USER_TIMEOUT: 0},
		"keepalives_idle=77 keepalives_interval=7 keepalives_count=5 tcp_user_timeout=12345": {
			unix.TCP_KEEPIDLE: 77, unix.TCP_KEEPINTVL: 7, unix.TCP_KEEPCNT: 5, unix.TCP_USER_TIMEOUT: 12345},
	} {
		config, err := ParseConfig("host=/nowhere user=me "+dsn, 1)
		if err != nil {
			t.Fatal(err)
		}

		if err := newDialer(config); err != nil {
			t.Fatal(err)
		}

		conn, err := config.ConnConfig.DialFunc(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		raw, err := conn.(*watchedConn).Conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}

		_ = raw.Control(func(fd uintptr) {
			for option, value := range want {
				if got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option); err != nil || got != value {
					t.Errorf("%q: option %d is %d, %v, want %d", dsn, option, got, err, value)
				}
			}
		})
	}
}
