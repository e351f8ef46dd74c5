package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// If a client is killed in the middle of a long statement, its backend continues and holds the table's
// lock. The same command waits for the backend and then does its work.
func TestKilledInAStatementAndRunAgainAtOnce(t *testing.T) {
	s := newDatabaseSandbox(t)

	// The server needs seconds to notice that a client is gone, so that the second start finds the
	// backend of the first.
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
	again.waitForOutput("the backend of a killed run", 1)
	b.remove()
	again.wait().expect(t, 0)

	s.checkBoxes("grid", 20, 10)
	s.checkNothingLeft()
}

// However often loadgrid tries to get the lock back, it reports the loss in a single line.
func TestLostLockIsReportedOnce(t *testing.T) {
	s := newSandbox(t)
	ctx := context.Background()

	var refused atomic.Int64 // how many connections will be refused
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
		pool.Reset() // there is no other connection

		failed := 0
		for lock.Ensure(ctx) != nil {
			if failed++; failed > 20 {
				t.Fatal("the lock is not regained")
			}
		}

		if failed < 2 {
			t.Errorf("the lock was refused %d times, so this test proves nothing", failed)
		}

		if n := strings.Count(log.String(), "is gone, so the run takes the lock again"); n != loss {
			t.Errorf("lost %d times, %d lines:\n%s", loss, n, &log)
		}
	}
}

// An object that another session holds is left and named, and the rest continues: the staging table when
// its run is dropped and when the table is loaded, and a kept version.
func TestDropsGoOnWithoutWhatOthersHave(t *testing.T) {
	s := newSandbox(t)
	load := s.load("grid", appendArgs(boxes(200, 100), "--chunk-rows", "500", "--if-exists", "replace", "--keep", "1")...)
	s.killAfter(2, load...)
	s.waitForEnd()
	staging := s.schema + "." + queryOne[string](t, s.pool, "select staging_name from "+s.name("runs"))

	reader := s.connect()
	hold := func(table string) {
		t.Helper()
		if _, err := reader.Exec(t.Context(), "begin; lock table "+table+" in access share mode"); err != nil {
			t.Fatal(err)
		}
	}
	release := func() {
		t.Helper()
		if _, err := reader.Exec(t.Context(), "rollback"); err != nil {
			t.Fatal(err)
		}
	}
	holder := fmt.Sprintf("backend %d (", reader.PgConn().PID())

	check := func(what string, r result, code int, words ...string) {
		t.Helper()
		if r.code != code {
			t.Errorf("%s: exit code %d, want %d: %s", what, r.code, code, r.stderr)
		}
		for _, w := range words {
			if !strings.Contains(r.stderr, w) {
				t.Errorf("%s: want %q in: %s", what, w, r.stderr)
			}
		}
	}

	hold(staging)
	drop := []string{"runs", "drop", "1", "--ledger-schema", s.schema}
	check("runs drop", cli(t, s.dsn, drop...), 0, staging, holder, "the next load of the table drops it")
	if state := queryOne[string](t, s.pool, "select state from "+s.name("runs")+" where id = 1"); state != "dropped" {
		t.Errorf("run 1 is %s", state)
	}

	check("load", cli(t, s.dsn, load...), 0, staging, holder, "the next load of the table drops it")
	release()
	check("load after", cli(t, s.dsn, load...), 0, "dropped a staging table", staging)
	s.checkBoxes("grid", 200, 100)

	kept := s.name("grid_run2")
	hold(kept)
	drop[2] = "2"
	check("runs drop of a version", cli(t, s.dsn, drop...), 1, "grid_run2", holder, "55P03")
	release()
	check("runs drop of a version, after", cli(t, s.dsn, drop...), 0)
	s.checkNothingLeft()
}

// A drop waits for a run with an open chunk, and names the run.
func TestDropWaitsForAChunk(t *testing.T) {
	s := newSandbox(t)
	s.killAfter(2, s.load("grid", appendArgs(boxes(200, 100), "--chunk-rows", "500")...)...)
	s.waitForEnd()

	writer := s.connect()
	if _, err := writer.Exec(t.Context(), "begin; insert into "+s.name("chunks")+" values (1, 1000, 1, 2, 1)"); err != nil {
		t.Fatal(err)
	}

	p := start(t, s.dsn, "runs", "drop", "1", "--ledger-schema", s.schema)
	p.waitForOutput(fmt.Sprintf("backend %d (", writer.PgConn().PID()), 1)
	if _, err := writer.Exec(t.Context(), "commit"); err != nil {
		t.Fatal(err)
	}

	p.wait().expect(t, 0)
	s.checkNothingLeft()
}
