package integration

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// Each method, with the options that change it. checkTable checks what they have in common, on a server
// that nobody else uses: VACUUM can freeze all rows only if no transaction is older, and a connection
// that begins, to any database, counts as a transaction.
func TestEachMethodMakesTheSameTable(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, map[string]string{"fsync": "off", "autovacuum": "off"})
	for name, test := range map[string]struct {
		args       []string
		partitions int64
		indexes    string // index methods on the geometry
		unlogged   bool
		method     string
	}{
		"frozen":                 {nil, 0, "gist", false, "frozen"},
		"one stream":             {[]string{"--streams", "1"}, 0, "gist", false, "frozen"},
		"chunks":                 {[]string{"--chunk-rows", "20000"}, 0, "gist", false, "chunks"},
		"chunks, BRIN":           {[]string{"--chunk-rows", "20000", "--index", "brin"}, 0, "brin", false, "chunks"},
		"partitions":             {[]string{"--partitions", "5"}, 5, "gist", false, "partitions"},
		"partitions, one stream": {[]string{"--partitions", "3", "--streams", "1"}, 3, "gist", false, "partitions"},
		"partitions, both":       {[]string{"--partitions", "4", "--index", "both", "--unlogged"}, 4, "brin gist", true, "partitions"},
		"none, unlogged":         {[]string{"--index", "none", "--unlogged"}, 0, "", true, "chunks"},
		"chunks, both, unlogged": {[]string{"--streams", "2", "--index", "both", "--unlogged"}, 0, "brin gist", true, "chunks"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sandboxIn(t, server.DSN(), "public")
			s.quiet = true
			args := append([]string{"--cell-size", "1", "--cols", "300", "--rows", "200", "--progress", "json"}, test.args...)
			r := cli(t, s.dsn, s.load("grid", args...)...)
			if sum := r.summary(t); string(sum.Method) != test.method {
				t.Errorf("the method is %s, want %s", sum.Method, test.method)
			}
			s.checkTable("grid", 300, 200, test.partitions, test.indexes, test.unlogged)
			s.exec("drop table " + s.name("grid"))
		})
	}
}

// checkTable checks that a table is what a load promises, however the rows arrived: the boxes, the key,
// complete indexes on each partition, the statistics, the settings, and frozen pages.
func (s sandbox) checkTable(table string, cols, rows, partitions int64, indexes string, unlogged bool) {
	s.t.Helper()
	s.checkRows(table, cols, rows)
	name := s.name(table)
	if n := queryOne[int64](s.t, s.pool, "select count(*) from pg_inherits where inhparent = $1::regclass", name); n != partitions {
		s.t.Errorf("%s has %d partitions, want %d", table, n, partitions)
	}

	leaves := "(select c.oid, c.relname, c.reltuples, c.relpersistence, c.reloptions from pg_class c where c.relkind = 'r' and (c.oid = '" + name + "'::regclass or c.oid in (select inhrelid from pg_inherits where inhparent = '" + name + "'::regclass)))"
	tables := "(select '" + name + "'::regclass::oid as oid union select oid from " + leaves + " l)"
	if n := queryOne[int64](s.t, s.pool, "select count(*) from "+tables+` t where
		(select count(*) from pg_index i join pg_constraint k on k.conindid = i.indexrelid where i.indrelid = t.oid and i.indisvalid and i.indisprimary and k.contype = 'p') <> 1
		or coalesce((select string_agg(m.amname, ' ' order by m.amname) from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
		    where i.indrelid = t.oid and i.indisvalid and not i.indisprimary), '') <> $1`, indexes); n != 0 {
		s.t.Errorf("%d tables of %s have indexes other than a primary key and %q", n, table, indexes)
	}

	if n := queryOne[int64](s.t, s.pool, "select count(*) from "+leaves+" l where (select count(*) from pg_stats where schemaname = $1 and tablename = l.relname) < 4 or reltuples <= 0", s.schema); n != 0 {
		s.t.Errorf("%d tables of %s lack statistics", n, table)
	}
	if n := queryOne[int64](s.t, s.pool, "select count(distinct attname) from pg_stats where schemaname = $1 and tablename = $2 and inherited = $3", s.schema, table, partitions > 0); n < 4 {
		s.t.Errorf("%s as a whole has statistics of %d columns", table, n)
	}
	if n := queryOne[int64](s.t, s.pool, "select count(*) from "+leaves+" l where reloptions is not null or (relpersistence = 'u') <> $1", unlogged); n != 0 {
		s.t.Errorf("%d tables of %s kept settings of the staging table, or have the wrong persistence", n, table)
	}
	if n := queryOne[int64](s.t, s.pool, "select count(*) from "+leaves+" l where exists (select from pg_constraint where conrelid = l.oid and contype = 'c' and conname = 'loadgrid_bounds') <> $1", partitions > 0); n != 0 {
		s.t.Errorf("%d tables of %s lack the check of a partition's bounds, or have one but are not partitions", n, table)
	}

	s.checkFrozen(table, leaves)
	s.checkNothingLeft()
}

