package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// waitFor polls until the query gives true.
func (s sandbox) waitFor(what, sql string, args ...any) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		var there bool
		if s.pool.QueryRow(context.Background(), sql, args...).Scan(&there) == nil && there {
			return
		}
	}
	s.t.Fatalf("waited a minute for %s", what)
}

func (s sandbox) waitForChunks(k int) {
	s.t.Helper()
	s.waitFor("committed chunks", "select count(*) >= $1 from "+s.name("chunks"), k)
}

// After k committed chunks the rerun copies exactly the other n-k: counted in the
// summary, in the ledger, whose first k rows stay as they are, and in the heap,
// where nothing lies twice.
func TestKilledRunResumesWithTheMissingChunks(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000", "--progress", "json")
	p := start(t, s.dsn, args...)
	s.waitForChunks(7)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.wait()
	// The server rolls back what was in work when it notices.
	s.waitFor("the streams to end", "select not exists (select from pg_locks where relation = (select min(oid::bigint)::oid from pg_class where relname like 'loadgrid\\_staging%' and relkind = 'r' and relnamespace = $1::regnamespace))", s.schema)

	const n = 40
	k := one[int64](t, s.pool, "select count(*) from "+s.name("chunks"))
	if k < 7 || k >= n {
		t.Fatalf("%d chunks are committed, this test needs 7 to %d", k, n-1)
	}
	if one[bool](t, s.pool, "select to_regclass($1) is not null", s.name("grid")) {
		t.Fatal("readers see the table of an unfinished run")
	}
	s.exec("create table " + s.name("before") + " as select * from " + s.name("chunks"))

	again := cli(t, s.dsn, args...)
	sum := again.summary(t)
	if again.code != 0 || sum.ChunksResumed != k || sum.ChunksCopied != n-k || sum.RowsResumed != k*20000 {
		t.Errorf("exit code %d, %d chunks resumed, %d copied, want %d and %d", again.code, sum.ChunksResumed, sum.ChunksCopied, k, n-k)
	}
	if same := one[int64](t, s.pool, "select count(*) from "+s.name("before")+" natural join "+s.name("chunks")); same != k {
		t.Errorf("%d of the first %d chunks are as they were", same, k)
	}
	if total := one[int64](t, s.pool, "select count(*) from "+s.name("chunks")); total != n {
		t.Errorf("%d chunks in the ledger, want %d", total, n)
	}
	s.checkBoxes("grid", 1000, 800)
}

// Killed at random moments, in every stage, until a start gets through.
func TestKilledAtRandomMoments(t *testing.T) {
	s := newSandbox(t)
	rng := rand.New(rand.NewPCG(30, 1))
	for table := range 4 {
		name := "grid" + string(rune('a'+table))
		args := s.load(name, "--cell-size", "1", "--cols", "400", "--rows", "500", "--chunk-rows", "20000")
		kills := 0
		for {
			p := start(t, s.dsn, args...)
			if kills < 6 {
				time.Sleep(time.Duration(50+rng.IntN(1200)) * time.Millisecond)
				_ = p.cmd.Process.Kill()
				kills++
			}
			r := p.wait()
			if r.code == 3 {
				continue // the server has not noticed yet that the killed one is gone
			}
			if r.code == 0 {
				break
			}
			if r.code == 2 && strings.Contains(r.stderr, "exists already") {
				break // killed between publish and its end
			}
			if r.code != -1 {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}
		}
		s.checkBoxes(name, 400, 500)
	}
}

func TestSignals(t *testing.T) {
	for name, test := range map[string]struct {
		signal syscall.Signal
		code   int
	}{"SIGINT": {syscall.SIGINT, 130}, "SIGTERM": {syscall.SIGTERM, 143}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			args := s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000")
			p := start(t, s.dsn, args...)
			s.waitForChunks(3)
			sent := time.Now()
			_ = p.cmd.Process.Signal(test.signal)
			p.wait().expect(t, test.code, name, "of 40 chunks committed", "the same command resumes it")
			if took := time.Since(sent); took > 10*time.Second {
				t.Errorf("it took %s to stop", took)
			}
			mustCLI(t, s.dsn, args...)
			s.checkBoxes("grid", 1000, 800)
		})
	}
}

