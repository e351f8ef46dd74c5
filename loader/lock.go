package loader

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// tableLock is the session advisory lock that keeps a table to one run at a
// time. It lives as long as its connection, so a run that is killed leaves none.
type tableLock struct {
	conn    *pgxpool.Conn
	key     int64
	backend pg.Backend // that has it
}

// lockKey is the number under which PostgreSQL knows the lock of a table.
func lockKey(t job.Table) int64 {
	sum := sha256.Sum256([]byte("loadgrid\x00" + t.Schema + "\x00" + t.Name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// lockTable takes the lock of t, or returns a *LockedError.
func lockTable(ctx context.Context, pool *pgxpool.Pool, t job.Table) (*tableLock, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, pg.Wrap(err, "connecting for the lock of table %s", t)
	}
	l := &tableLock{conn: conn, key: lockKey(t)}
	err = l.take(ctx, t)
	switch {
	case errors.As(err, new(*LockedError)): // there is nothing to give back, of which the server would warn
		conn.Release()
		return nil, err
	case err != nil:
		err = pg.MarkConnClosed(conn.Conn(), err)
		l.release(ctx)
		return nil, err
	}
	return l, nil
}

func (l *tableLock) take(ctx context.Context, t job.Table) error {
	var taken bool
	if err := l.conn.QueryRow(ctx, "select pg_try_advisory_lock($1), pg_backend_pid()", l.key).Scan(&taken, &l.backend.Pid); err != nil {
		return pg.Wrap(err, "locking table %s", t)
	}
	if !taken {
		return &LockedError{Table: t, Holder: l.holder(ctx)}
	}
	// Only to end it, should it outlive its connection: a server may hide it.
	_ = l.conn.QueryRow(ctx, "select "+pg.BackendStartSQL+" from pg_stat_activity where pid = pg_backend_pid()").Scan(&l.backend.Start)
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

// waitEvery is how often a run that waits for another looks whether that has ended.
const waitEvery = time.Second

// waitForTable takes the lock of the table, and waits for another run that has it as
// long as the options allow.
func (l *load) waitForTable(ctx context.Context) (*tableLock, error) {
	began, told := time.Now(), false
	defer func() {
		if told { // it is the other run's time, and nobody's measure of this one
			l.summary.WaitSeconds = time.Since(began).Round(time.Microsecond).Seconds()
			l.progress.Restart()
		}
	}()
	for {
		lock, err := lockTable(ctx, l.pool, l.target.Table)
		if err != nil && told && pg.IsTransient(err) { // a long wait may see the server restart
			err = l.retry(ctx, retryFor, "lock", func() (err error) {
				lock, err = lockTable(ctx, l.pool, l.target.Table)
				return err
			})
		}
		var locked *LockedError
		left := l.options.Wait - time.Since(began)
		if !errors.As(err, &locked) || left <= 0 {
			if err == nil && told {
				l.log.Info("the other run has ended", "waited", time.Since(began).Round(time.Second).String())
			}
			return lock, err
		}
		if !told {
			l.log.Info("waiting for another run", "table", l.target.String(), "holder", locked.Holder, "at_most", l.options.Wait.String())
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(min(waitEvery, left)):
		}
	}
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

// poolerTimeout bounds the wait for a second connection through a pooler.
const poolerTimeout = 5 * time.Second

// refusePooler refuses a connection that may change its backend between
// transactions: a session lock does not hold on it. A pooler shows in that the
// process number it gave at connecting is not that of the backend; that it pools
// transactions, in that another transaction takes the backend away. Statements
// are not prepared here: such a pooler mixes them up.
func refusePooler(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return pg.Wrap(err, "connecting")
	}
	defer conn.Release()
	pid := func(q pg.Querier) (pid uint32, err error) {
		err = q.QueryRow(ctx, "select pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid)
		return pid, pg.Wrap(err, "looking for a connection pooler")
	}
	before, err := pid(conn)
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
	taken, err := pid(other)
	if err != nil {
		return err
	}
	after, err := pid(conn)
	if err != nil {
		return err
	}
	if taken == before || after != before {
		return &pg.ServerError{Doing: "looking for a connection pooler",
			Err:    errors.New("the connection goes through one that pools transactions, where a session lock does not hold"),
			Advice: "connect to PostgreSQL itself, or to a pool in session mode"}
	}
	pg.MarkSessionPooling(conn.Conn().PgConn().Conn())
	return nil
}

// ensureLock takes the lock anew when its connection has broken. Where the network
// broke, the server does not notice that for a while: it is told. It may need a
// moment then to give the old one back.
func (l *load) ensureLock(ctx context.Context) error {
	if l.lock.answers(ctx) {
		return nil
	}
	l.log.Warn("the connection that held the table's lock is gone, taking it anew")
	if err := l.lock.backend.Terminate(ctx, l.pool); err != nil {
		l.log.Debug("the backend that held the lock may still be there", "error", pg.Message(err))
	}
	for try := 0; ; try++ {
		lock, err := lockTable(ctx, l.pool, l.target.Table)
		var locked *LockedError
		if errors.As(err, &locked) && try < lockTries {
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
				continue
			}
		}
		if err != nil {
			return err
		}
		l.lock.release(ctx)
		*l.lock = *lock
		return nil
	}
}

const (
	lockTries      = 10
	heartbeatEvery = 5 * time.Second
	// lockAnswer is how long the server may take to say that the connection of the
	// lock is alive. Without a bound a network that swallows packets would hold the
	// run for as long as TCP tries.
	lockAnswer = 30 * time.Second
)

func (l *tableLock) answers(ctx context.Context) bool {
	if l.conn.Conn().IsClosed() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lockAnswer)
	defer cancel()
	return l.conn.Ping(ctx) == nil
}

// withLockHeartbeat runs a stage that leaves the lock's connection alone, and looks after
// the lock meanwhile: when another run has taken it, the stage is ended.
func (l *load) withLockHeartbeat(stage func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		over, looked := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(looked)
			tick := time.NewTicker(heartbeatEvery)
			defer tick.Stop()
			for {
				select {
				case <-over:
					return
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				// Trouble of the moment is the stage's to meet, too.
				var locked *LockedError
				if err := l.ensureLock(ctx); errors.As(err, &locked) {
					cancel(err)
				}
			}
		}()
		err := stage(ctx)
		close(over)
		<-looked
		var locked *LockedError
		if err != nil && errors.As(context.Cause(ctx), &locked) {
			return locked
		}
		return err
	}
}
