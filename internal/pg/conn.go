package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// OpenConn takes a connection out of a pool for good, so that what is done to its session
// reaches nobody else. The caller closes it. The pool opens it as any other, with its
// hooks, and has room for another one in its place.
func OpenConn(ctx context.Context, pool *pgxpool.Pool) (*pgx.Conn, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}

	return conn.Hijack(), nil
}
