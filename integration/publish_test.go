package integration

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

func boxes(cols, rows int) []string {
	return []string{"--cell-size", "1", "--cols", fmt.Sprint(cols), "--rows", fmt.Sprint(rows)}
}

func TestIfExists(t *testing.T) {
	s := newSandbox(t)
	load := func(mode string, args ...string) []string {
		return s.load("grid", append(args, "--if-exists", mode)...)
	}

	// All three modes accept that the table does not exist yet.
	mustCLI(t, s.dsn, load("replace", boxes(30, 20)...)...)
	s.checkBoxes("grid", 30, 20)
	cli(t, s.dsn, load("fail", boxes(30, 20)...)...).expect(t, 2, "--table", s.schema+".grid", "exists already")

	// Replace: other cells, then other columns in the table that loadgrid made.
	mustCLI(t, s.dsn, load("replace", boxes(20, 40)...)...)
	s.checkBoxes("grid", 20, 40)
	mustCLI(t, s.dsn, load("replace", append(boxes(20, 40), "--set", "year:integer=2026")...)...)
	s.checkBoxes("grid", 20, 40)

	// Append: the same grid, other cells.
	year := []string{"--set", "year:integer=2027"}
	mustCLI(t, s.dsn, load("append", append(year, "--cell-size", "1", "--extent", "20,0,33,40")...)...)
	s.checkBoxes("grid", 33, 40)
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")+" where year = 2027"); n != 13*40 {
		t.Errorf("%d rows were added, want %d", n, 13*40)
	}

	cli(t, s.dsn, load("append", append(year, "--cell-size", "1", "--extent", "30,39,40,50")...)...).expect(t, 2, "holds 3 of the 110 cells already")
	cli(t, s.dsn, load("append", append(year, "--cell-size", "2", "--extent", "100,0,120,40")...)...).expect(t, 2, "--table", "holds another grid")
	cli(t, s.dsn, load("append", append(year, "--cell-size", "1", "--origin", "0.5,0", "--extent", "100,0,120,40")...)...).expect(t, 2, "holds another grid")
	cli(t, s.dsn, load("append", append(year, "--cell-size", "1", "--srid", "3857", "--extent", "100,0,120,40")...)...).expect(t, 2, "other columns", "3857")
	cli(t, s.dsn, load("append", "--cell-size", "1", "--extent", "100,0,120,40")...).expect(t, 2, "other columns", "year int4")
	s.checkBoxes("grid", 33, 40)
}

// A table that loadgrid did not make, or could not replace at the end, is refused before anything is
// written.
func TestTablesOfOthers(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("roads") + " (id integer, geom geometry)")
	s.exec("create table " + s.name("same") + " (cell_id bigint primary key, col integer, row integer, geom geometry(Polygon))")
	s.exec("create view " + s.name("v") + " as select 1 a")
	s.exec("create materialized view " + s.name("mv") + " as select 1 a")
	s.exec("create sequence " + s.name("seq"))
	s.exec("create table " + s.name("parted") + " (a integer) partition by range (a)")

	for table, words := range map[string][]string{
		"roads": {"exists with other columns", "it lacks cell_id int8", "it has id int4"}, "v": {"a view"}, "mv": {"a materialized view"},
		"seq": {"a sequence"}, "parted": {"exists with other columns"},
	} {
		for _, mode := range []string{"replace", "append"} {
			if table == "parted" && mode == "replace" {
				cli(t, s.dsn, s.load(table, append(boxes(3, 3), "--if-exists", "replace")...)...).expect(t, 2, "is partitioned")
				cli(t, s.dsn, s.load(table, append(boxes(3, 3), "--if-exists", "replace", "--partitions", "2")...)...).expect(t, 2, words...)
				continue
			}
			cli(t, s.dsn, s.load(table, append(boxes(3, 3), "--if-exists", mode)...)...).expect(t, 2, append(words, "--table", s.schema+"."+table)...)
		}
	}

	cli(t, s.dsn, s.load("same", append(boxes(3, 3), "--if-exists", "append")...)...).expect(t, 2, "the ledger does not know this table")
	if queryOne[bool](t, s.pool, "select to_regclass($1) is not null", s.name("runs")) {
		t.Error("the refused loads made a ledger")
	}

	mustCLI(t, s.dsn, s.load("same", append(boxes(3, 3), "--if-exists", "replace")...)...)
	s.checkBoxes("same", 3, 3)

	s.exec("create view " + s.name("on_same") + " as select count(*) from " + s.name("same"))
	s.exec("create table " + s.name("refers") + " (cell_id bigint references " + s.name("same") + ")")
	cli(t, s.dsn, s.load("same", append(boxes(4, 4), "--if-exists", "replace")...)...).expect(t, 2, "depend on it: ", ", view "+s.schema+".on_same:", "constraint", "refers")
	s.checkBoxes("same", 3, 3)
}

