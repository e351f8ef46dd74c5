package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// versions returns the sandbox's tables that show or keep a version of grid, with each one's value of the
// column night.
func (s sandbox) versions() string {
	s.t.Helper()
	var list []string
	rows, err := s.pool.Query(context.Background(), `select relname from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p')
		and not relispartition and relname like 'grid%' order by length(relname), relname`, s.schema)
	if err != nil {
		s.t.Fatal(err)
	}

	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}

	for _, name := range names {
		list = append(list, name+":"+queryOne[string](s.t, s.pool, "select string_agg(distinct night::text, '+' order by night::text) from "+s.name(name)))
	}
	return strings.Join(list, " ")
}

// indexes returns the names of the indexes of a table and its partitions.
func (s sandbox) indexes(table string) string {
	s.t.Helper()
	return queryOne[string](s.t, s.pool, `select string_agg(indexrelid::regclass::text, ' ' order by indexrelid::regclass::text) from pg_index
		where indrelid = $1::regclass or indrelid in (select inhrelid from pg_inherits where inhparent = $1::regclass)`, s.name(table))
}

// Previous versions are kept under the names of their runs, older versions are dropped, and any kept
// version can be restored.
func TestKeepAndRollback(t *testing.T) {
	for name, extra := range map[string][]string{"plain": nil, "partitions": {"--partitions", "3"}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			night := func(n int) {
				t.Helper()
				args := append(boxes(20+n, 10), "--set", fmt.Sprintf("night:integer=%d", n), "--if-exists", "replace", "--keep", "2")
				mustCLI(t, s.dsn, s.load("grid", append(args, extra...)...)...)
			}

			rollback := func(run int) result {
				return cli(t, s.dsn, "runs", "rollback", fmt.Sprint(run), "--ledger-schema", s.schema)
			}

			expect := func(want string) {
				t.Helper()
				if got := s.versions(); got != want {
					t.Errorf("versions %s, want %s", got, want)
				}
			}

			for n := 1; n <= 4; n++ {
				night(n)
			}
			expect("grid:4 grid_run2:2 grid_run3:3")
			indexes := s.indexes("grid")
			if out := mustCLI(t, s.dsn, "runs", "list", "--ledger-schema", s.schema); strings.Count(out, "kept") != 2 || strings.Count(out, "replaced") != 1 || strings.Count(out, "published") != 1 {
				t.Errorf("runs list:\n%s", out)
			}

			s.exec("grant select on " + s.name("grid") + " to public")
			s.exec("comment on table " + s.name("grid") + " is 'the user''s'")

			if r := rollback(3); r.code != 0 || !strings.Contains(r.stdout, "has the rows of run 3 again") || !strings.Contains(r.stdout, "grid_run4") {
				t.Errorf("rollback: exit code %d: %s%s", r.code, r.stdout, r.stderr)
			}
			expect("grid:3 grid_run2:2 grid_run4:4")
			if got := s.indexes("grid"); got != indexes {
				t.Errorf("indexes %s, want %s", got, indexes)
			}
			if got := queryOne[string](t, s.pool, "select obj_description(oid) || ' ' || array_to_string(relacl, ',') from pg_class where oid = $1::regclass", s.name("grid")); !strings.HasPrefix(got, "the user's") || !strings.Contains(got, "=r/") {
				t.Errorf("comment and grants: %s", got)
			}

			s.checkCells("grid", 23*10)
			if n := queryOne[int](t, s.pool, "select count(*)::int from "+s.name("grid")+" where "+s.name("cell_at")+"($1::regclass, st_setsrid(st_point(col + 0.5, row + 0.5), 0)) <> cell_id", s.name("grid")); n != 0 {
				t.Errorf("cell_at differs for %d cells", n)
			}

			rollback(3).expect(t, 2, "run 3 is published", "whose version of the table is kept")
			rollback(1).expect(t, 2, "run 1 is replaced")
			rollback(9).expect(t, 2, "has no run 9")

			// The next night keeps the version that was shown last, and drops the oldest.
			night(5)
			expect("grid:5 grid_run3:3 grid_run4:4")
			night(6)
			expect("grid:6 grid_run3:3 grid_run5:5")

			// Appended rows move together with the version to which they were appended.
			mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--extent", "100,0,110,10", "--set", "night:integer=7", "--if-exists", "append")...)
			night(8)
			expect("grid:8 grid_run5:5 grid_run6:6+7")
			mustCLI(t, s.dsn, "runs", "rollback", "7", "--ledger-schema", s.schema)
			expect("grid:6+7 grid_run5:5 grid_run8:8")

			// If the table itself is gone, a version takes its place.
			s.exec("drop table " + s.name("grid"))
			mustCLI(t, s.dsn, "runs", "rollback", "8", "--ledger-schema", s.schema)
			if got := s.versions(); got != "grid:8 grid_run5:5" {
				t.Errorf("versions %s", got)
			}
			if got := s.indexes("grid"); got != indexes {
				t.Errorf("indexes %s, want %s", got, indexes)
			}

			cli(t, s.dsn, "runs", "drop", "8", "--ledger-schema", s.schema).expect(t, 2, "run 8 is published")
			mustCLI(t, s.dsn, "runs", "drop", "5", "--ledger-schema", s.schema)
			if got := s.versions(); got != "grid:8" {
				t.Errorf("versions %s", got)
			}

			night(9)
			s.checkCells("grid", 29*10)
		})
	}
}

