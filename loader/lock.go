package loader

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// tableLock is the session advisory lock that keeps a table to one run at a
// time. It lives as long as its connection, so a run that is killed leaves none.
type tableLock struct {
	conn *pgxpool.Conn
	key  int64
}

// lockKey is the number under which PostgreSQL knows the lock of a table.
func lockKey(t Table) int64 {
	sum := sha256.Sum256([]byte("loadgrid\x00" + t.Schema + "\x00" + t.Name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// lockTable takes the lock of t, or returns a *LockedError.
func lockTable(ctx context.Context, pool *pgxpool.Pool, t Table) (*tableLock, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, serverError(err, "connecting for the lock of table %s", t)
	}
	l := &tableLock{conn: conn, key: lockKey(t)}
	if err := l.take(ctx, pool, t); err != nil {
		l.release(ctx)
		return nil, err
	}
	return l, nil
}

func (l *tableLock) take(ctx context.Context, pool *pgxpool.Pool, t Table) error {
	var taken bool
	if err := l.conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", l.key).Scan(&taken); err != nil {
		return serverError(err, "locking table %s", t)
	}
	if !taken {
		return &LockedError{Table: t, Holder: l.holder(ctx)}
	}
	pooled, err := throughTransactionPooler(ctx, pool, l.conn.Conn())
	if err != nil {
		return serverError(err, "looking for a connection pooler")
	}
	if pooled {
		return &ServerError{Doing: "locking table " + t.String(),
			Err:    errors.New("the connection goes through a transaction pooler, where a session lock does not hold"),
			Advice: "connect to PostgreSQL itself, or to a pool in session mode"}
	}
	return nil
}

// holder asks the server who has the lock.
func (l *tableLock) holder(ctx context.Context) string {
	var pid int
	var app, host string
	err := l.conn.QueryRow(ctx, `
		select l.pid, coalesce(a.application_name, ''), coalesce(a.client_addr::text, 'this server')
		from pg_locks l left join pg_stat_activity a using (pid)
		where l.locktype = 'advisory' and l.granted and l.objsubid = 1
		  and l.database = (select oid from pg_database where datname = current_database())
		  and (l.classid::bigint << 32 | l.objid::bigint) = $1`, l.key).Scan(&pid, &app, &host)
	if err != nil {
		return "it has just ended"
	}
	return fmt.Sprintf("backend %d, %s from %s", pid, app, host)
}

// release gives the lock back, and its connection to the pool.
func (l *tableLock) release(ctx context.Context) {
	if !l.conn.Conn().IsClosed() {
		if _, err := l.conn.Exec(ctx, "select pg_advisory_unlock($1)", l.key); err != nil {
			// The lock goes with the connection.
			_ = l.conn.Conn().Close(ctx)
		}
	}
	l.conn.Release()
}

// throughTransactionPooler tells whether conn may change its backend between
// transactions. A pooler shows in that the process number it gave at connecting
// is not that of the backend; that it pools transactions, in that another
// transaction takes the backend away.
func throughTransactionPooler(ctx context.Context, pool *pgxpool.Pool, conn *pgx.Conn) (bool, error) {
	var before, after uint32
	if err := conn.QueryRow(ctx, "select pg_backend_pid()").Scan(&before); err != nil {
		return false, err
	}
	if before == conn.PgConn().PID() {
		return false, nil
	}
	tx, err := pool.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	var taken uint32
	if err := tx.QueryRow(ctx, "select pg_backend_pid()").Scan(&taken); err != nil {
		return false, err
	}
	if err := conn.QueryRow(ctx, "select pg_backend_pid()").Scan(&after); err != nil {
		return false, err
	}
	return taken == before || after != before, nil
}
