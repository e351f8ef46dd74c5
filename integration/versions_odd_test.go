package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Users' settings on columns, and grants by roles with the grant option, carry over to the new table. A
// rollback removes what the table no longer has.
func TestReplaceKeepsColumnGrantsAndComments(t *testing.T) {
	s := newDatabaseSandbox(t)
	roles := [3]string{}
	for i := range roles {
		roles[i] = fmt.Sprintf("%s_%d", queryOne[string](t, s.pool, "select current_database()"), i)
		s.exec("create role " + pgx.Identifier{roles[i]}.Sanitize())
	}

	t.Cleanup(func() {
		for _, role := range roles {
			s.exec("drop owned by " + pgx.Identifier{role}.Sanitize())
			s.exec("drop role " + pgx.Identifier{role}.Sanitize())
		}
	})

	quoted := func(i int) string { return pgx.Identifier{roles[i]}.Sanitize() }
	night := func() {
		t.Helper()
		mustCLI(t, s.dsn, s.load("grid", append(boxes(5, 5), "--if-exists", "replace", "--keep", "1")...)...)
	}

	set := func() string {
		return queryOne[string](t, s.pool, `select concat_ws(' ', 'comments', obj_description($1::regclass),
				(select string_agg(attname || ':' || col_description(attrelid, attnum), ',' order by attnum) from pg_attribute where attrelid = $1::regclass and attnum > 0),
			'grants', (select string_agg(distinct pg_get_userbyid(grantee) || '=' || privilege_type || ':' || is_grantable, ',') from pg_class, aclexplode(relacl) where oid = $1::regclass and grantee <> relowner),
			'on columns', (select string_agg(distinct attname || ':' || case grantee when 0 then 'public' else pg_get_userbyid(grantee) end || '=' || privilege_type, ',') from pg_attribute, aclexplode(attacl) where attrelid = $1::regclass))`, s.name("grid"))
	}

	night()
	s.exec("comment on table " + s.name("grid") + " is 'old'")
	s.exec("comment on column " + s.name("grid") + ".col is 'counted from the ''west'''")
	s.exec("grant select (col), update (\"row\") on " + s.name("grid") + " to public")
	s.exec("grant select on " + s.name("grid") + " to " + quoted(0) + " with grant option")
	s.exec("set role " + quoted(0) + "; grant select on " + s.name("grid") + " to " + quoted(1) + "; reset role")
	before := set()
	night()
	if got := set(); got != before {
		t.Errorf("before: %s\nafter:  %s", before, got)
	}

	// The kept version has something that the table no longer has.
	s.exec("comment on table " + s.name("grid") + " is null")
	s.exec("comment on column " + s.name("grid") + ".col is null")
	s.exec("revoke all on " + s.name("grid") + " from public, " + quoted(0) + ", " + quoted(1) + " cascade")
	s.exec("grant update (col) on " + s.name("grid") + " to " + quoted(2))
	before = set()
	mustCLI(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema)
	if got := set(); got != before {
		t.Errorf("before the rollback: %s\nafter:               %s", before, got)
	}
}

// The first night with --keep after the program was updated.
func TestKeepOnALedgerFromBeforeVersions(t *testing.T) {
	s := newSandbox(t)
	args := append(boxes(5, 5), "--set", "night:integer=1", "--if-exists", "replace")
	mustCLI(t, s.dsn, s.load("grid", args...)...)
	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	s.exec("alter table " + s.name("runs") + " drop column version_id, drop column shown, drop column kept_name, drop column if exists kept_no")
	s.exec("drop table " + s.name("attempts") + " cascade") // together with its view
	s.exec("update " + s.name("schema_migrations") + " set version = 2")
	if out := mustCLI(t, s.dsn, "runs", "list", "--json", "--ledger-schema", s.schema); !strings.Contains(out, `"history": []`) {
		t.Errorf("runs list --json:\n%s", out)
	}
	mustCLI(t, s.dsn, "runs", "list", "--ledger-schema", s.schema)

	mustCLI(t, s.dsn, s.load("grid", append(args, "--keep", "1")...)...)
	if got := s.versions(); got != "grid:1 grid_run1:1" {
		t.Errorf("versions %s", got)
	}
}

