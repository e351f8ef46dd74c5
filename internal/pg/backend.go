package pg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// BackendStartSQL is SQL for when the backend of a row of pg_stat_activity began, in
// a form that no setting changes. With the process number it names a backend for
// good.
const BackendStartSQL = "pg_catalog.to_char(pg_catalog.timezone('UTC', backend_start), 'YYYYMMDDHH24MISSUS')"

// Backend is the server's end of a connection.
type Backend struct {
	PID    uint32
	Start  string // see BackendStartSQL
	pooled bool   // a pooler is between: it may have changed
}

// terminateSQL runs in sessions with any search_path.
const terminateSQL = `
	select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
	where pid operator(pg_catalog.=) $1 and ` + BackendStartSQL + ` operator(pg_catalog.=) $2`

// Terminate ends a backend of this role's, if it is still there.
func (b Backend) Terminate(ctx context.Context, q Querier) error {
	_, err := q.Exec(ctx, terminateSQL, pgx.QueryExecModeExec, int64(b.PID), b.Start)
	return Wrap(err, "ending backend %d", b.PID)
}

// endGrace is how long a backend has to hear that its statement is cancelled and its client
// gone. Most do within milliseconds.
const endGrace = 100 * time.Millisecond

// endWait is how long a command waits for the end of a backend that goes on. The pool tries
// again, until it is closed.
const endWait = 700 * time.Millisecond

// left returns what was a connection until it was closed in the middle of a statement, if its
// backend goes on, else nil: it may not heed that the statement is cancelled, and not see that
// its client is gone, at all on PostgreSQL 13, and while it computes on some platforms. What it
// has locked would stay locked for as long.
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

// endLeft ends the backend that a connection has left, on a connection of its own.
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
