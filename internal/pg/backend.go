package pg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// BackendStartSQL is SQL for the start time of a backend in pg_stat_activity, in a form that no setting changes.
// Together with the process number, it identifies a backend for good.
const BackendStartSQL = "pg_catalog.to_char(pg_catalog.timezone('UTC', backend_start), 'YYYYMMDDHH24MISSUS')"

// Backend is the server process of a connection.
type Backend struct {
	PID    uint32
	Start  string // see BackendStartSQL
	pooled bool   // a pooler is in between: the backend may have changed
}

// terminateSQL runs in sessions with any search_path.
const terminateSQL = `
	select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
	where pid operator(pg_catalog.=) $1 and ` + BackendStartSQL + ` operator(pg_catalog.=) $2`

// Terminate ends a backend of the current role if it still exists.
func (b Backend) Terminate(ctx context.Context, q Querier) error {
	_, err := q.Exec(ctx, terminateSQL, pgx.QueryExecModeExec, int64(b.PID), b.Start)
	return Wrap(err, "ending backend %d", b.PID)
}

// endGrace is how long a backend has to notice that its statement is cancelled and its client gone. Most notice
// within milliseconds.
const endGrace = 100 * time.Millisecond

// endWait is how long a command waits for the end of a backend that continues. The pool tries again until it is
// closed.
const endWait = 700 * time.Millisecond

// left returns the watched connection under conn if it was closed in the middle of a statement and its backend
// may continue; otherwise, it returns nil. A backend may ignore that the statement is cancelled. It may also miss
// that its client is gone: on PostgreSQL 13 always, and on some platforms while it computes. Its locks would stay
// for as long.
func left(conn *pgx.Conn) *watchedConn {
	c := watched(conn.PgConn().Conn())
	if c == nil || !conn.IsClosed() || !c.watches() {
		return nil
	}

	select {
	case <-conn.PgConn().CleanupDone(): // the server has closed its end
		return nil
	case <-time.After(endGrace):
		return c
	}
}

// endLeft ends the backend that a connection left behind. It uses a connection of its own.
func endLeft(conn *pgx.Conn) {
	c := left(conn)
	if c == nil {
		return
	}

	ctx, cancel := context.WithTimeout(context.Background(), CleanupTimeout)
	defer cancel()

	other, hangUp, err := c.dialer.reach(ctx, c)
	defer hangUp()

	if err == nil {
		_ = c.backend.Load().Terminate(ctx, other)
		_ = other.Close(ctx)
	}
}
