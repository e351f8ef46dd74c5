package integration

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader"
)

// Another session changes the table, or the table that is being filled, during a load. None of its
// changes are lost. Once they are undone, or if loadgrid can adapt, the same command finishes.
func TestChangedInTheMeantime(t *testing.T) {
	replace := appendArgs(smallGrid(), "--if-exists", "replace")
	for name, test := range map[string]struct {
		before, load []string
		change, undo string // GRID is the table, STAGING the table that is filled; or RUN and a command
		code         int
		words        []string
		partitions   int64
	}{
		"dropped":            {boxes(10, 10), replace, "drop table GRID", "", 4, []string{"is not the table that existed", "chunks committed"}, 0},
		"renamed":            {boxes(10, 10), replace, "alter table GRID rename to mine", "", 4, []string{"is not the table that existed", "chunks committed"}, 0},
		"a view added":       {boxes(10, 10), replace, "create view SCHEMA.v as select col from GRID", "drop view SCHEMA.v", 4, []string{"depend", "chunks committed"}, 0},
		"staging dropped":    {nil, smallGrid(), "drop table STAGING", "", 4, []string{"42P01", "chunks committed"}, 0},
		"staging renamed":    {nil, smallGrid(), "alter table STAGING rename to mine", "", 4, []string{"42P01", "chunks committed"}, 0},
		"staging truncated":  {nil, smallGrid(), "truncate STAGING", "RUN runs drop 1", 4, []string{"somebody changed it", "runs drop 1"}, 0},
		"staging, no column": {nil, smallGrid(), "alter table STAGING drop column row", "RUN runs drop 1", 4, []string{"42703"}, 0},
		"staging in a view":  {nil, smallGrid(), "create view SCHEMA.v as select col from STAGING", "", 0, nil, 0},
		"staging partition swapped": {nil, appendArgs(boxes(200, 100), "--partitions", "40"),
			"alter table STAGING detach partition STAGING_p1; create table SCHEMA.mine partition of STAGING for values from (-9) to (-1); insert into SCHEMA.mine (cell_id) values (-5)",
			"RUN runs drop 1", 4, []string{"somebody changed it", "runs drop 1"}, 40},
		"staging partition dropped": {nil, appendArgs(boxes(200, 100), "--partitions", "40"), "drop table STAGING_p1", "RUN runs drop 1", 4, []string{"committed"}, 40},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			if test.before != nil {
				mustCLI(t, s.dsn, s.load("grid", test.before...)...)
			}

			b := s.pauseAtChunk(3)
			args := s.load("grid", test.load...)
			p := start(t, s.dsn, args...)
			b.waitUntilReached()
			s.waitFor("committed chunks", "select count(*) = 3 from "+s.name("chunks")+" join "+s.name("runs")+" r on r.id = run_id where r.state = 'loading'")
			staging := queryOne[string](t, s.pool, "select staging_name from "+s.name("runs")+" where state = 'loading'")
			sql := strings.NewReplacer("GRID", s.name("grid"), "STAGING_p1", s.name(staging+"_p1"), "STAGING", s.name(staging), "SCHEMA", pgx.Identifier{s.schema}.Sanitize())

			// The transactions at the pausepoint do not lock the table yet.
			s.exec(sql.Replace(test.change))
			b.release()
			p.wait().expect(t, test.code, test.words...)
			if test.code == 0 {
				s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows})
				return
			}

			if test.before != nil && test.undo != "" {
				if seen := s.tableState("grid"); !strings.HasPrefix(seen, "100 rows") {
					t.Errorf("readers see %s", seen)
				}
			}

			if command, ok := strings.CutPrefix(test.undo, "RUN "); ok {
				mustCLI(t, s.dsn, append(strings.Fields(command), "--ledger-schema", s.schema)...)
			} else if test.undo != "" {
				s.exec(sql.Replace(test.undo))
			}

			mustCLI(t, s.dsn, args...)
			s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows, partitions: test.partitions})
			if name == "renamed" && queryOne[int64](t, s.pool, "select count(*) from "+s.name("mine")) != 100 {
				t.Error("the renamed table has lost its rows")
			}
		})
	}
}

