package integration

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/loader"
)

// A waiting load continues to wait if the server is unavailable for a while.
func TestWaitOutlivesTheConnection(t *testing.T) {
	s := newSandbox(t)
	dsn, limit := s.limitedRole()
	holder := s.connect()
	ctx := context.Background()

	// Another session takes the lock: it needs the number that the load used.
	p := start(t, dsn, s.load("grid", appendArgs(smallGrid(), "--before", "select pg_sleep(1000)")...)...)
	s.waitFor("the step to sleep", "select exists (select from pg_stat_activity where application_name = $1 and query like '%pg_sleep%' and state = 'active')", s.application())
	key := queryOne[int64](t, s.pool, `select (classid::bigint << 32 | objid::bigint) from pg_locks join pg_stat_activity using (pid)
		where locktype = 'advisory' and granted and objsubid = 1 and application_name = $1`, s.application())
	_ = p.cmd.Process.Signal(interrupt)
	p.wait().expect(t, 130)
	if _, err := holder.Exec(ctx, "select pg_advisory_lock($1)", key); err != nil {
		t.Fatal(err)
	}

	waiting := start(t, dsn, s.load("grid", appendArgs(boxes(20, 10), "--wait", "1h")...)...)
	waiting.waitForOutput("waiting for another run", 1)
	limit("0")
	s.exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", s.application())
	waiting.waitForOutput("53300", 1)
	limit("-1")
	if _, err := holder.Exec(ctx, "select pg_advisory_unlock($1)", key); err != nil {
		t.Fatal(err)
	}
	waiting.wait().expect(t, 0)
	s.checkBoxes("grid", 20, 10)
}

// Waiting leaves no warning in the server's log, where one would appear every second.
func TestWaitWarnsNobody(t *testing.T) {
	s := newSandbox(t)
	b := s.pauseAtChunk(1)
	p := start(t, s.dsn, s.load("grid", smallGrid()...)...)
	b.waitUntilReached()
	var mu sync.Mutex
	var notices []string
	pool := openPool(t, s.dsn, func(c *pgxpool.Config) {
		c.ConnConfig.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
			mu.Lock()
			defer mu.Unlock()
			notices = append(notices, n.Severity+" "+n.Message)
		}
	})

	_, err := loader.Run(context.Background(), pool, s.smallJob(0), loader.Options{Wait: 1500 * time.Millisecond})
	if !errors.As(err, new(*loader.LockedError)) {
		t.Errorf("error %v", err)
	}

	mu.Lock()
	defer mu.Unlock()
	if len(notices) > 0 {
		t.Errorf("the server sent %q", notices)
	}

	pool.Close() // otherwise it counts as a connection of the load
	b.remove()
	p.wait().expect(t, 0)
}
