package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Open connects to PostGIS: dsn is a URL or a list of keywords as psql takes them.
// The pool has room for a run with that many streams, 0 for those of a plan that
// leaves them open. See pg.Open for time limits, and for how a connection that is lost
// is found out.
func Open(ctx context.Context, dsn string, streams int) (*pgxpool.Pool, error) {
	if streams == 0 {
		streams = plan.DefaultStreams
	}

	return pg.Open(ctx, dsn, poolSize(streams))
}

// poolSize is the number of connections that a run uses: its streams, the lock,
// and one that watches.
func poolSize(streams int) int {
	return max(streams, finishConns) + 2
}