// Publish waits for any session that holds the table. It steps back in between, so that readers wait no
// longer than its lock_timeout. Finally it gives up, and the run can be resumed.
func TestPublishBehindAnotherSession(t *testing.T) {
	for name, hold := range map[string]string{
		"a reader that never ends": "select from GRID limit 1",
		"a writer":                 "lock table GRID in share mode",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			mustCLI(t, s.dsn, s.load("grid", boxes(10, 10)...)...)
			holder, err := s.pool.Begin(context.Background())
			if err != nil {
				t.Fatal(err)
			}

			if _, err := holder.Exec(context.Background(), strings.ReplaceAll(hold, "GRID", s.name("grid"))); err != nil {
				t.Fatal(err)
			}

			before := s.tableState("grid")
			reader := s.startReader("grid")
			job := s.smallJob(2000)
			job.IfExists = loader.Replace
			pool := openPool(t, s.dsn, nil)
			_, err = loader.Run(context.Background(), pool, job, loader.Options{PublishFor: 5 * time.Second})
			var resumable *loader.ResumableError
			if !errors.As(err, &resumable) || resumable.Committed != 10 || !pg.HasCode(err, "55P03") {
				t.Errorf("publish, behind a session that never lets go: %v", err)
			}

			pool.Close()
			if now := s.tableState("grid"); now != before {
				t.Errorf("readers saw %s, and now %s", before, now)
			}

			p := start(t, s.dsn, s.load("grid", appendArgs(boxes(smallCols, smallRows), "--chunk-rows", "2000", "--if-exists", "replace", "--progress", "json")...)...)
			p.waitForOutput("55P03", 1)
			if err := holder.Rollback(context.Background()); err != nil {
				t.Fatal(err)
			}

			if r := p.wait(); r.code != 0 || r.summary(t).ChunksResumed != 10 {
				t.Errorf("exit code %d: %s", r.code, r.stderr)
			}
			reader.stop(before)

			// lock_timeout is 2 s; the rest allows for a slow machine.
			if reader.longest > 6*time.Second {
				t.Errorf("a reader waited %s for publish", reader.longest)
			}

			t.Logf("of %d looks of a reader the longest took %s", reader.queries, reader.longest)
			s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows})
		})
	}
}

// Publish keeps waiting for a session that holds the table exclusively.
func TestPublishBehindAnExclusiveLock(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(10, 10)...)...)
	holder, err := s.pool.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}

	if _, err := holder.Exec(context.Background(), "lock table "+s.name("grid")+" in access exclusive mode"); err != nil {
		t.Fatal(err)
	}

	p := start(t, s.dsn, s.load("grid", appendArgs(boxes(30, 20), "--if-exists", "replace", "--progress", "json")...)...)
	p.waitForOutput("55P03", 1)
	if err := holder.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}

	if r := p.wait(); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	s.checkAfter("grid", scenario{cols: 30, rows: 20})
}

// If the clock jumps during a run, only displayed times change: no decision depends on them.
func TestClockThatJumps(t *testing.T) {
	for name, jump := range map[string]string{"back": "10 years", "ahead": "-10 years"} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			args := s.load("grid", smallGrid()...)
			s.killAfter(3, args...)

			// As if the run had begun before the clock jumped.
			s.exec("update "+s.name("runs")+" set started_at = started_at + $1::interval", jump)
			s.exec("update "+s.name("chunks")+" set committed_at = committed_at + $1::interval * (chunk_no + 1)", jump)
			mustCLI(t, s.dsn, "runs", "list", "--ledger-schema", s.schema)
			if sum := mustSummary(t, s.dsn, args...); sum.ChunksResumed != 3 || sum.RowsResumed != 1500 {
				t.Errorf("the rerun has resumed %d chunks with %d rows", sum.ChunksResumed, sum.RowsResumed)
			}

			s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows})
			for _, out := range []string{
				mustCLI(t, s.dsn, "runs", "list", "--ledger-schema", s.schema),
				mustCLI(t, s.dsn, "runs", "show", "1", "--ledger-schema", s.schema),
			} {
				if regexp.MustCompile(` -\d`).MatchString(out) {
					t.Errorf("with a clock that jumped %s:\n%s", name, out)
				}
			}
		})
	}
}

// If a migration is killed in the middle of its file, the next load completes it.
func TestKilledInTheMigration(t *testing.T) {
	s := newDatabaseSandbox(t)
	b := s.newPausepoint()
	b.atStatement("%create table if not exists chunks%")
	p := start(t, s.dsn, s.load("grid", smallGrid()...)...)
	b.waitUntilReached()
	_ = p.cmd.Process.Kill()
	p.wait()
	b.remove()
	if !queryOne[bool](t, s.pool, "select dirty from "+s.name("schema_migrations")) {
		t.Error("the migration was not killed in the middle")
	}

	mustCLI(t, s.dsn, s.load("grid", smallGrid()...)...)
	s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows})
}
