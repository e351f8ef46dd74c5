package integration

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// waitFor polls until the query returns true.
func (s sandbox) waitFor(what, sql string, args ...any) {
	s.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var there bool
		if s.pool.QueryRow(context.Background(), sql, args...).Scan(&there) == nil && there {
			return
		}
	}
	s.t.Fatalf("waited five minutes for %s", what)
}

func (s sandbox) waitForChunks(k int) {
	s.t.Helper()
	s.waitFor("committed chunks", "select count(*) >= $1 from "+s.name("chunks"), k)
}

// After k committed chunks, the rerun copies exactly the other n-k. The test counts them in the summary,
// in the ledger, whose first k rows are unchanged, and in the heap, which contains nothing twice.
func TestKilledRunResumesWithTheMissingChunks(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", append(boxes(400, 500), "--chunk-rows", "5000", "--progress", "json")...)
	const n = 40
	b := s.pauseAtChunk(n - 1)
	p := start(t, s.dsn, args...)
	s.waitForChunks(7)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}

	p.wait()
	b.remove()
	k := queryOne[int64](t, s.pool, "select count(*) from "+s.name("chunks"))
	if k < 7 || k >= n {
		t.Fatalf("%d chunks are committed, this test needs 7 to %d", k, n-1)
	}
	if queryOne[bool](t, s.pool, "select to_regclass($1) is not null", s.name("grid")) {
		t.Fatal("readers see the table of an unfinished run")
	}

	s.exec("create table " + s.name("before") + " as select * from " + s.name("chunks"))

	again := cli(t, s.dsn, args...)
	sum := again.summary(t)
	if again.code != 0 || sum.ChunksResumed != k || sum.ChunksCopied != n-k || sum.RowsResumed != k*5000 {
		t.Errorf("exit code %d, %d chunks resumed, %d copied, want %d and %d", again.code, sum.ChunksResumed, sum.ChunksCopied, k, n-k)
	}
	if same := queryOne[int64](t, s.pool, "select count(*) from "+s.name("before")+" natural join "+s.name("chunks")); same != k {
		t.Errorf("%d of the first %d chunks are unchanged", same, k)
	}
	if total := queryOne[int64](t, s.pool, "select count(*) from "+s.name("chunks")); total != n {
		t.Errorf("%d chunks in the ledger, want %d", total, n)
	}

	s.checkBoxes("grid", 400, 500)
}

func TestSignals(t *testing.T) {
	for name, test := range map[string]struct {
		signal syscall.Signal
		code   int
	}{"SIGINT": {syscall.SIGINT, 130}, "SIGTERM": {syscall.SIGTERM, 143}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			args := s.load("grid", smallGrid()...)
			b := s.pauseAtChunk(smallChunks - 1)
			p := start(t, s.dsn, args...)
			s.waitForChunks(3)
			sent := time.Now()
			_ = p.cmd.Process.Signal(test.signal)
			p.wait().expect(t, test.code, name, "of 40 chunks committed", "run the same command to resume it")
			if took := time.Since(sent); took > stopWithin {
				t.Errorf("it took %s to stop", took)
			}

			b.release()
			mustCLI(t, s.dsn, args...)
			s.checkBoxes("grid", smallCols, smallRows)
		})
	}
}

// A run that is stopped before its first commit leaves nothing.
func TestStoppedBeforeTheFirstChunkLeavesNothing(t *testing.T) {
	s := newSandbox(t)
	p := start(t, s.dsn, s.load("grid", "--cell-size", "1", "--cols", "3000", "--rows", "2000", "--streams", "1", "--chunk-rows", "6000000")...)
	s.waitFor("the staging table", "select exists (select from pg_class where relname like 'loadgrid\\_staging%' and relnamespace = $1::regnamespace)", s.schema)
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	p.wait().expect(t, 130, "SIGINT")
	s.checkNothingLeft()
	if state := queryOne[string](t, s.pool, "select string_agg(state, ',') from "+s.name("runs")); state != "dropped" {
		t.Errorf("the run is %s", state)
	}
}

func TestSecondRunOnTheSameTable(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", smallGrid()...)
	b := s.pauseAtChunk(1)
	first := start(t, s.dsn, args...)
	s.waitForChunks(1)
	cli(t, s.dsn, args...).expect(t, 3, "another run holds table", s.schema+".grid", "backend")
	cli(t, s.dsn, "runs", "drop", "1", "--ledger-schema", s.schema).expect(t, 3, "another run holds table")

	// Another table is independent.
	mustCLI(t, s.dsn, s.load("other", "--cell-size", "1", "--cols", "10", "--rows", "10")...)
	b.release()
	if r := first.wait(); r.code != 0 {
		t.Fatalf("the first run: exit code %d: %s", r.code, r.stderr)
	}
	s.checkBoxes("grid", smallCols, smallRows)
}

