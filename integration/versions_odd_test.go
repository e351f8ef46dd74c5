package integration

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// The first night with --keep after an update of the program.
func TestKeepOnALedgerFromBeforeVersions(t *testing.T) {
	s := newSandbox(t)
	args := append(boxes(5, 5), "--set", "night:integer=1", "--if-exists", "replace")
	mustCLI(t, s.dsn, s.load("grid", args...)...)
	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	s.exec("alter table " + s.name("runs") + " drop column version_id, drop column shown, drop column kept_name, drop column if exists kept_no")
	s.exec("update " + s.name("schema_migrations") + " set version = 2")
	if out := mustCLI(t, s.dsn, "runs", "list", "--ledger-schema", s.schema); !strings.Contains(out, "published") {
		t.Errorf("runs list:\n%s", out)
	}
	mustCLI(t, s.dsn, s.load("grid", append(args, "--keep", "1")...)...)
	if got := s.versions(); got != "grid:1 grid_run1:1" {
		t.Errorf("versions %s", got)
	}
}

// Partitions that an append has made are not read either when they move.
func TestAppendedPartitionsHaveChecksOfTheirBounds(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", append(boxes(16, 16), "--partitions", "2")...)...)
	mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--extent", "100,0,110,10", "--if-exists", "append")...)
	without := one[string](t, s.pool, `select coalesce(string_agg(inhrelid::regclass::text, ', '), '') from pg_inherits i
		where inhparent = $1::regclass and not exists (select from pg_constraint where conrelid = inhrelid and contype = 'c')`, s.name("grid"))
	n := one[int](t, s.pool, "select count(*)::int from pg_inherits where inhparent = $1::regclass", s.name("grid"))
	if without != "" || n < 3 {
		t.Errorf("%d partitions, without a check: %s", n, without)
	}
}

// A version that is kept lets nobody see rows that policies of the table hide.
func TestKeptPartitionsKeepRowSecurity(t *testing.T) {
	for name, extra := range map[string][]string{"plain": nil, "partitions": {"--partitions", "2"}} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			args := s.load("grid", append(append(boxes(10, 10), "--if-exists", "replace", "--keep", "1"), extra...)...)
			mustCLI(t, s.dsn, args...)
			s.exec("alter table " + s.name("grid") + " enable row level security, force row level security")
			mustCLI(t, s.dsn, args...)
			if !one[bool](t, s.pool, "select relrowsecurity and relforcerowsecurity from pg_class where oid = $1::regclass", s.name("grid_run1")) {
				t.Error("what is kept has no row security")
			}
		})
	}
}

// An index that lies elsewhere stays there.
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
	if !one[bool](t, s.pool, "select reltablespace <> 0 from pg_class where oid = $1::regclass", s.name("mine")) {
		t.Error("the index is in the database's tablespace now")
	}
}

// The name under which a version would be kept may be that of a type.
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
				arg := s.schema + "." + pgx.Identifier{table}.Sanitize()
				night := func(n int) {
					t.Helper()
					args := append(boxes(5+n, 5), "--if-exists", "replace", "--keep", "2", "--table", arg)
					mustCLI(t, s.dsn, s.load("x", append(args, extra...)...)...)
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
