// Package tablelock owns the lock that restricts a table to one run at a time.
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
	Holder string // who it is, as far as the server shows

	holder holder
}

func (e *LockedError) Error() string {
	if e.holder.client.state() == clientGone {
		return fmt.Sprintf("a killed run still holds table %s (%s): the server is still running its last statement; wait until it is done, or end the backend with pg_terminate_backend(%d)",
			e.Table, e.Holder, e.holder.pid)
	}

	return fmt.Sprintf("another run holds table %s (%s): wait until it ends", e.Table, e.Holder)
}

// Lock is a session advisory lock. It lives as long as its connection, so a killed run leaves none,
// once the server has noticed: see Wait.
type Lock struct {
	pool    *pgxpool.Pool
	log     *slog.Logger
	table   job.Table
	key     int64
	conn    *pgxpool.Conn
	backend pg.Backend // the backend that has it
	dirty   bool       // see MarkSessionDirty
	lost    bool       // its connection has broken, and that was logged
}

// keyOf returns the number of a table's lock in PostgreSQL.
func keyOf(t job.Table) int64 {
	sum := sha256.Sum256([]byte("loadgrid\x00" + t.Schema + "\x00" + t.Name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// Acquire takes the lock of a table, or returns a *LockedError. Later events of the lock go to log.
func Acquire(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger, t job.Table) (*Lock, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, pg.Wrap(err, "connecting for the lock of table %s", t)
	}

	l := &Lock{pool: pool, log: log, table: t, key: keyOf(t), conn: conn}
	err = l.take(ctx)

	switch {
	case errors.As(err, new(*LockedError)): // there is nothing to release, and the server would warn
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

		return &LockedError{Table: l.table, Holder: holder.text, holder: holder}
	}

	// Both are for processes that find the lock held by a backend whose connection or client is
	// gone. The server may hide the first from this role, and the run needs neither.
	_ = l.conn.QueryRow(ctx, "select "+pg.BackendStartSQL+" from pg_stat_activity where pid = pg_backend_pid()").Scan(&l.backend.Start)

	if self := thisClient(); self.space != 0 {
		_, _ = l.conn.Exec(ctx, "select pg_try_advisory_lock_shared($1, $2)", int32(self.space), int32(self.process))
	}

	return nil
}

// stopped returns the error of a context that ended before the lock was taken.
func stopped(ctx context.Context, t job.Table) error {
	cause := context.Cause(ctx)
	if !errors.Is(cause, ctx.Err()) {
		cause = fmt.Errorf("%w: %w", cause, ctx.Err())
	}

	return fmt.Errorf("the attempt to lock table %s was stopped: %w", t, cause)
}

// holder is the backend that has a lock.
type holder struct {
	text   string // who it is, for people
	pid    int64  // 0: it has just ended
	moved  string // changes when its client sends something; empty if the server hides it
	client client // the client that it belongs to
}

const holderSQL = `
	select l.pid, coalesce(a.application_name, ''), coalesce(a.client_addr::text, 'this server'),
	       coalesce(a.state_change::text, '') || coalesce(a.query_start::text, ''),
	       coalesce((select max(c.objid::bigint) from pg_locks c
	                 where c.pid = l.pid and c.locktype = 'advisory' and c.objsubid = 2 and c.mode = 'ShareLock' and c.classid::bigint = $2), 0)
	from pg_locks l left join pg_stat_activity a on a.pid = l.pid
	where l.locktype = 'advisory' and l.granted and l.objsubid = 1
	  and l.database = (select oid from pg_database where datname = current_database())
	  and (l.classid::bigint << 32 | l.objid::bigint) = $1`

// holder looks up who has the lock.
func (l *Lock) holder(ctx context.Context) holder {
	var app, host string
	var process int64
	h := holder{text: "it has just ended"}
	space := thisClient().space

	err := l.conn.QueryRow(ctx, holderSQL, l.key, int64(space)).Scan(&h.pid, &app, &host, &h.moved, &process)
	if err != nil {
		return h
	}

	h.text = describe(h.pid, app, host)
	if process != 0 {
		h.client = client{space: space, process: uint32(process)}
	}

	return h
}

// describe describes who holds a lock.
func describe(pid int64, app, host string) string {
	return fmt.Sprintf("backend %d, %s from %s", pid, app, host)
}

// Conn returns the connection that has the lock. Operations that only the holder of the table may
// do run on it, so that a run that has lost the lock cannot do them.
func (l *Lock) Conn() *pgxpool.Conn { return l.conn }

// CheckHeld returns a *LockedError if a statement on the lock's connection has released the lock,
// and another run has it. A session may take the lock any number of times.
func (l *Lock) CheckHeld(ctx context.Context, tx pgx.Tx) error {
	var held bool
	if err := tx.QueryRow(ctx, "select pg_try_advisory_lock($1)", l.key).Scan(&held); err != nil {
		return err
	}

	if !held {
		holder := l.holder(ctx)
		return &LockedError{Table: l.table, Holder: holder.text, holder: holder}
	}

	return nil
}

// MarkSessionDirty notes that the user's SQL has used the connection, and may have changed its
// session: it does not return to the caller's pool.
func (l *Lock) MarkSessionDirty() { l.dirty = true }

// SessionDirty reports whether the user's SQL has used the connection.
func (l *Lock) SessionDirty() bool { return l.dirty }

// Close is Release for a caller whose context may have ended.
func (l *Lock) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pg.CleanupTimeout)
	defer cancel()

	l.Release(ctx)
}

// Release releases the lock, and returns its connection to the pool.
func (l *Lock) Release(ctx context.Context) {
	if l.conn.Conn().IsClosed() { // perhaps in the middle of a statement that its backend still runs
		_ = l.backend.Terminate(ctx, l.pool)
	}

	if l.dirty {
		_ = l.conn.Conn().Close(ctx)
	}

	if !l.conn.Conn().IsClosed() {
		if err := l.unlock(ctx); err != nil {
			// Closing the connection releases the lock.
			_ = l.conn.Conn().Close(ctx)
		}
	}

	l.conn.Release()
}

// unlock releases the lock, and the lock that identifies its client.
func (l *Lock) unlock(ctx context.Context) error {
	if self := thisClient(); self.space != 0 {
		_, err := l.conn.Exec(ctx, unlockClientSQL, int64(self.space), int64(self.process))
		if err != nil {
			return err
		}
	}

	_, err := l.conn.Exec(ctx, "select pg_advisory_unlock($1)", l.key)

	return err
}

// unlockClientSQL releases a lock only if the session has it: the server warns about others.
const unlockClientSQL = `
	select pg_advisory_unlock_shared(classid::bigint::bit(32)::int, objid::bigint::bit(32)::int) from pg_locks
	where pid = pg_backend_pid() and locktype = 'advisory' and objsubid = 2 and mode = 'ShareLock'
	  and classid::bigint = $1 and objid::bigint = $2`
