package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// OpenConn takes a connection out of a pool for good, so that changes to its session affect nobody else. The pool
// opens it like any other, with its hooks. release closes it and makes room in the pool. If its backend continues
// with a statement, release ends the backend.
func OpenConn(ctx context.Context, pool *pgxpool.Pool) (conn *pgx.Conn, release func(), err error) {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return nil, nil, err
	}

	release = func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), StatementGrace)
		defer cancel()

		_ = c.Conn().Close(closing)

		// The command may end after this, and the pool itself may take too long to do it.
		if l := left(c.Conn()); l != nil {
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWait)
			defer cancel()

			_ = l.backend.Load().Terminate(ending, pool)
		}

		c.Release()
	}

	return c.Conn(), release, nil
}