// The partitions of a version are not read when the version is kept and restored, because a check
// guarantees their bounds. A rollback counts the rows once, before readers wait.
func TestKeptPartitionsAreNotRead(t *testing.T) {
	s := newSandbox(t)
	args := append(boxes(200, 100), "--set", "night:integer=1", "--if-exists", "replace", "--keep", "1", "--partitions", "2")
	mustCLI(t, s.dsn, s.load("grid", args...)...)
	scans := func(table string) int64 {
		s.waitForCounters()
		return queryOne[int64](t, s.pool, "select coalesce(sum(seq_scan), 0)::bigint from pg_stat_user_tables where relid in (select inhrelid from pg_inherits where inhparent = $1::regclass)", s.name(table))
	}

	before := scans("grid") // its indexes were built
	mustCLI(t, s.dsn, s.load("grid", args...)...)
	if n := queryOne[int64](t, s.pool, `select count(*) from pg_constraint where contype = 'c' and conrelid in (select inhrelid from pg_inherits where inhparent = $1::regclass)`, s.name("grid_run1")); n != 2 {
		t.Errorf("%d checks on the kept partitions", n)
	}

	mustCLI(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema)
	if after := scans("grid"); after != before+2 || before == 0 {
		t.Errorf("the partitions were read %d times before they were kept, %d times after they were restored", before, after)
	}
}

