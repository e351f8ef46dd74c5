package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/dsn"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// DSNError reports a connection string that cannot be used. It does not show it, since
// there may be a password in it.
type DSNError = dsn.Error

// Open connects to PostGIS: it is ParseConfig and then OpenConfig.
func Open(ctx context.Context, text string, streams int) (*pgxpool.Pool, error) {
	config, err := ParseConfig(text, streams)
	if err != nil {
		return nil, err
	}

	return OpenConfig(ctx, config)
}

// ParseConfig reads a connection string, and connects to nothing. text is a URL or a list of
// keywords as psql takes them; what it leaves open comes from the PG* environment, the
// service file and the password file. A pool of the configuration has room for a run with so
// many streams, 0 for as many as a plan has that leaves them open. The error is a *DSNError.
//
// A password that you set in ConnConfig.Password holds for every host that the string names. One
// that changes, as the tokens of a cloud do, belongs into BeforeConnect, which is called for
// each connection.
func ParseConfig(text string, streams int) (*pgxpool.Config, error) {
	if streams == 0 {
		streams = plan.DefaultStreams
	}

	return pg.ParseConfig(text, PoolSize(streams))
}

// OpenConfig opens a pool, and connects once. config comes from ParseConfig here or in
// pgxpool, and stays as it is. Its hooks and its DialFunc hold for each connection.
// OpenConfig gives up after ConnectTimeout, or after 10 seconds where that is 0.
//
// A session of the pool has no time-outs of its role or database, is read committed, and
// writes, where its role alone says otherwise. Its application_name defaults to loadgrid.
//
// A connection that is lost without a word is found out within about a minute: a
// dead network by TCP keepalive, a server that is paused, or that has lost the
// connection though its kernel or a proxy has not, by asking it on another one
// once nothing came or went for 30 seconds. That is a *StallError. libpq's
// keepalives, keepalives_idle, keepalives_interval, keepalives_count and
// tcp_user_timeout hold as for psql, and the latter replaces the 30 seconds, too.
// The server looks after the connection likewise, where nobody has set it otherwise.
//
// Close the pool with Close, which does not wait long for a network that is gone.
func OpenConfig(ctx context.Context, config *pgxpool.Config) (*pgxpool.Pool, error) {
	return pg.OpenConfig(ctx, config)
}

// PoolSize returns how many connections a run with so many streams needs at a time: the
// streams, or what builds the indexes, the lock of the table, and one that watches. A job
// that leaves its streams open has 2 at most, and one with partitions no more than those.
func PoolSize(streams int) int {
	return max(streams, build.Conns) + 2
}

// PoolSizeError reports a pool that has too little room for a run.
type PoolSizeError struct {
	Have, Need int // connections
	Streams    int // that the job may have
}

func (e *PoolSizeError) Error() string {
	return fmt.Sprintf("the pool has room for %d connections, and a run with %d streams needs %d: raise MaxConns of the pool, or give the job fewer streams",
		e.Have, e.Streams, e.Need)
}

// checkRoom refuses a pool without the room that a run with so many streams needs.
func checkRoom(pool *pgxpool.Pool, streams int) error {
	have, need := int(pool.Config().MaxConns), PoolSize(streams)
	if have < need {
		return &PoolSizeError{Have: have, Need: need, Streams: streams}
	}

	return nil
}