// Somebody alters the table, or creates a view on it, in a transaction that ends while publish waits for
// it.
func TestTableAlteredWhilePublishWaits(t *testing.T) {
	for name, change := range map[string]struct{ sql, undo, message string }{
		"column": {"alter table %s add column mine integer", "alter table %s drop column mine", "it has mine int4"},
		"view":   {"create view %[1]s_view as select col from %[1]s", "drop view %[1]s_view", "depend on it"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			args := s.load("grid", append(boxes(5, 5), "--if-exists", "replace", "--keep", "1")...)
			mustCLI(t, s.dsn, args...)
			conn, ctx := s.connect(), context.Background()
			grid := s.schema + ".grid"
			mine := func(sql string) {
				t.Helper()
				if strings.Contains(sql, "%") {
					sql = fmt.Sprintf(sql, grid)
				}
				if _, err := conn.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}

			mine("begin; " + fmt.Sprintf(change.sql, grid))
			p := start(t, s.dsn, args...)
			s.waitFor("publish to wait", "select exists (select from pg_locks where not granted and relation = $1::regclass)", s.name("grid"))
			mine("commit")
			p.wait().expect(t, 4, change.message)
			mine(change.undo)
			mustCLI(t, s.dsn, args...)

			mine("begin; " + fmt.Sprintf(change.sql, grid))
			p = start(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema)
			s.waitFor("the rollback to wait", "select exists (select from pg_locks where not granted and relation = $1::regclass)", s.name("grid"))
			mine("commit")
			if r := p.wait(); name == "view" {
				r.expect(t, 1, change.message)
			}
		})
	}
}

// A rollback restores partitions with their indexes: none is built while readers wait.
func TestRollbackBuildsNoIndex(t *testing.T) {
	for _, index := range [][2]string{{"gist", "brin"}, {"brin", "gist"}} {
		t.Run(index[0], func(t *testing.T) {
			s := newSandbox(t)
			night := func(index string) {
				t.Helper()
				mustCLI(t, s.dsn, s.load("grid", append(boxes(40, 10), "--if-exists", "replace", "--keep", "1", "--partitions", "2", "--index", index)...)...)
			}

			indexes := func() string {
				return queryOne[string](t, s.pool, `select string_agg(i.indexrelid::regclass || ':' || a.amname, ' ' order by i.indexrelid::regclass::text)
					from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
					where i.indrelid = $1::regclass or i.indrelid in (select inhrelid from pg_inherits where inhparent = $1::regclass)`, s.name("grid"))
			}

			night(index[0])
			s.exec("create index mine on " + s.name("grid") + " (col)")
			before := indexes()
			night(index[1])
			mustCLI(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema)
			if got := indexes(); got != before {
				t.Errorf("indexes before: %s\nafter:          %s", before, got)
			}
			if c := queryOne[string](t, s.pool, "select obj_description(oid) from pg_constraint where conrelid = $1::regclass and contype = 'p'", s.name("grid")); !strings.Contains(c, "run 1") {
				t.Errorf("the comment of the key: %s", c)
			}
		})
	}
}

// Partitions that an append made are not read when they move, either.
func TestAppendedPartitionsHaveChecksOfTheirBounds(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", append(boxes(16, 16), "--partitions", "2")...)...)
	mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--extent", "100,0,110,10", "--if-exists", "append")...)
	without := queryOne[string](t, s.pool, `select coalesce(string_agg(inhrelid::regclass::text, ', '), '') from pg_inherits i
		where inhparent = $1::regclass and not exists (select from pg_constraint where conrelid = inhrelid and contype = 'c')`, s.name("grid"))
	n := queryOne[int](t, s.pool, "select count(*)::int from pg_inherits where inhparent = $1::regclass", s.name("grid"))
	if without != "" || n < 3 {
		t.Errorf("%d partitions, without a check: %s", n, without)
	}
}

// A kept version shows nobody the rows that policies of the table hide. Neither does a version that would
// replace the table.
func TestRowSecurityStays(t *testing.T) {
	s := newSandbox(t)
	keep := append(boxes(10, 10), "--if-exists", "replace", "--keep", "1")
	parts := s.load("grid", append(keep, "--partitions", "2")...)
	secure := func(table string) {
		s.exec("alter table " + s.name(table) + " enable row level security, force row level security")
	}
	mustCLI(t, s.dsn, parts...)
	secure("grid")
	mustCLI(t, s.dsn, parts...)
	if !queryOne[bool](t, s.pool, "select relrowsecurity and relforcerowsecurity from pg_class where oid = $1::regclass", s.name("grid_run1")) {
		t.Error("the kept version has no row security")
	}

	plain := s.load("plain", keep...)
	mustCLI(t, s.dsn, plain...)
	mustCLI(t, s.dsn, plain...)
	secure("plain")
	cli(t, s.dsn, plain...).expect(t, 2, "row security", "publish truncate")
	cli(t, s.dsn, "runs", "rollback", "3", "--ledger-schema", s.schema).expect(t, 1, "row security")
	mustCLI(t, s.dsn, s.load("plain", append(boxes(10, 10), "--if-exists", "replace", "--publish", "truncate")...)...)
}