// waitForCounters waits until the server has counted the work of ended sessions. Before PostgreSQL 15,
// sessions send their counts to another process, in order.
func (s sandbox) waitForCounters() {
	s.t.Helper()
	s.waitForEnd()
	s.exec("drop table if exists " + s.name("counted"))
	s.exec("create table " + s.name("counted") + " (n integer)")

	conn := s.connect()
	if _, err := conn.Exec(context.Background(), "insert into "+s.name("counted")+" values (1)"); err != nil {
		s.t.Fatal(err)
	}
	if err := conn.Close(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	s.waitFor("the counters", "select coalesce(pg_stat_get_tuples_inserted($1::regclass), 0) = 1", s.name("counted"))
}

func TestKeepIsRefused(t *testing.T) {
	s := newSandbox(t)
	keep := append(boxes(5, 5), "--if-exists", "replace", "--keep", "1")
	s.exec("create table " + s.name("grid") + " (cell_id bigint primary key, col integer, row integer, geom geometry(Polygon))")
	cli(t, s.dsn, s.load("grid", keep...)...).expect(t, 2, "--keep 1", "was not published by a run")
	mustCLI(t, s.dsn, s.load("grid", append(boxes(5, 5), "--if-exists", "replace")...)...)
	s.exec("create view " + s.name("grid_run1") + " as select 1")
	cli(t, s.dsn, s.load("grid", keep...)...).expect(t, 2, "--keep 1", "grid_run1", "blocks keeping")
	s.exec("drop view " + s.name("grid_run1"))
	mustCLI(t, s.dsn, s.load("grid", keep...)...)

	// Views would follow the table that a rollback puts away.
	s.exec("create view " + s.name("v") + " as select count(*) from " + s.name("grid"))
	cli(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema).expect(t, 1, "depend on it", "view", "drop them first")
	s.exec("drop view " + s.name("v"))

	// A table that somebody has put in the place of a version must not be dropped.
	s.exec("drop table " + s.name("grid_run1"))
	s.exec("create table " + s.name("grid_run1") + " (mine integer)")
	cli(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema).expect(t, 1, "grid_run1", "dropped or replaced by somebody")
	mustCLI(t, s.dsn, "runs", "drop", "1", "--ledger-schema", s.schema)
	mustCLI(t, s.dsn, s.load("grid", keep...)...)
	if !queryOne[bool](t, s.pool, "select to_regclass($1) is not null", s.name("grid_run1")) {
		t.Error("a table of somebody else was dropped")
	}
	for _, args := range [][]string{{"--if-exists", "append"}, {"--if-exists", "fail"}, {"--if-exists", "replace", "--publish", "truncate"}} {
		cli(t, s.dsn, s.load("grid", append(append(boxes(5, 5), "--keep", "1"), args...)...)...).expect(t, 2, "--keep 1")
	}
}

// A table that views depend on is emptied and filled. The views remain, and so do indexes, grants and
// comments.
func TestPublishTruncate(t *testing.T) {
	for name, extra := range map[string][]string{"frozen": nil, "chunks": {"--chunk-rows", "500"}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			truncate := func(cols, rows int) []string {
				return s.load("grid", append(append(boxes(cols, rows), "--if-exists", "replace", "--publish", "truncate"), extra...)...)
			}
			mustCLI(t, s.dsn, truncate(30, 20)...)
			s.checkBoxes("grid", 30, 20)
			s.exec("create view " + s.name("v") + " as select count(*) as n from " + s.name("grid"))
			s.exec("create index mine on " + s.name("grid") + " (row, col) where col > 3")
			s.exec("comment on index " + s.name("mine") + " is 'it''s mine'")
			s.exec("grant select on " + s.name("grid") + " to public")
			cli(t, s.dsn, s.load("grid", append(boxes(40, 50), "--if-exists", "replace")...)...).expect(t, 2, "view", "publish truncate", "partitions")
			before := s.indexes("grid") + queryOne[string](t, s.pool, "select oid || ' ' || array_to_string(relacl, ',') from pg_class where oid = $1::regclass", s.name("grid"))
			mustCLI(t, s.dsn, truncate(40, 50)...)
			s.checkBoxes("grid", 40, 50)
			after := s.indexes("grid") + queryOne[string](t, s.pool, "select oid || ' ' || array_to_string(relacl, ',') from pg_class where oid = $1::regclass", s.name("grid"))
			if after != before {
				t.Errorf("before: %s\nafter:  %s", before, after)
			}
			if n := queryOne[int](t, s.pool, "select n::int from "+s.name("v")); n != 2000 {
				t.Errorf("the view counts %d rows", n)
			}
			if c := queryOne[string](t, s.pool, "select obj_description($1::regclass) || ' ' || pg_get_indexdef($1::regclass)", s.name("mine")); !strings.Contains(c, "it's mine") || !strings.Contains(c, "WHERE (col > 3)") {
				t.Errorf("the index: %s", c)
			}
			if n := queryOne[float64](t, s.pool, "select reltuples from pg_class where oid = $1::regclass", s.name("grid")); n != 2000 {
				t.Errorf("statistics of %g rows", n)
			}
			if c := queryOne[string](t, s.pool, "select obj_description(oid) from pg_constraint where conrelid = $1::regclass and contype = 'p'", s.name("grid")); !strings.Contains(c, "run 2") {
				t.Errorf("the comment of the key: %s", c)
			}
			if out := mustCLI(t, s.dsn, "runs", "list", "--ledger-schema", s.schema); strings.Count(out, "published") != 1 || strings.Count(out, "replaced") != 1 {
				t.Errorf("runs list:\n%s", out)
			}

			s.exec("create table " + s.name("refers") + " (cell_id bigint references " + s.name("grid") + ")")
			cli(t, s.dsn, truncate(5, 5)...).expect(t, 2, "rows of other tables reference its rows", "refers")
			s.exec("drop table " + s.name("refers"))
			cli(t, s.dsn, append(truncate(5, 5), "--set", "a=b")...).expect(t, 2, "other columns", "lacks a text")
			s.checkBoxes("grid", 40, 50)
		})
	}
}

