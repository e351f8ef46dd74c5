package dsn

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// What a connection is looked after with, where the DSN does not say.
const (
	keepAliveIdle     = 30 * time.Second // silent for so long, the other end is asked
	keepAliveInterval = 10 * time.Second // again, while it does not answer
	keepAliveCount    = 3                // unanswered, it is gone
)

// Network is what a DSN says of the network below a connection.
type Network struct {
	KeepAlive   net.KeepAliveConfig
	UserTimeout int // tcp_user_timeout in milliseconds; 0 for the system's
}

// TakeNetwork takes libpq's parameters of the network out of those of a configuration: psql
// heeds them itself, and a server would refuse them. The error is an *Error.
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
		n.KeepAlive.Count = -1 // as the system has it
	}

	n.UserTimeout = p.number("tcp_user_timeout", "a number of milliseconds", 0)

	return n, p.err
}

// networkParams takes parameters out of a configuration. What is wrong with the
// first wrong one stays in err.
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

	return max(int(n), 0) // as libpq has it
}

// seconds returns a duration for net.KeepAliveConfig, which leaves a negative one
// to the system.
func (p *networkParams) seconds(name string, otherwise time.Duration) time.Duration {
	n := p.number(name, "a number of seconds", int(otherwise/time.Second))
	if n == 0 {
		return -1
	}
	return time.Duration(n) * time.Second
}
