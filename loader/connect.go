package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/build"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Open connects to PostGIS: dsn is a URL or a list of keywords as psql takes
// them; what it leaves open comes from the PG* environment, the service file and
// the password file. The pool has room for a run with that many streams, 0 for as many
// as a plan has that leaves them open. Open gives up after connect_timeout, or after 10
// seconds when that is not set.
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
func Open(ctx context.Context, dsn string, streams int) (*pgxpool.Pool, error) {
	if streams == 0 {
		streams = plan.DefaultStreams
	}

	return pg.Open(ctx, dsn, poolSize(streams))
}

// poolSize is the number of connections that a run uses: its streams, the lock,
// and one that watches.
func poolSize(streams int) int {
	return max(streams, build.Conns) + 2
}