// Stopped before anything was committed, a run leaves nothing.
func TestStoppedBeforeTheFirstChunkLeavesNothing(t *testing.T) {
	s := newSandbox(t)
	p := start(t, s.dsn, s.load("grid", "--cell-size", "1", "--cols", "3000", "--rows", "2000", "--streams", "1", "--chunk-rows", "6000000")...)
	s.waitFor("the staging table", "select exists (select from pg_class where relname like 'loadgrid\\_staging%' and relnamespace = $1::regnamespace)", s.schema)
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	p.wait().expect(t, 130, "SIGINT")
	s.checkNothingLeft()
	if state := one[string](t, s.pool, "select string_agg(state, ',') from "+s.name("runs")); state != "dropped" {
		t.Errorf("the run is %s", state)
	}
}

func TestSecondRunOnTheSameTable(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000")
	first := start(t, s.dsn, args...)
	s.waitForChunks(1)
	cli(t, s.dsn, args...).expect(t, 3, "another run holds table", s.schema+".grid", "backend")
	cli(t, s.dsn, "runs", "drop", "1", "--ledger-schema", s.schema).expect(t, 3, "another run holds table")
	// Another table is another matter.
	mustCLI(t, s.dsn, s.load("other", "--cell-size", "1", "--cols", "10", "--rows", "10")...)
	if r := first.wait(); r.code != 0 {
		t.Fatalf("the first run: exit code %d: %s", r.code, r.stderr)
	}
	s.checkBoxes("grid", 1000, 800)
}

// killAfter starts a load, kills it after k chunks, and waits until the server
// has let go of its lock.
func (s sandbox) killAfter(k int, args ...string) {
	s.t.Helper()
	p := start(s.t, s.dsn, args...)
	s.waitForChunks(k)
	_ = p.cmd.Process.Kill()
	p.wait()
	s.waitFor("the killed run's connections to end", `select not exists (
		select from pg_locks l join pg_class c on c.oid = l.relation
		where c.relname like 'loadgrid\_staging%' and c.relnamespace = $1::regnamespace)`, s.schema)
}

func TestAnotherJobOnAnUnfinishedRun(t *testing.T) {
	s := newSandbox(t)
	size := []string{"--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000"}
	s.killAfter(2, s.load("grid", size...)...)
	other := []string{"--cell-size", "1", "--cols", "20", "--rows", "30"}
	cli(t, s.dsn, s.load("grid", other...)...).expect(t, 2, "--table", "runs drop 1")
	cli(t, s.dsn, s.load("grid", append(other, "--if-exists", "append")...)...).expect(t, 2, "--table", "runs drop 1")
	r := cli(t, s.dsn, s.load("grid", append(other, "--if-exists", "replace")...)...)
	if r.code != 0 || !strings.Contains(r.stderr, "dropping an unfinished run") {
		t.Errorf("replace: exit code %d: %s", r.code, r.stderr)
	}
	s.checkBoxes("grid", 20, 30)
}

