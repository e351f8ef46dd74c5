package integration

import (
	"fmt"
	"testing"
)

// Indexes that users have made on a partitioned table are built on the new partitions before readers have
// to wait. They get the names of the indexes that they replace.
func TestReplaceOfPartitionsBuildsOtherIndexesBeforehand(t *testing.T) {
	s := newSandbox(t)
	load := func(cols int, more ...string) []string {
		return s.load("grid", append(append(boxes(cols, 100), "--partitions", "3"), more...)...)
	}
	mustCLI(t, s.dsn, load(60)...)
	s.exec("create index on " + s.name("grid") + " (col, \"row\" desc) where col >= 0")
	s.exec("create unique index \"a using b\" on " + s.name("grid") + " (cell_id, col) include (\"row\")")
	made := `select string_agg(n::text, ' ') from (select count(*) as n from pg_index i join pg_class c on c.oid = i.indrelid
		where c.relnamespace = $1::regnamespace and c.relkind = 'r' and i.indisvalid and c.relname like $2 group by c.oid) p`

	for _, mode := range []string{"replace", "append"} {
		args := load(80, "--if-exists", mode)
		if mode == "append" {
			args = s.load("grid", "--cell-size", "1", "--extent", "0,128,50,228", "--partitions", "3", "--if-exists", mode)
		}

		b := s.newPausepoint()
		b.lock(s.name("grid"), "access share") // a reader for which a replace waits
		if mode == "append" {
			b.lock(s.name("grid"), "share update exclusive") // attaching waits for this
		}

		p := start(t, s.dsn, args...)
		b.waitUntilBlocked(s.name("grid"), "%")
		if n := queryOne[string](t, s.pool, made, s.schema, "loadgrid\\_staging%"); n != "4 4 4" {
			t.Errorf("%s: before publish the new partitions have %s indexes, want 4 each", mode, n)
		}

		b.release()
		if r := p.wait(); r.code != 0 {
			t.Fatalf("%s: exit code %d: %s", mode, r.code, r.stderr)
		}
		b.remove()
	}

	if n := queryOne[string](t, s.pool, made, s.schema, "grid\\_p%"); n != "4 4 4 4 4 4" {
		t.Errorf("the partitions have %s indexes, want 4 each", n)
	}
	if n := queryOne[int64](t, s.pool, `select count(*) from pg_index i where i.indrelid = $1::regclass
		and (select count(*) from pg_inherits where inhparent = i.indexrelid) <> 6`, s.name("grid")); n != 0 {
		t.Errorf("%d indexes of the parent lack those of partitions", n)
	}

	s.checkNothingLeft()
}

// What new partitions would lack is reported before the load, not after it.
func TestPartitionsThatCouldNotBeAttachedAreRefused(t *testing.T) {
	s := newSandbox(t)
	for _, mode := range []string{"replace", "append"} {
		for what, change := range map[string]string{
			"check":    "add constraint \"col is small\" check (col < 1000000)",
			"not null": "alter column geom set not null",
		} {
			table := mode + " " + what
			mustCLI(t, s.dsn, s.load(table, append(boxes(8, 8), "--partitions", "2")...)...)
			s.exec("alter table " + s.name(table) + " " + change)
			cli(t, s.dsn, s.load(table, "--cell-size", "1", "--extent", "64,0,72,8", "--partitions", "2", "--if-exists", mode)...).
				expect(t, 2, "--table", what, "new partitions would lack")
		}
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")+" where state <> 'published'"); n != 0 {
		t.Errorf("%d runs were begun", n)
	}
}