// read starts readers that count the rows of a table continuously, each on its own connection. They must
// find one of these numbers of rows, each id once, and never an error. The returned function ends them.
func (s sandbox) read(table string, readers int, rows ...int64) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range readers {
		conn := s.connect()
		all.Go(func() {
			for ctx.Err() == nil {
				var n, ids int64
				err := conn.QueryRow(context.Background(), "select count(*), count(distinct cell_id) from "+s.name(table)).Scan(&n, &ids)
				if err != nil || !slices.Contains(rows, n) || n != ids {
					s.t.Errorf("a reader sees %d rows, %d ids: %v", n, ids, err)
					return
				}
			}
		})
	}

	stop = func() {
		cancel()
		all.Wait()
	}
	s.t.Cleanup(stop) // before their connections are closed, in case the test fails

	return stop
}

// Readers count continuously while the table is replaced again and again. They see the rows of one
// version, and never an error.
func TestReadersSeeAllOrNothing(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(100, 100)...)...)
	stop := s.read("grid", 3, 10_000, 20_000)
	for i := range 6 {
		mustCLI(t, s.dsn, s.load("grid", append(boxes(200-100*(i%2), 100), "--if-exists", "replace", "--chunk-rows", "5000")...)...)
	}

	// Append is also atomic.
	mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--extent", "100,0,200,100", "--if-exists", "append", "--chunk-rows", "3000")...)
	stop()
	s.checkBoxes("grid", 200, 100)
}

// A reader that stays on the old table delays publish, but not the readers after it: publish steps back
// in between.
func TestPublishWaitsForReadersAndLetsOthersRead(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(100, 100)...)...)
	ctx := context.Background()
	slow, err := s.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}

	var n int64
	if err := slow.QueryRow(ctx, "select count(*) from "+s.name("grid")).Scan(&n); err != nil {
		t.Fatal(err)
	}

	p := start(t, s.dsn, s.load("grid", append(boxes(20, 10), "--if-exists", "replace")...)...)
	s.waitFor("publish to wait", "select exists (select from pg_locks where not granted and relation = $1::regclass)", s.name("grid"))
	began := time.Now()
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != 10_000 {
		t.Errorf("a reader that queues behind publish sees %d rows", n)
	}
	if waited := time.Since(began); waited > time.Minute { // it steps back after 2 s
		t.Errorf("a reader that queues behind publish waited %s", waited)
	}
	if err := slow.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if r := p.wait(); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	s.checkBoxes("grid", 20, 10)
}

// If somebody makes the table while the load runs, it is not overwritten.
func TestTableMadeInTheMeantime(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", smallGrid()...)
	b := s.pauseAtChunk(1)
	p := start(t, s.dsn, args...)
	s.waitForChunks(1)
	s.exec("create table " + s.name("grid") + " (mine integer)")
	b.release()
	p.wait().expect(t, 4, "is not the table that existed when the run began")
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_attribute where attrelid = $1::regclass and attname = 'mine'", s.name("grid")); n != 1 {
		t.Error("the other's table is gone")
	}

	s.exec("drop table " + s.name("grid"))
	if sum := mustSummary(t, s.dsn, args...); sum.ChunksResumed != 40 || sum.RowsResumed != 20_000 {
		t.Errorf("the rerun resumed %d chunks with %d rows", sum.ChunksResumed, sum.RowsResumed)
	}

	s.checkBoxes("grid", smallCols, smallRows)
}

// If the name of an index is taken, the index gets a number, as in PostgreSQL.
func TestIndexNamesThatAreTaken(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("grid_pkey") + " (a integer)")
	s.exec("create sequence " + s.name("grid_geom_idx"))
	mustCLI(t, s.dsn, s.load("grid", boxes(5, 5)...)...)
	s.checkBoxes("grid", 5, 5)
	names := queryOne[string](t, s.pool, "select string_agg(indexname, ' ' order by indexname) from pg_indexes where schemaname = $1 and tablename = 'grid'", s.schema)
	if names != "grid_geom_idx1 grid_pkey1" {
		t.Errorf("indexes %s", names)
	}
}

// The new partitions are detached from the staging table before readers have to wait.
func TestReadersGoOnWhilePartitionsAreTakenOut(t *testing.T) {
	s := newDatabaseSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", appendArgs(boxes(20, 10), "--partitions", "4")...)...)

	reader := s.connect()
	if _, err := reader.Exec(t.Context(), "set lock_timeout = '200ms'"); err != nil {
		t.Fatal(err)
	}

	b := s.newPausepoint()
	b.atStatement(`alter table%loadgrid\_staging\_%detach partition%`)
	p := start(t, s.dsn, s.load("grid", appendArgs(boxes(30, 10), "--partitions", "5", "--if-exists", "replace")...)...)
	b.waitUntilReached()

	// The load steps back after 2 seconds and tries again.
	for range 20 {
		var rows int
		if err := reader.QueryRow(t.Context(), "select count(*) from "+s.name("grid")).Scan(&rows); err != nil || rows != 200 {
			t.Errorf("a reader sees %d rows, want the previous 200: %v", rows, err)
			break
		}
	}

	b.remove()
	p.wait().expect(t, 0)
	s.checkTable("grid", 30, 10, 5, "gist", false)
}