func TestRunsCommands(t *testing.T) {
	s := newSandbox(t)
	ledger := []string{"--ledger-schema", s.schema}
	runs := func(args ...string) []string { return append(append([]string{"runs"}, args...), ledger...) }
	if out := mustCLI(t, s.dsn, runs("list")...); !strings.Contains(out, "RUN") || strings.Count(out, "\n") != 1 {
		t.Errorf("a list without a ledger:\n%s", out)
	}
	cli(t, s.dsn, runs("show", "1")...).expect(t, 2, "knows no run 1")
	args := s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000", "--set", "year:integer=2026")
	s.killAfter(2, args...)
	if out := mustCLI(t, s.dsn, runs("list")...); !strings.Contains(out, "loading") || !strings.Contains(out, s.schema+".grid") {
		t.Errorf("the list:\n%s", out)
	}
	if out := mustCLI(t, s.dsn, runs("show", "1")...); !strings.Contains(out, "of 40 committed") || !strings.Contains(out, "year:integer=2026") {
		t.Errorf("show:\n%s", out)
	}
	if out := mustCLI(t, s.dsn, runs("resume", "1")...); !strings.Contains(out, "from earlier starts") {
		t.Errorf("resume:\n%s", out)
	}
	s.checkBoxes("grid", 1000, 800)
	cli(t, s.dsn, runs("resume", "1")...).expect(t, 2, "run 1 is published")
	cli(t, s.dsn, runs("drop", "1")...).expect(t, 1, "run 1 is published")
	s.killAfter(42, s.load("grid2", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000")...)
	mustCLI(t, s.dsn, runs("drop", "2")...)
	s.checkNothingLeft()
	if out := mustCLI(t, s.dsn, runs("list")...); !strings.Contains(out, "dropped") || !strings.Contains(out, "published") {
		t.Errorf("the list:\n%s", out)
	}
}

// A trigger that swallows a row makes the three counts differ: the chunk is not
// committed, and the run does not end.
func TestCountsThatDiffer(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000")
	s.killAfter(2, args...)
	staging := one[string](t, s.pool, "select staging_name from "+s.name("runs"))
	s.exec("create function " + s.name("swallow") + "() returns trigger language plpgsql as 'begin if new.col = 999 and new.row = 799 then return null; end if; return new; end'")
	s.exec("create trigger swallow before insert on " + s.name(staging) + " for each row execute function " + s.name("swallow") + "()")
	cli(t, s.dsn, args...).expect(t, 4, "20000 rows planned, 20000 generated, 19999 reported by COPY")
	s.exec("drop trigger swallow on " + s.name(staging))
	mustCLI(t, s.dsn, args...)
	s.checkBoxes("grid", 1000, 800)
}

// Somebody takes a row out of the staging table: noticed before publish, also
// where an older snapshot may still see it, so that VACUUM leaves it and the
// indexes are built over it.
func TestStagingTableThatLostRows(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000")
	s.killAfter(2, args...)
	staging := one[string](t, s.pool, "select staging_name from "+s.name("runs"))
	old, err := s.pool.BeginTx(context.Background(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	// The first query takes the snapshot.
	if _, err := old.Exec(context.Background(), "select"); err != nil {
		t.Fatal(err)
	}
	s.exec("delete from " + s.name(staging) + " where ctid in (select ctid from " + s.name(staging) + " limit 1)")
	cli(t, s.dsn, args...).expect(t, 4, "holds 799999 rows", "runs drop 1")
	if err := old.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}
	if one[bool](t, s.pool, "select to_regclass($1) is not null", s.name("grid")) {
		t.Error("the table was published all the same")
	}
}

func TestStagingTableThatIsGone(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000")
	s.killAfter(2, args...)
	s.exec("drop table " + s.name(one[string](t, s.pool, "select staging_name from "+s.name("runs"))))
	r := cli(t, s.dsn, args...)
	if r.code != 0 || !strings.Contains(r.stderr, "starting over") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	s.checkBoxes("grid", 1000, 800)
}

// smallJob is a job for tests of the library.
func (s sandbox) smallJob(chunkRows int64) loader.Job {
	return loader.Job{Table: loader.Table{Schema: s.schema, Name: "grid"}, LedgerSchema: s.schema,
		Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 400, Rows: 500, ChunkRows: chunkRows}
}

// Backends that are ended in the middle are replaced, and nothing is doubled.
func TestEndedBackends(t *testing.T) {
	s := newSandbox(t)
	p := start(t, s.dsn, s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000")...)
	for i := range 4 {
		s.waitForChunks(2 + 6*i)
		s.exec(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'loadgrid' and pid in (
			select pid from pg_locks l join pg_class c on c.oid = l.relation where c.relname like 'loadgrid\_staging%' and c.relnamespace = $1::regnamespace)`, s.schema)
	}
	r := p.wait()
	if r.code != 0 || !strings.Contains(r.stderr, "trying again") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	s.checkBoxes("grid", 1000, 800)
}

// A crash of the server in the middle: the run waits for it and goes on, also
// though the connection that held the table's lock is gone.
func TestServerCrash(t *testing.T) {
	server := pgtest.NewServer(t, nil)
	pool := openPool(t, server.DSN(), nil)
	s := sandbox{t, pool, server.DSN(), "public"}
	p := start(t, s.dsn, s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800", "--chunk-rows", "20000")...)
	s.waitForChunks(5)
	server.Kill()
	server.Start()
	if r := p.wait(); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	s.checkBoxes("grid", 1000, 800)
}

// dropAnswer is a connection that breaks after it has sent the n-th COMMIT,
// once the server has answered it: the answer is lost.
type dropAnswer struct {
	net.Conn
	commits *atomic.Int64
	at      int64
	armed   bool
}

func (c *dropAnswer) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "commit\x00") && c.commits.Add(1) == c.at {
		c.armed = true
	}
	return c.Conn.Write(p)
}

func (c *dropAnswer) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.armed && n > 0 {
		c.armed = false
		_ = c.Conn.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

// Whichever COMMIT of the run it is whose answer is lost, the ledger tells that
// it happened, and nothing is copied or published twice.
func TestLostAnswerToCommit(t *testing.T) {
	const chunks = 4
	// The first commit is that of the run and its staging table, the last one
	// that of publish.
	for at := int64(1); at <= chunks+2; at++ {
		t.Run(fmt.Sprint("commit ", at), func(t *testing.T) {
			s := newSandbox(t)
			mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
			var commits atomic.Int64
			pool := openPool(t, s.dsn, func(c *pgxpool.Config) {
				dial := c.ConnConfig.DialFunc
				c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return &dropAnswer{Conn: conn, commits: &commits, at: at}, err
				}
			})
			sum, err := loader.Run(context.Background(), pool, s.smallJob(50_000), loader.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if n := commits.Load(); n < chunks+2 {
				t.Fatalf("only %d commits: no answer was lost", n)
			}
			if sum.ChunksCopied != chunks {
				t.Errorf("%d chunks copied, want %d", sum.ChunksCopied, chunks)
			}
			s.checkBoxes("grid", 400, 500)
			if n := one[int64](t, s.pool, "select count(*) from "+s.name("runs")); n != 1 {
				t.Errorf("%d runs in the ledger, want 1", n)
			}
		})
	}
}

// A chunk's row in the ledger keeps out a second attempt, also one that wakes up
// late: its transaction waits, and then ends without a row.
func TestTheLedgerFencesASecondAttempt(t *testing.T) {
	s := newSandbox(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	pool := openPool(t, s.dsn, nil)
	go func() {
		s.waitForChunks(1)
		cancel(errors.New("enough"))
	}()
	_, err := loader.Run(ctx, pool, s.smallJob(2_000), loader.Options{})
	var resumable *loader.ResumableError
	if !errors.As(err, &resumable) {
		t.Fatalf("got %v, want a ResumableError", err)
	}
	// The late attempt: a transaction that has inserted a chunk's row, and is
	// still at work when the run is resumed.
	tx, err := s.pool.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	no := one[int64](t, s.pool, "select min(n) from generate_series(0, 99) n where n not in (select chunk_no from "+s.name("chunks")+")")
	insert := "insert into " + s.name("chunks") + " (run_id, chunk_no, first_id, last_id, rows) values ($1, $2, 0, 0, 0)"
	if _, err := tx.Exec(context.Background(), insert, resumable.Run, no); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := loader.Run(context.Background(), pool, s.smallJob(2_000), loader.Options{})
		done <- err
	}()
	s.waitFor("the resumed run to wait for the late attempt", `select exists (
		select from pg_locks w join pg_locks h using (pid) where not w.granted and w.locktype = 'transactionid' and h.relation = $1::regclass)`, s.name("chunks"))
	if err := tx.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.checkBoxes("grid", 400, 500)
	var pgErr *pgconn.PgError
	if _, err := s.pool.Exec(context.Background(), insert, resumable.Run, no); !errors.As(err, &pgErr) || pgErr.Code != "23505" {
		t.Errorf("a second attempt at chunk %d gets %v", no, err)
	}
}