// checkFrozen looks for pages that are not frozen. VACUUM freezes chunks, but it skips rows that a
// transaction of another session may not see yet. If there may be others, the check only requires that
// VACUUM ran.
//
// Pages without rows do not matter: when two streams extend a table at the same time, the server adds
// some pages that neither stream may use.
func (s sandbox) checkFrozen(table, leaves string) {
	s.t.Helper()
	// One session at a time: create extension fails if another session is about to make it.
	s.exec("do $$ begin perform pg_advisory_xact_lock(hashtext('pg_visibility')); create extension if not exists pg_visibility; end $$")
	pages := queryOne[int64](s.t, s.pool, "select count(*) from (select distinct tableoid, (ctid::text::point)[0]::bigint as page from "+s.name(table)+`) p,
		lateral pg_visibility_map(p.tableoid::regclass, p.page) v where not (v.all_visible and v.all_frozen)`)
	if pages > 0 && s.quiet {
		s.t.Errorf("%d pages of %s are not frozen", pages, table)
	} else if pages > 0 && !s.crashed {
		// Before PostgreSQL 15, statistics arrive some time after the work that they count.
		s.waitFor(fmt.Sprintf("VACUUM, since %d pages of %s are not frozen", pages, table),
			"select bool_and(pg_stat_get_vacuum_count(oid) > 0) from "+leaves+" l")
	}
}

// checkRows checks with PostGIS that the table contains the unit boxes, each once.
func (s sandbox) checkRows(table string, cols, rows int64) {
	s.t.Helper()
	right := queryOne[int64](s.t, s.pool, `
		select count(distinct (col, row)) from `+s.name(table)+`
		where col between 0 and $1 - 1 and row between 0 and $2 - 1
		  and st_asbinary(geom, 'NDR') = st_asbinary(st_makepolygon(st_makeline(array[
		        st_point(col + 1, row), st_point(col + 1, row + 1), st_point(col, row + 1), st_point(col, row), st_point(col + 1, row)])), 'NDR')`,
		cols, rows)
	if all := queryOne[int64](s.t, s.pool, "select count(*) from "+s.name(table)); all != cols*rows || right != all {
		s.t.Errorf("%s has %d rows, %d of them as expected, want %d", table, all, right, cols*rows)
	}
}

// The partitions' ranges follow one another and have equally many rows, give or take one.
func TestPartitionsAreEqualAndWithoutGaps(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--cols", "130", "--rows", "77", "--partitions", "12")...)
	rows := queryOne[string](t, s.pool, "select min(n) || ' to ' || max(n) || ' in ' || count(*) from (select count(*) as n from "+s.name("grid")+" group by tableoid) c")
	if rows != "834 to 835 in 12" {
		t.Errorf("a partition has %s", rows)
	}

	gaps := queryOne[int64](t, s.pool, `
		with p as (select (regexp_match(b, 'FROM \(''(-?\d+)'))[1]::bigint as lo, (regexp_match(b, 'TO \(''(-?\d+)'))[1]::bigint as hi
		           from (select pg_get_expr(c.relpartbound, c.oid) as b from pg_inherits i join pg_class c on c.oid = i.inhrelid where inhparent = $1::regclass) x)
		select count(*) from p where hi <> (select max(hi) from p) and hi not in (select lo from p)`, s.name("grid"))
	if gaps != 0 {
		t.Errorf("%d gaps between partitions", gaps)
	}

	names := queryOne[string](t, s.pool, "select string_agg(c.relname, ' ' order by c.relname) from pg_inherits i join pg_class c on c.oid = i.inhrelid where inhparent = $1::regclass", s.name("grid"))
	if !strings.HasPrefix(names, "grid_p00 grid_p01 ") {
		t.Errorf("the partitions are called %s", names)
	}
}