// Readers of a table that is being emptied and filled see all of it, or wait.
func TestReadersOfPublishTruncate(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(100, 100)...)...)
	stop := s.read("grid", 3, 10_000, 20_000)
	for i := range 4 {
		mustCLI(t, s.dsn, s.load("grid", append(boxes(200-100*(i%2), 100), "--if-exists", "replace", "--publish", "truncate")...)...)
	}
	stop()
	s.checkBoxes("grid", 100, 100)
}

// If somebody alters the table during the load, the change is not silently lost.
func TestTableAlteredInTheMeantime(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(5, 5)...)...)
	args := s.load("grid", append(smallGrid(), "--if-exists", "replace")...)
	b := s.pauseAtChunk(1)
	p := start(t, s.dsn, args...)
	b.waitUntilReached()
	s.exec("alter table " + s.name("grid") + " add column mine integer")
	b.release()
	p.wait().expect(t, 4, "has changed since the run began", "it has mine int4")
	if n := queryOne[int64](t, s.pool, "select count(mine) + count(*) from "+s.name("grid")); n != 25 {
		t.Errorf("%d rows", n)
	}

	mustCLI(t, s.dsn, args...)
	s.checkBoxes("grid", smallCols, smallRows)
}

// A staging table whose run no ledger knows, because the ledger was removed or restored from a backup, is
// dropped when the table is loaded again. Staging tables of other tables remain.
func TestOrphanedStagingTable(t *testing.T) {
	for name, extra := range map[string][]string{"chunks": {"--chunk-rows", "500"}, "partitions": {"--partitions", "10"}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			load := func(table string) []string { return s.load(table, append(boxes(200, 100), extra...)...) }
			s.killAfter(2, load("grid")...)
			s.waitForEnd()
			s.exec("delete from " + s.name("runs"))
			s.killAfter(2, load("other")...)
			s.waitForEnd()
			r := cli(t, s.dsn, appendArgs(load("grid"), "--log-format", "json")...)
			if w := r.warnings(t); r.code != 0 || len(w) != 1 {
				t.Errorf("exit code %d, want 0 and a warning about the dropped table: %s", r.code, r.stderr)
			}

			mustCLI(t, s.dsn, load("other")...)
			s.checkCells("grid", 200*100)
			s.checkCells("other", 200*100)
		})
	}
}

// A ledger of an earlier version can be read unchanged, and the next load migrates it.
func TestLedgerFromBeforeVersions(t *testing.T) {
	s := newSandbox(t)
	args := append(boxes(5, 5), "--set", "night:integer=1", "--if-exists", "replace", "--partitions", "2")
	mustCLI(t, s.dsn, s.load("grid", args...)...)
	mustCLI(t, s.dsn, s.load("grid", args...)...)
	s.exec("alter table " + s.name("runs") + " drop column version_id, drop column shown, drop column kept_name, drop column kept_no")
	s.exec("update " + s.name("schema_migrations") + " set version = 2")
	list := func() string { return mustCLI(t, s.dsn, "runs", "list", "--ledger-schema", s.schema) }
	if out := list(); strings.Count(out, s.schema+".grid  published") != 2 {
		t.Errorf("runs list:\n%s", out)
	}

	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	if out := list(); strings.Count(out, "published") != 1 || strings.Count(out, "replaced") != 1 {
		t.Errorf("runs list:\n%s", out)
	}

	mustCLI(t, s.dsn, s.load("grid", append(args, "--keep", "1")...)...)
	if got := s.versions(); got != "grid:1 grid_run2:1" {
		t.Errorf("versions %s", got)
	}
}
