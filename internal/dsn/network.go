package dsn

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// The defaults of the keepalive settings.
const (
	keepAliveIdle     = 30 * time.Second // silence before the first probe
	keepAliveInterval = 10 * time.Second // between probes without an answer
	keepAliveCount    = 3                // unanswered probes until the connection is closed
)

// Network holds the network settings of a DSN.
type Network struct {
	KeepAlive   net.KeepAliveConfig
	UserTimeout int // tcp_user_timeout in milliseconds; 0 for the system's
}

// TakeNetwork removes libpq's network parameters from the parameters of a configuration. psql handles them itself, and
// a server would refuse them. The error is an *Error.
//
//	keepalives           1 or 0: TCP keepalive or none. Defaults to 1
//	keepalives_idle      seconds, 0 for the system's. Defaults to 30
//	keepalives_interval  seconds, 0 for the system's. Defaults to 10
//	keepalives_count     0 for the system's. Defaults to 3
//	tcp_user_timeout     milliseconds, 0 for the system's. Defaults to 0
func TakeNetwork(params map[string]string) (n Network, err error) {
	p := networkParams{from: params}
	n.KeepAlive = net.KeepAliveConfig{
		Enable:   p.number("keepalives", "1 or 0", 1) != 0,
		Idle:     p.seconds("keepalives_idle", keepAliveIdle),
		Interval: p.seconds("keepalives_interval", keepAliveInterval),
		Count:    p.number("keepalives_count", "a number", keepAliveCount),
	}

	if n.KeepAlive.Count == 0 {
		n.KeepAlive.Count = -1 // the system's
	}

	n.UserTimeout = p.number("tcp_user_timeout", "a number of milliseconds", 0)

	return n, p.err
}

// networkParams removes parameters from a configuration. It keeps the error of the first wrong one in err.
type networkParams struct {
	from map[string]string
	err  error
}

func (p *networkParams) number(name, what string, otherwise int) int {
	s, given := p.from[name]
	delete(p.from, name)
	if !given || s == "" {
		return otherwise
	}

	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil && p.err == nil {
		p.err = &Error{Reason: fmt.Sprintf("%s must be %s", name, what)}
	}

	return max(int(n), 0) // as in libpq
}

// seconds returns a duration for net.KeepAliveConfig, for which a negative one means the default of the system.
func (p *networkParams) seconds(name string, otherwise time.Duration) time.Duration {
	n := p.number(name, "a number of seconds", int(otherwise/time.Second))
	if n == 0 {
		return -1
	}
	return time.Duration(n) * time.Second
}