// A replace keeps the parent, so everything that depends on it remains.
func TestReplaceOfPartitionsKeepsViewsAndGrants(t *testing.T) {
	s := newSandbox(t)
	role := "reader_" + s.schema
	s.exec("create role " + role)
	t.Cleanup(func() { s.exec("drop owned by " + role + "; drop role " + role) })
	load := func(cols string, more ...string) []string {
		return s.load("grid", append([]string{"--cell-size", "1", "--cols", cols, "--rows", "200", "--if-exists", "replace"}, more...)...)
	}
	mustCLI(t, s.dsn, load("100", "--partitions", "3")...)
	s.exec("create view " + s.name("seen") + " as select count(*) as n from " + s.name("grid"))
	s.exec("grant select on " + s.name("grid") + " to " + role)
	s.exec("comment on table " + s.name("grid") + " is 'ours'")
	oid := queryOne[uint32](t, s.pool, "select $1::regclass::oid", s.name("grid"))

	for _, next := range []struct {
		cols       int64
		partitions int64
		index      string
		indexes    string
	}{{300, 4, "gist", "gist"}, {150, 4, "brin", "brin"}, {150, 7, "both", "brin gist"}, {80, 2, "none", ""}, {60, 2, "gist", "gist"}} {
		mustCLI(t, s.dsn, load(fmt.Sprint(next.cols), "--partitions", fmt.Sprint(next.partitions), "--index", next.index)...)
		s.checkTable("grid", next.cols, 200, next.partitions, next.indexes, false)
		if n := queryOne[int64](t, s.pool, "select n from "+s.name("seen")); n != next.cols*200 {
			t.Errorf("the view sees %d rows", n)
		}
	}

	if now := queryOne[uint32](t, s.pool, "select $1::regclass::oid", s.name("grid")); now != oid {
		t.Error("the parent is another table")
	}
	if !queryOne[bool](t, s.pool, "select has_table_privilege($1, $2, 'SELECT') and obj_description($2::regclass) = 'ours'", role, s.name("grid")) {
		t.Error("the grant or the comment is gone")
	}
	if queryOne[int64](t, s.pool, "select count(*) from pg_class where relnamespace = $1::regnamespace and relkind = 'r' and relname like 'grid\\_%'", s.schema) != 2 {
		t.Error("old partitions remain")
	}

	cli(t, s.dsn, load("100")...).expect(t, 2, "--table", "is partitioned", "set partitions")
	mustCLI(t, s.dsn, s.load("plain", "--cell-size", "1", "--cols", "2", "--rows", "2")...)
	cli(t, s.dsn, s.load("plain", "--cell-size", "1", "--cols", "2", "--rows", "2", "--partitions", "2", "--if-exists", "replace")...).
		expect(t, 2, "--table", "is a plain table")
}

// An append attaches partitions if their ranges are free. Otherwise rows go into the existing partitions,
// and into new ones next to them.
func TestAppendToPartitions(t *testing.T) {
	s := newSandbox(t)
	load := func(extent string, more ...string) []string {
		return s.load("grid", append([]string{"--cell-size", "1", "--extent", extent, "--if-exists", "append"}, more...)...)
	}
	mustCLI(t, s.dsn, load("0,0,60,64", "--partitions", "4", "--index", "brin")...)
	mustCLI(t, s.dsn, load("64,64,128,128", "--partitions", "2")...) // ids after those of the first load
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_inherits where inhparent = $1::regclass", s.name("grid")); n != 6 {
		t.Errorf("%d partitions, want 6", n)
	}

	cli(t, s.dsn, load("60,0,70,64", "--partitions", "2")...).expect(t, 2, "--partitions 2", "would overlap", "leave partitions out")
	mustCLI(t, s.dsn, load("60,0,70,64")...) // among the existing cells, and next to them
	mustCLI(t, s.dsn, load("0,64,64,200")...)
	cli(t, s.dsn, load("0,0,1,1")...).expect(t, 2, "holds 1 of the 1 cells already")
	if n, want := queryOne[int64](t, s.pool, "select count(distinct (col, row)) from "+s.name("grid")), int64(60*64+64*64+10*64+64*136); n != want {
		t.Errorf("%d cells, want %d", n, want)
	}
	if n := queryOne[int64](t, s.pool, `select count(*) from pg_inherits i where inhparent = $1::regclass and (select count(*) from pg_index x
		join pg_class c on c.oid = x.indexrelid join pg_am m on m.oid = c.relam where x.indrelid = i.inhrelid and (x.indisprimary or m.amname = 'brin')) <> 2`, s.name("grid")); n != 0 {
		t.Errorf("%d partitions lack an index", n)
	}

	s.checkNothingLeft()
}

// waitForCopy waits until a load has sent rows of a table that only its own transaction can see.
func (s sandbox) waitForCopy() {
	s.t.Helper()
	s.waitFor("a COPY", "select exists (select from pg_stat_activity where state = 'active' and query like 'copy %' || $1 || '%freeze%')", s.schema)
}

