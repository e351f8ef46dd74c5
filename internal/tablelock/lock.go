// Package tablelock owns the lock that keeps a table to one run at a time.
package tablelock

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// LockedError reports that another run holds the table.
type LockedError struct {
	Table  job.Table
	Holder string // who it is, as far as the server tells
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("another run holds table %s (%s): wait until it has ended", e.Table, e.Holder)
}

// Lock is a session advisory lock. It lives as long as its connection, so a run that is
// killed leaves none.
type Lock struct {
	pool    *pgxpool.Pool
	log     *slog.Logger
	table   job.Table
	key     int64
	conn    *pgxpool.Conn
	backend pg.Backend // that has it
	dirty   bool       // see MarkSessionDirty
}

// keyOf is the number under which PostgreSQL knows the lock of a table.
func keyOf(t job.Table) int64 {
	sum := sha256.Sum256([]byte("loadgrid\x00" + t.Schema + "\x00" + t.Name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// Acquire takes the lock of a table, or returns a *LockedError. The log gets what
// becomes of the lock later.
func Acquire(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger, t job.Table) (*Lock, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, pg.Wrap(err, "connecting for the lock of table %s", t)
	}

	l := &Lock{pool: pool, log: log, table: t, key: keyOf(t), conn: conn}
	err = l.take(ctx)

	switch {
	case errors.As(err, new(*LockedError)): // there is nothing to give back, of which the server would warn
		conn.Release()
		return nil, err
	case err != nil:
		err = pg.MarkConnClosed(conn.Conn(), err)
		l.Release(ctx)
		return nil, err
	}

	return l, nil
}

func (l *Lock) take(ctx context.Context) error {
	var taken bool
	err := l.conn.QueryRow(ctx, "select pg_try_advisory_lock($1), pg_backend_pid()", l.key).Scan(&taken, &l.backend.PID)
	if err != nil {
		return pg.Wrap(err, "locking table %s", l.table)
	}

	if !taken {
		holder := l.holder(ctx)
		if ctx.Err() != nil {
			return stopped(ctx, l.table)
		}

		return &LockedError{Table: l.table, Holder: holder}
	}

	// Only to end it, should it outlive its connection: a server may hide it.
	_ = l.conn.QueryRow(ctx, "select "+pg.BackendStartSQL+" from pg_stat_activity where pid = pg_backend_pid()").Scan(&l.backend.Start)

	return nil
}

// stopped is the error of a context that has ended before the lock was had.
func stopped(ctx context.Context, t job.Table) error {
	cause := context.Cause(ctx)
	if !errors.Is(cause, ctx.Err()) {
		cause = fmt.Errorf("%w: %w", cause, ctx.Err())
	}

	return fmt.Errorf("asking for the lock of table %s was stopped: %w", t, cause)
}

const holderSQL = `
	select l.pid, coalesce(a.application_name, ''), coalesce(a.client_addr::text, 'this server')
	from pg_locks l left join pg_stat_activity a using (pid)
	where l.locktype = 'advisory' and l.granted and l.objsubid = 1
	  and l.database = (select oid from pg_database where datname = current_database())
	  and (l.classid::bigint << 32 | l.objid::bigint) = $1`

// holder asks the server who has the lock.
func (l *Lock) holder(ctx context.Context) string {
	var pid int
	var app, host string

	if err := l.conn.QueryRow(ctx, holderSQL, l.key).Scan(&pid, &app, &host); err != nil {
		return "it has just ended"
	}

	return fmt.Sprintf("backend %d, %s from %s", pid, app, host)
}

// Conn is the connection that has the lock. What only the holder of the table may do
// runs on it, so that a run which has lost the lock cannot do it.
func (l *Lock) Conn() *pgxpool.Conn { return l.conn }

// CheckHeld returns a *LockedError where a statement on the lock's connection has given
// the lock back, and another run has it. A session may take it any number of times.
func (l *Lock) CheckHeld(ctx context.Context, tx pgx.Tx) error {
	var held bool
	if err := tx.QueryRow(ctx, "select pg_try_advisory_lock($1)", l.key).Scan(&held); err != nil {
		return err
	}

	if !held {
		return &LockedError{Table: l.table, Holder: l.holder(ctx)}
	}

	return nil
}

// MarkSessionDirty notes that SQL of the user's has had the connection, and may have
// changed its session: the caller's pool does not get it back.
func (l *Lock) MarkSessionDirty() { l.dirty = true }

// SessionDirty reports whether SQL of the user's has had the connection.
func (l *Lock) SessionDirty() bool { return l.dirty }

// Close is Release for a caller whose context may have ended.
func (l *Lock) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pg.CleanupTimeout)
	defer cancel()

	l.Release(ctx)
}

// Release gives the lock back, and its connection to the pool.
func (l *Lock) Release(ctx context.Context) {
	if l.conn.Conn().IsClosed() { // perhaps in the middle of a statement, with which its backend goes on
		_ = l.backend.Terminate(ctx, l.pool)
	}

	if l.dirty {
		_ = l.conn.Conn().Close(ctx)
	}

	if !l.conn.Conn().IsClosed() {
		if _, err := l.conn.Exec(ctx, "select pg_advisory_unlock($1)", l.key); err != nil {
			// The lock goes with the connection.
			_ = l.conn.Conn().Close(ctx)
		}
	}

	l.conn.Release()
}
