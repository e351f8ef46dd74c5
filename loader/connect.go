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

// DSNError reports an unusable connection string. It does not show the string, which may contain a password.
type DSNError = dsn.Error

// Open connects to PostGIS: it calls ParseConfig and then OpenConfig.
func Open(ctx context.Context, text string, streams int) (*pgxpool.Pool, error) {
	config, err := ParseConfig(text, streams)
	if err != nil {
		return nil, err
	}

	return OpenConfig(ctx, config)
}

// ParseConfig reads a connection string without connecting. text is a URL or a list of keywords, as in psql.
// Missing settings come from the PG* environment variables, the service file and the password file. The pool of
// the configuration has room for a run with the given number of streams; 0 means the most streams that a plan
// chooses by itself. The error is a *DSNError.
//
// A password in ConnConfig.Password applies to all hosts in the string. Set a password that changes, such as a
// cloud provider's token, in BeforeConnect, which runs for each connection.
func ParseConfig(text string, streams int) (*pgxpool.Config, error) {
	if streams == 0 {
		streams = plan.DefaultStreams
	}

	return pg.ParseConfig(text, PoolSize(streams))
}

// OpenConfig opens a pool and connects once. config comes from this package's ParseConfig or from pgxpool's, and
// OpenConfig does not change it. Its hooks and its DialFunc apply to each connection. OpenConfig gives up after
// ConnectTimeout, or after 10 seconds if ConnectTimeout is 0.
//
// Sessions of the pool ignore time-outs that are set for the role or the database. They use read committed, and
// they can write even if the role defaults to read-only. Their application_name defaults to loadgrid.
//
// The pool notices a silently lost connection within about a minute, and reports it as a *StallError:
//   - TCP keepalive finds a dead network.
//   - If no data passes for 30 seconds, the pool asks the server about the session on another connection. That
//     finds a paused server, and a session that the server lost although its kernel or a proxy keeps the
//     connection open.
//
// libpq's keepalives, keepalives_idle, keepalives_interval, keepalives_count and tcp_user_timeout work as in
// psql. tcp_user_timeout also replaces the 30 seconds. The server checks its side of the connection in the same
// way, unless you set its keepalives yourself.
//
// Close the pool with Close, which does not wait long if the network is gone.
func OpenConfig(ctx context.Context, config *pgxpool.Config) (*pgxpool.Pool, error) {
	return pg.OpenConfig(ctx, config)
}

// PoolSize returns how many connections a run with the given number of streams needs at a time: one per stream
// (or as many as building the indexes needs), one for the lock of the table, and one that watches the others. A
// job that sets no number of streams has at most 2, and a job with partitions has at most one per partition.
func PoolSize(streams int) int {
	return max(streams, build.Conns) + 2
}

// PoolSizeError reports a pool that is too small for a run.
type PoolSizeError struct {
	Have, Need int // connections
	Streams    int // of the job
}

func (e *PoolSizeError) Error() string {
	return fmt.Sprintf("the pool has room for %d connections, and a run with %d streams needs %d: raise MaxConns of the pool, or reduce the streams of the job",
		e.Have, e.Streams, e.Need)
}

// checkRoom refuses a pool that is too small for a run with the given number of streams.
func checkRoom(pool *pgxpool.Pool, streams int) error {
	have, need := int(pool.Config().MaxConns), PoolSize(streams)
	if have < need {
		return &PoolSizeError{Have: have, Need: need, Streams: streams}
	}

	return nil
}
