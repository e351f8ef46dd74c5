package loader

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectApart opens a connection as the pool does, outside it.
func connectApart(ctx context.Context, pool *pgxpool.Pool) (*pgx.Conn, error) {
	config := pool.Config() // a copy
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, config.ConnConfig); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil || config.AfterConnect == nil {
		return conn, err
	}
	if err := config.AfterConnect(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// readBackend asks which backend a connection has.
func readBackend(ctx context.Context, q querier) (b backend, err error) {
	err = q.QueryRow(ctx, "select pid, "+backendStart+" from pg_stat_activity where pid = pg_backend_pid()").Scan(&b.pid, &b.start)
	return b, serverError(err, "asking the server for the number of a connection")
}
