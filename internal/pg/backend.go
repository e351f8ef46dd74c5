package pg

import (
	"context"

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

// Terminate ends a backend of this role's, if it is still there.
func (b Backend) Terminate(ctx context.Context, q Querier) error {
	_, err := q.Exec(ctx, "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and "+BackendStartSQL+" = $2",
		pgx.QueryExecModeExec, int64(b.PID), b.Start)
	return Wrap(err, "ending backend %d", b.PID)
}

// ReadBackend asks which backend a connection has.
func ReadBackend(ctx context.Context, q Querier) (b Backend, err error) {
	err = q.QueryRow(ctx, "select pid, "+BackendStartSQL+" from pg_stat_activity where pid = pg_backend_pid()").Scan(&b.PID, &b.Start)
	return b, Wrap(err, "asking the server for the number of a connection")
}