// If a frozen load is stopped or killed within its one transaction, it leaves nothing behind for the next
// load of any job to clean up.
func TestFrozenLoadLeavesNothing(t *testing.T) {
	big := []string{"--cell-size", "1", "--cols", "3000", "--rows", "2000"}
	t.Run("SIGINT", func(t *testing.T) {
		s := newSandbox(t)
		p := start(t, s.dsn, s.load("grid", big...)...)
		s.waitForCopy()
		_ = p.cmd.Process.Signal(syscall.SIGINT)
		p.wait().expect(t, 130, "SIGINT")
		s.checkNothingLeft()
	})

	t.Run("SIGKILL", func(t *testing.T) {
		s := newSandbox(t)
		p := start(t, s.dsn, s.load("grid", big...)...)
		s.waitForCopy()
		_ = p.cmd.Process.Kill()
		p.wait()
		s.waitForEnd()
		mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--cols", "30", "--rows", "20")...)
		s.checkTable("grid", 30, 20, 0, "gist", false)
	})
}

// After k committed partitions, a rerun copies the other n-k. A partition in which the load is killed
// does not count, and if the load has published, a rerun has nothing to do.
func TestKilledPartitionsResume(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", "--cell-size", "1", "--cols", "200", "--rows", "100", "--partitions", "20", "--progress", "json")
	s.killAfter(3, args...)
	s.resumesPartitions(args, 3, 17)
	s.checkTable("grid", 200, 100, 20, "gist", false)

	for name, committed := range map[string]int64{
		"begin": 0, "load of a partition": 2, "index of a partition": 2, "attach": 2, "analyze of partitions": 4, "publish": 4,
	} {
		t.Run(name, func(t *testing.T) {
			s := newDatabaseSandbox(t)
			if err := loader.NewLedger(s.pool, s.schema).MigrateUp(t.Context()); err != nil {
				t.Fatal(err)
			}

			// With one stream, partitions are loaded one after another.
			args := s.load("grid", "--cell-size", "1", "--cols", "120", "--rows", "100", "--partitions", "4", "--streams", "1", "--index", "both", "--progress", "json")
			middle := scenario{job: loader.Job{Table: loader.Table{Name: "grid"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 120, Rows: 100, Partitions: 4}}.middle(t)
			at, b := places()[name], s.newPausepoint()
			at.prepare(b, middle)
			p := start(t, s.dsn, args...)
			at.waitUntilReached(b)
			_ = p.cmd.Process.Kill()
			p.wait()
			b.remove()

			s.resumesPartitions(args, committed, 4-committed)
			s.checkTable("grid", 120, 100, 4, "brin gist", false)
		})
	}
}

// resumesPartitions repeats a killed load that has committed this many partitions.
func (s sandbox) resumesPartitions(args []string, committed, left int64) {
	s.t.Helper()
	if k := queryOne[int64](s.t, s.pool, "select count(*) from "+s.name("chunks")); k != committed {
		s.t.Errorf("%d partitions are committed, want %d", k, committed)
	}

	r := cli(s.t, s.dsn, args...)
	if r.code != 0 {
		s.t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}

	if sum := r.summary(s.t); sum.ChunksResumed != committed || sum.ChunksCopied != left {
		s.t.Errorf("%d partitions were resumed and %d copied, want %d and %d", sum.ChunksResumed, sum.ChunksCopied, committed, left)
	}
}

// A server crash empties an unlogged staging table; here, another session empties it.
func TestEmptiedUnloggedTableStartsOver(t *testing.T) {
	for name, layout := range map[string][]string{"plain": {"--chunk-rows", "500"}, "partitions": {"--partitions", "20"}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			args := s.load("grid", append([]string{"--cell-size", "1", "--cols", "200", "--rows", "100", "--unlogged"}, layout...)...)
			s.killAfter(2, args...)
			staging := queryOne[string](t, s.pool, "select staging_name from "+s.name("runs")+" where state = 'loading'")
			s.exec("truncate " + pgx.Identifier{s.schema, staging}.Sanitize())
			if sum := mustSummary(t, s.dsn, args...); sum.ChunksResumed != 0 || sum.ChunksCopied != sum.Chunks {
				t.Errorf("it resumed %d chunks and copied %d, but should start over", sum.ChunksResumed, sum.ChunksCopied)
			}

			partitions := int64(0)
			if name == "partitions" {
				partitions = 20
			}
			s.checkTable("grid", 200, 100, partitions, "gist", true)
		})
	}
}