// A server crash empties unlogged tables, including kept ones.
func TestRollbackToAnEmptiedVersion(t *testing.T) {
	for name, extra := range map[string][]string{"plain": nil, "partitions": {"--partitions", "2"}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			args := s.load("grid", append(append(boxes(10, 10), "--if-exists", "replace", "--keep", "1", "--unlogged"), extra...)...)
			mustCLI(t, s.dsn, args...)
			mustCLI(t, s.dsn, args...)
			s.exec("truncate table " + s.name("grid_run1")) // as a crash would
			cli(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema).expect(t, 1, "grid_run1", "unlogged", "emptied")
			s.checkCells("grid", 100)
		})
	}
}

// An index in another tablespace remains there.
func TestTruncateKeepsIndexesWhereTheyLie(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", append(boxes(10, 10), "--if-exists", "replace", "--publish", "truncate")...)
	mustCLI(t, s.dsn, args...)
	place := pgx.Identifier{"place of " + s.schema}.Sanitize()
	conn := s.connect()

	for _, sql := range []string{"set allow_in_place_tablespaces = on", "create tablespace " + place + " location ''"} {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}

	t.Cleanup(func() {
		s.exec("drop index " + s.name("mine"))
		s.exec("drop tablespace " + place)
	})

	s.exec("create index mine on " + s.name("grid") + " (col) tablespace " + place)
	mustCLI(t, s.dsn, args...)
	s.checkBoxes("grid", 10, 10)
	if !queryOne[bool](t, s.pool, "select reltablespace <> 0 from pg_class where oid = $1::regclass", s.name("mine")) {
		t.Error("the index is now in the database's tablespace")
	}
}

// The name for a kept version may be the name of a type.
func TestKeepIsRefusedForAType(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", append(boxes(5, 5), "--if-exists", "replace", "--keep", "1")...)
	mustCLI(t, s.dsn, args...)
	s.exec("create domain " + s.name("grid_run1") + " as integer")
	cli(t, s.dsn, args...).expect(t, 2, "grid_run1", "is the name of a type")
}

// Odd names: capitals, quotes, 63 bytes.
func TestKeepAndRollbackUnderOddNames(t *testing.T) {
	for name, table := range map[string]string{"quotes": `Grid "A".b'%s`, "long": strings.Repeat("ä", 30) + "xyz", "of 50 bytes": strings.Repeat("x", 50)} {
		for layout, extra := range map[string][]string{"plain": nil, "partitions": {"--partitions", "2"}} {
			t.Run(name+"/"+layout, func(t *testing.T) {
				s := newSandbox(t)
				night := func(n int) {
					t.Helper()
					args := append(boxes(5+n, 5), "--if-exists", "replace", "--keep", "2")
					mustCLI(t, s.dsn, s.load(pgx.Identifier{table}.Sanitize(), append(args, extra...)...)...)
				}

				for n := 1; n <= 4; n++ {
					night(n)
				}
				s.checkCells(table, 9*5)
				mustCLI(t, s.dsn, "runs", "rollback", "2", "--ledger-schema", s.schema)
				s.checkCells(table, 7*5)
				night(5)
				s.checkCells(table, 10*5)
				mustCLI(t, s.dsn, "runs", "rollback", "2", "--ledger-schema", s.schema)
				s.checkCells(table, 7*5)
			})
		}
	}
}

// Partitions that users made, including a default one with rows, are put away and restored with the
// others.
func TestRollbackOfPartitionsThatPeopleMade(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", append(boxes(16, 16), "--partitions", "2", "--if-exists", "replace", "--keep", "1")...)
	mustCLI(t, s.dsn, args...)
	s.exec("create table " + s.name("rest") + " partition of " + s.name("grid") + " default")
	s.exec("create table " + s.name("far") + " partition of " + s.name("grid") + " for values from (5000) to (6000)")
	s.exec("insert into " + s.name("grid") + " (cell_id) values (1000), (5000)")
	mustCLI(t, s.dsn, args...)

	for table, want := range map[string]int64{"grid": 256, "grid_run1": 258} {
		if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name(table)); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}

	mustCLI(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema)
	for table, want := range map[string]int64{"grid": 258, "grid_run2": 256, "rest": 1, "far": 1} {
		if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name(table)); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from pg_inherits where inhparent = $1::regclass", s.name("grid")); n != 4 {
		t.Errorf("%d partitions", n)
	}
}
