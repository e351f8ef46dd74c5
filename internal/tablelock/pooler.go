package tablelock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// poolerTimeout limits the wait for a second connection through a pooler.
const poolerTimeout = 5 * time.Second

// RefusePooler refuses a connection whose backend may change between transactions: a session lock
// does not hold on it. A pooler gives itself away because the process ID that it gave at connecting
// differs from the backend's. It pools transactions if another transaction takes the backend away.
// RefusePooler prepares no statements, because such a pooler mixes them up.
func RefusePooler(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return pg.Wrap(err, "connecting")
	}
	defer conn.Release()

	before, err := backendPID(ctx, conn)
	if err != nil || before == conn.Conn().PgConn().PID() {
		return err
	}

	limited, cancel := context.WithTimeout(ctx, poolerTimeout)
	defer cancel()

	other, err := pool.Begin(limited)
	if err != nil {
		return &pg.ServerError{Doing: "opening a second connection through a connection pooler", Err: err,
			Advice: fmt.Sprintf("a run needs %d connections at the same time: raise the pooler's limit", pool.Config().MaxConns)}
	}
	defer func() { _ = other.Rollback(ctx) }()

	taken, err := backendPID(ctx, other)
	if err != nil {
		return err
	}

	after, err := backendPID(ctx, conn)
	if err != nil {
		return err
	}

	if taken == before || after != before {
		return &pg.ServerError{Doing: "looking for a connection pooler",
			Err:    errors.New("the connection goes through a pooler in transaction mode, which breaks session locks"),
			Advice: "connect directly to PostgreSQL, or to a pooler in session mode"}
	}

	pg.MarkSessionPooling(conn.Conn().PgConn().Conn())

	return nil
}

func backendPID(ctx context.Context, q pg.Querier) (pid uint32, err error) {
	err = q.QueryRow(ctx, "select pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid)
	return pid, pg.Wrap(err, "looking for a connection pooler")
}
