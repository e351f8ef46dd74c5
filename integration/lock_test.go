package integration

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/tablelock"
	"github.com/loadgrid/loadgrid/loader"
)

// A client that is killed in the middle of a long statement leaves a backend that works on
// and holds the table's lock. The same command waits for that, and then does its work.
func TestKilledInAStatementAndRunAgainAtOnce(t *testing.T) {
	s := newDatabaseSandbox(t)

	// The server notices that a client is gone after seconds, so that the second start finds
	// the backend of the first.
	dsn := changeDSN(t, s.dsn, func(_ *url.URL, q url.Values) { q.Set("client_connection_check_interval", "4s") })

	args := s.load("grid", appendArgs(boxes(20, 10), "--log-format", "json")...)
	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)

	b := s.newPausepoint()
	b.atStatement("alter table%rename to%")
	p := start(t, dsn, args...)
	b.waitUntilReached()

	_ = p.cmd.Process.Kill()
	p.wait()

	again := start(t, s.dsn, args...)
	again.waitForOutput("the backend of a run that was killed", 1)
	b.remove()
	again.wait().expect(t, 0)

	s.checkBoxes("grid", 20, 10)
	s.checkNothingLeft()
}

// However often the lock is asked for, one line says that it is gone.
func TestLostLockIsReportedOnce(t *testing.T) {
	s := newSandbox(t)
	ctx := context.Background()

	var refused atomic.Int64 // so many connections are
	pool := openPool(t, s.dsn, func(c *pgxpool.Config) {
		c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error {
			if refused.Add(-1) >= 0 {
				return errors.New("not now")
			}

			return nil
		}
	})

	var log bytes.Buffer
	lock, err := tablelock.Acquire(ctx, pool, slog.New(slog.NewTextHandler(&log, nil)), loader.Table{Schema: s.schema, Name: "grid"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { lock.Release(ctx) }()

	for loss := 1; loss <= 2; loss++ {
		refused.Store(7)
		s.exec("select pg_terminate_backend($1)", int64(lock.Conn().Conn().PgConn().PID()))

		failed := 0
		for lock.Ensure(ctx) != nil {
			if failed++; failed > 20 {
				t.Fatal("the lock does not come back")
			}
		}

		if failed < 2 {
			t.Errorf("the lock was asked for %d times in vain: this shows nothing", failed)
		}

		if n := strings.Count(log.String(), "is gone, taking it again"); n != loss {
			t.Errorf("lost %d times, %d lines:\n%s", loss, n, &log)
		}
	}
}