// What a killed start of another job left is dropped by the next start, whatever happens to an existing
// table. If a signal stopped the run, its error offered to resume it: then the default refuses, and the
// error names the alternatives.
func TestAnotherJobOnAnUnfinishedRun(t *testing.T) {
	other := []string{"--cell-size", "1", "--cols", "20", "--rows", "30"}
	for _, ifExists := range []string{"fail", "append", "replace"} {
		t.Run(ifExists, func(t *testing.T) {
			s := newSandbox(t)
			s.killAfter(2, s.load("grid", smallGrid()...)...)
			r := cli(t, s.dsn, s.load("grid", appendArgs(other, "--if-exists", ifExists, "--log-format", "json")...)...)
			if r.code != 0 || len(r.warnings(t)) != 1 {
				t.Errorf("exit code %d, want 0 and a warning about the dropped run: %s", r.code, r.stderr)
			}
			if got := s.states(); got != "dropped published" {
				t.Errorf("the runs are %s", got)
			}
			s.checkBoxes("grid", 20, 30)
		})
	}

	t.Run("stopped in order", func(t *testing.T) {
		s := newSandbox(t)
		b := s.pauseAtChunk(2)
		p := start(t, s.dsn, s.load("grid", smallGrid()...)...)
		b.waitUntilReached()
		s.waitForChunks(2)
		_ = p.cmd.Process.Signal(interrupt)
		p.wait().expect(t, 130, "2 of 40 chunks")
		b.remove()
		cli(t, s.dsn, s.load("grid", other...)...).expect(t, 2, "--table", "runs drop 1")
		mustCLI(t, s.dsn, s.load("grid", appendArgs(other, "--if-exists", "append")...)...)
		s.checkBoxes("grid", 20, 30)
	})
}

func TestRunsCommands(t *testing.T) {
	s := newSandbox(t)
	ledger := []string{"--ledger-schema", s.schema}
	runs := func(args ...string) []string { return append(append([]string{"runs"}, args...), ledger...) }
	if out := mustCLI(t, s.dsn, runs("list")...); !strings.Contains(out, "RUN") || strings.Count(out, "\n") != 1 {
		t.Errorf("a list without a ledger:\n%s", out)
	}

	cli(t, s.dsn, runs("show", "1")...).expect(t, 2, "there is no ledger")
	args := s.load("grid", append(smallGrid(), "--set", "year:integer=2026")...)
	s.killAfter(2, args...)
	if out := mustCLI(t, s.dsn, runs("list")...); !strings.Contains(out, "killed") || !strings.Contains(out, s.schema+".grid") {
		t.Errorf("list:\n%s", out)
	}
	if out := mustCLI(t, s.dsn, runs("show", "1")...); !strings.Contains(out, "of 40 committed") || !strings.Contains(out, "year:integer=2026") || !strings.Contains(out, "chunk rows   500") {
		t.Errorf("show:\n%s", out)
	}
	if sum := mustSummary(t, s.dsn, runs("resume", "1")...); sum.ChunksResumed != 2 {
		t.Errorf("it resumed %d chunks, want 2", sum.ChunksResumed)
	}

	s.checkBoxes("grid", smallCols, smallRows)
	cli(t, s.dsn, runs("resume", "1")...).expect(t, 2, "run 1 is published")
	cli(t, s.dsn, runs("drop", "1")...).expect(t, 2, "run 1 is published")
	s.killAfter(2, s.load("grid2", smallGrid()...)...)
	mustCLI(t, s.dsn, runs("drop", "2")...)
	s.checkNothingLeft()
	if got := s.states(); got != "published dropped" {
		t.Errorf("the runs are %s", got)
	}
}

// A trigger that swallows a row makes the three counts differ. The chunk is not committed, and the run
// fails.
func TestCountsThatDiffer(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", smallGrid()...)
	s.killAfter(2, args...)
	staging := queryOne[string](t, s.pool, "select staging_name from "+s.name("runs"))
	s.exec("create function " + s.name("swallow") + "() returns trigger language plpgsql as 'begin if new.col = 199 and new.row = 99 then return null; end if; return new; end'")
	s.exec("create trigger swallow before insert on " + s.name(staging) + " for each row execute function " + s.name("swallow") + "()")
	cli(t, s.dsn, args...).expect(t, 4, "500 rows planned, 500 generated, 499 reported by COPY")
	s.exec("drop trigger swallow on " + s.name(staging))
	mustCLI(t, s.dsn, args...)
	s.checkBoxes("grid", smallCols, smallRows)
}

// If somebody removes a row from the staging table, loadgrid notices before publish. It also notices if
// an older snapshot may still see the row, so that VACUUM leaves it and the indexes include it.
func TestStagingTableThatLostRows(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", smallGrid()...)
	s.killAfter(2, args...)
	staging := queryOne[string](t, s.pool, "select staging_name from "+s.name("runs"))
	old, err := s.pool.BeginTx(context.Background(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}

	// The first query takes the snapshot.
	if _, err := old.Exec(context.Background(), "select"); err != nil {
		t.Fatal(err)
	}

	s.exec("delete from " + s.name(staging) + " where ctid in (select ctid from " + s.name(staging) + " limit 1)")
	cli(t, s.dsn, args...).expect(t, 4, "holds 19999 rows", "runs drop 1")
	if err := old.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}

	if queryOne[bool](t, s.pool, "select to_regclass($1) is not null", s.name("grid")) {
		t.Error("the table was published nevertheless")
	}
}

func TestStagingTableThatIsGone(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", smallGrid()...)
	s.killAfter(2, args...)
	s.exec("drop table " + s.name(queryOne[string](t, s.pool, "select staging_name from "+s.name("runs"))))
	if sum := mustSummary(t, s.dsn, args...); sum.ChunksResumed != 0 || sum.ChunksCopied != sum.Chunks {
		t.Errorf("it resumed %d chunks and copied %d, but should start over", sum.ChunksResumed, sum.ChunksCopied)
	}
	s.checkBoxes("grid", smallCols, smallRows)
}