// The parent's indexes may change between the starts of a run. The run's partitions then differ, but each
// still gets its names.
func TestResumedPartitionsWithOtherIndexes(t *testing.T) {
	s := newSandbox(t)
	args := func(mode string) []string {
		return s.load("grid", append(boxes(200, 100), "--partitions", "5", "--index", "gist", "--if-exists", mode)...)
	}
	mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--extent", "0,256,8,264", "--partitions", "1", "--index", "brin")...)
	s.killAfter(2, args("append")...) // with BRIN, like the parent
	s.exec("create index on " + s.name("grid") + " (col)")
	if sum := mustSummary(t, s.dsn, args("replace")...); sum.ChunksResumed != 2 {
		t.Errorf("%d partitions were resumed, want 2", sum.ChunksResumed)
	}

	s.checkRows("grid", 200, 100)
	if n := queryOne[int64](t, s.pool, `select count(*) from pg_inherits p where inhparent = $1::regclass and (select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid
		join pg_am m on m.oid = c.relam where i.indrelid = p.inhrelid and i.indisvalid and m.amname in ('btree', 'gist')) <> 3`, s.name("grid")); n != 0 {
		t.Errorf("%d partitions lack an index", n)
	}

	s.checkNothingLeft()
}

// A VACUUM of the table makes an append wait before it adds a row, not afterwards.
func TestAppendTakesItsLocksFirst(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(20, 20)...)...)
	b := s.newPausepoint()
	b.lock(s.name("grid"), "share update exclusive") // the lock of VACUUM and CREATE INDEX CONCURRENTLY
	p := start(t, s.dsn, s.load("grid", "--cell-size", "1", "--extent", "20,0,40,20", "--if-exists", "append")...)
	b.waitUntilBlocked(s.name("grid"), "lock table%")
	b.release()
	if r := p.wait(); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}

	b.remove()
	s.checkCells("grid", 800)
}

// More chunks than a run may have are refused. If the plan chooses, it makes fewer.
func TestTooManyChunks(t *testing.T) {
	s := newSandbox(t)
	cli(t, s.dsn, s.load("grid", append(boxes(1000, 1000), "--chunk-rows", "1")...)...).
		expect(t, 2, "--chunk-rows 1", fmt.Sprint(1_000_000), "200000")
}

// The expressions of an index run as the owner of the table, whichever role loads.
func TestIndexExpressionsRunAsTheOwner(t *testing.T) {
	s := newSandbox(t)
	load := func(more ...string) []string {
		return append([]string{"load", "--table", s.schema + ".grid", "--ledger-schema", s.schema + "_ledger", "--cell-size", "1", "--partitions", "2"}, more...)
	}
	t.Cleanup(func() { s.exec("drop schema " + s.schema + "_ledger cascade") })
	mustCLI(t, s.dsn, load("--extent", "0,0,8,8")...)

	owner := "owner_of_" + s.schema
	s.exec("create role " + owner + "; grant usage, create on schema " + s.schema + " to " + owner)
	t.Cleanup(func() { s.exec("drop owned by " + owner + "; drop role " + owner) })
	s.exec(`create function ` + s.name("own") + `(n integer) returns integer language plpgsql immutable as $$
		begin if current_user <> '` + owner + `' then raise 'runs as %', current_user; end if; return n; end $$`)
	s.exec("alter function " + s.name("own") + "(integer) owner to " + owner + "; alter table " + s.name("grid") + " owner to " + owner)
	s.exec(queryOne[string](t, s.pool, "select string_agg(format('alter table %s owner to %I', inhrelid::regclass, $2::text), '; ') from pg_inherits where inhparent = $1::regclass", s.name("grid"), owner))
	s.exec("create index on " + s.name("grid") + " (" + s.name("own") + "(col))")

	mustCLI(t, s.dsn, load("--extent", "0,0,8,8", "--if-exists", "replace")...)
	mustCLI(t, s.dsn, load("--extent", "8,0,16,8", "--if-exists", "append")...)
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_class c join pg_index i on i.indrelid = c.oid where c.relnamespace = $1::regnamespace and c.relispartition and c.relkind = 'r' and i.indexprs is not null and c.relowner = $2::regrole", s.schema, owner); n != 4 {
		t.Errorf("%d partitions of the owner have the index, want 4", n)
	}
}
