package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// OpenConn returns a connection of a pool for good, so that what is done to its session
// reaches nobody else. The pool opens it as any other, with its hooks. release closes it, and
// gives its room back; a backend that goes on with a statement is ended.
func OpenConn(ctx context.Context, pool *pgxpool.Pool) (conn *pgx.Conn, release func(), err error) {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return nil, nil, err
	}

	release = func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), StatementGrace)
		defer cancel()

		_ = c.Conn().Close(closing)

		// The command may be over after this: the pool's own way to it may take too long.
		if l := left(c.Conn()); l != nil {
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWait)
			defer cancel()

			_ = l.backend.Load().Terminate(ending, pool)
		}

		c.Release()
	}

	return c.Conn(), release, nil
}
