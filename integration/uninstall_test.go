package integration

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/db/migrations"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

// objects lists the database's objects outside the schemas of PostgreSQL and PostGIS, with the comments
// of tables and their indexes, functions and schemas.
func (s sandbox) objects() string {
	s.t.Helper()
	return queryOne[string](s.t, s.pool, `
		select coalesce(string_agg(what, E'\n' order by what), '') from (
			select 'relation ' || c.relnamespace::regnamespace || '.' || c.relname || coalesce(' ' || obj_description(c.oid), '') as what from pg_class c where c.relnamespace::regnamespace::text not in ('pg_toast', 'pg_catalog', 'information_schema')
			union all select 'function ' || p.pronamespace::regnamespace || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' from pg_proc p where p.pronamespace <> 'pg_catalog'::regnamespace and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
			union all select 'type ' || y.oid::regtype from pg_type y where y.typtype = 'd'
			union all select 'comment ' || obj_description(k.oid, 'pg_constraint') from pg_constraint k where obj_description(k.oid, 'pg_constraint') is not null
			union all select 'schema ' || n.nspname from pg_namespace n where n.nspname !~ '^pg_') o`)
}

// checkObjects fails unless the database has these objects.
func (s sandbox) checkObjects(what, want string) {
	s.t.Helper()
	got := s.objects()
	for line := range strings.Lines(got + "\n") {
		if !strings.Contains("\n"+want+"\n", "\n"+line) {
			s.t.Errorf("%s: unexpected: %s", what, line)
		}
	}
	for line := range strings.Lines(want + "\n") {
		if !strings.Contains("\n"+got+"\n", "\n"+line) {
			s.t.Errorf("%s: missing: %s", what, line)
		}
	}
}

// without returns the lines of a text that contain none of the words.
func without(text string, words ...string) string {
	var lines []string
line:
	for line := range strings.Lines(text) {
		for _, w := range words {
			if strings.Contains(line, w) {
				continue line
			}
		}
		lines = append(lines, line)
	}
	return strings.TrimSpace(strings.Join(lines, ""))
}

// ordinaryRole returns the DSN and name of a role that may create schemas in the sandbox's database and
// tables in grids.
func (s sandbox) ordinaryRole() (dsn, role string) {
	s.t.Helper()
	database := queryOne[string](s.t, s.pool, "select current_database()")
	role, password := "uninstaller_of_"+database, newPassword()
	s.exec("create role " + role + " login password '" + password + "'; grant create, connect on database " + pgx.Identifier{database}.Sanitize() + " to " + role)
	s.t.Cleanup(func() { s.exec("drop owned by " + role + " cascade; drop role " + role) })
	s.exec("create schema grids; grant usage, create on schema grids to " + role)
	dsn = changeDSN(s.t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(role, password) })
	return dsn, role
}

// A role that owns the ledger and is not a superuser removes everything that loadgrid made, and nothing
// else. The list changes nothing, and after the removal there is nothing left to remove.
func TestUninstall(t *testing.T) {
	t.Parallel()
	s := sandboxIn(t, pgtest.Database(t), "grids")
	dsn, role := s.ordinaryRole()
	s.exec("create table grids.mine (n integer); create table grids.loadgrid_staging_mine (n integer); create function grids.cell_at(integer) returns integer language sql as 'select $1'")
	before := s.objects()

	load := func(table string, args ...string) {
		t.Helper()
		mustCLI(t, dsn, append([]string{"load", "--table", "grids." + table, "--cell-size", "1", "--if-exists", "replace", "--keep", "1"}, args...)...)
	}
	for range 2 {
		load("grid", "--cols", "4", "--rows", "3")
		load("parts", "--cols", "4", "--rows", "3", "--partitions", "2")
	}
	mustCLI(t, dsn, "runs", "hold", "grids.grid")
	loaded := s.objects()

	// An unfinished run, and a staging table that the ledger does not know.
	s.exec(`create function loadgrid_stop() returns trigger language plpgsql as $$ begin raise 'stopped here'; end $$;
		create trigger stop before insert on loadgrid.chunks for each row when (new.chunk_no = 2) execute function loadgrid_stop()`)
	cli(t, dsn, "load", "--table", "grids.stopped", "--cell-size", "1", "--cols", "20", "--rows", "10", "--chunk-rows", "20", "--streams", "1").expect(t, 4, "stopped here")
	s.exec("drop trigger stop on loadgrid.chunks; drop function loadgrid_stop()")
	s.exec("do $$ declare t text := (select 'grids.' || left(staging_name, -8) || 'deadbeef' from loadgrid.runs where state = 'loading'); begin execute 'create table ' || t || ' ()'; execute 'alter table ' || t || ' owner to " + role + "'; end $$")

	full := s.objects()
	r := cli(t, dsn, "uninstall")
	r.checkOutput(t, "removes  the ledger in schema loadgrid, with 5 runs: attempts, chunks, held_tables, identity", "functions of the ledger", "removes  schema loadgrid\n",
		"removes  staging table grids.loadgrid_staging_", "of the unfinished run 5", "which belongs to no run in the ledger",
		"keeps    table grids.grid, which loadgrid loaded", "keeps    kept version grids.grid_run1 of table grids.grid (", ": --kept removes it", "nothing was removed")
	if strings.Count(r.stdout, "staging table") != 2 {
		t.Errorf("it lists %s", r.stdout)
	}
	s.checkObjects("after the list", full)

	cli(t, dsn, "uninstall", "--yes").checkOutput(t, "removed  the ledger", "removed  schema loadgrid\n", "keeps    table grids.parts", "done")
	s.checkObjects("after the removal", without(loaded, "loadgrid.", "schema loadgrid"))
	cli(t, dsn, "uninstall", "--yes").checkOutput(t, "found nothing of loadgrid")

	// The next night takes over the existing tables. Then everything is removed, including the tables,
	// except what existed before.
	load("grid", "--cols", "4", "--rows", "3")
	cli(t, dsn, "uninstall", "--yes", "--kept").checkOutput(t, "removed  kept version grids.grid_run", "done")
	s.exec("drop table grids.grid, grids.parts, grids.grid_run1, grids.parts_run2")
	s.checkObjects("in the end", before)
}

// In a schema that the ledger shares, only loadgrid's objects are removed. What another ledger knows
// remains.
func TestUninstallFromASharedSchema(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec(`create table public.mine (n integer primary key); create view public.my_view as select n from public.mine; create function public.my_function() returns integer language sql as 'select 1';
		comment on table public.mine is 'of mine'`)
	before := s.objects()
	args := append(boxes(4, 3), "--if-exists", "replace", "--keep", "1")
	for range 2 {
		mustCLI(t, s.dsn, s.load("grid", args...)...)
	}
	s.killAfter(2, s.load("unfinished", smallGrid()...)...)
	mustCLI(t, s.dsn, append([]string{"load", "--table", "public.theirs", "--ledger-schema", "other"}, args...)...)
	other := sandbox{t: t, pool: s.pool, dsn: s.dsn, schema: "other"}
	other.exec("create table other.runs_of_mine (n integer)")
	theirs := s.objects()
	s.waitForEnd()

	r := cli(t, s.dsn, "uninstall", "--ledger-schema", "public", "--kept", "--yes")
	r.checkOutput(t, "removed  the ledger in schema public", "keeps    schema public", "removed  kept version public.grid_run1", "keeps    the ledger in schema other: --ledger-schema other")
	if strings.Contains(r.stdout, "removed  schema") {
		t.Errorf("it prints %s", r.stdout)
	}
	s.checkNothingLeft()
	left := s.objects() + "\n"
	for line := range strings.Lines(before + "\n") {
		if !strings.Contains(left, line) {
			t.Errorf("it removed %s", line)
		}
	}
	for line := range strings.Lines(theirs + "\n") {
		if strings.Contains(line, " other.") && !strings.Contains(left, line) {
			t.Errorf("it removed %s of another ledger", line)
		}
	}
	if n := queryOne[int](t, s.pool, "select count(*) from public.grid"); n != 12 {
		t.Errorf("the table has %d rows", n)
	}

	// The other schema also contains a table of ours.
	cli(t, s.dsn, "uninstall", "--ledger-schema", "other", "--yes").checkOutput(t, "keeps    schema other: it contains other objects")
	s.exec("drop table other.runs_of_mine; drop schema other; drop table public.grid, public.theirs")
	s.checkObjects("in the end", before)

	// Tables that have names of ledger tables but are not part of a ledger.
	s.exec("create schema strange; create table strange.runs (id bigint); create table strange.schema_migrations (version bigint, dirty boolean); create schema void")
	before = s.objects()
	for _, schema := range []string{"strange", "void", "nowhere"} {
		cli(t, s.dsn, "uninstall", "--ledger-schema", schema, "--yes").checkOutput(t, "found nothing of loadgrid")
	}
	s.checkObjects("in the end", before)
}

// latestVersion is the newest ledger version that this program knows.
func latestVersion(t *testing.T) uint {
	t.Helper()
	latest, err := migrations.Latest()
	if err != nil {
		t.Fatal(err)
	}
	return latest
}

// Uninstall refuses to remove what would break something, names it, and removes nothing.
func TestUninstallRefuses(t *testing.T) {
	s := newDatabaseSandbox(t)
	args := append(boxes(4, 3), "--if-exists", "replace", "--keep", "1")
	for range 2 {
		mustCLI(t, s.dsn, append([]string{"load", "--table", "public.grid"}, args...)...)
	}
	uninstall := []string{"uninstall", "--yes"}

	for object, sql := range map[string][2]string{
		"view public.places":                    {"create view public.places as select loadgrid.cell_id(1, 2) as id", "drop view public.places"},
		"view public.history":                   {"create view public.history as select id from loadgrid.runs", "drop view public.history"},
		"index public.mine_idx":                 {"create table public.mine (c integer, r integer); create index mine_idx on public.mine (loadgrid.cell_id(c, r))", "drop table public.mine"},
		"column id of table public.mine":        {"create table public.mine (id bigint default loadgrid.cell_id(1, 2))", "drop table public.mine"},
		"constraint mine_run_fkey on table pub": {"create table public.mine (run bigint references loadgrid.runs)", "drop table public.mine"},
		"column run of table public.mine":       {"create table public.mine (run loadgrid.runs)", "drop table public.mine"},
	} {
		s.exec(sql[0])
		before := s.objects()
		cli(t, s.dsn, uninstall...).expect(t, 1, "nothing was removed, because these depend on what would be removed", object)
		s.checkObjects(object, before)
		s.exec(sql[1])
	}

	// A view of a kept version that would also be removed.
	s.exec("create view public.yesterday as select cell_id from public.grid_run1")
	cli(t, s.dsn, "uninstall", "--yes", "--kept").expect(t, 1, "view public.yesterday")
	s.exec("drop view public.yesterday")

	// The text of a function is not a dependency, so uninstall lists it but does not refuse.
	s.exec(`create function public.mine() returns bigint language plpgsql as $$ begin return (select "loadgrid".cell_id(1, 2)); end $$;
		create function public.none() returns bigint language plpgsql as $$ begin return (select my_loadgrid.cell_id(1, 2)); end $$`)
	r := cli(t, s.dsn, "uninstall")
	if r.checkOutput(t, "keeps    function public.mine(), which calls the ledger"); strings.Contains(r.stdout, "none()") {
		t.Errorf("it lists %s", r.stdout)
	}

	// A run is active.
	p := start(t, s.dsn, "load", "--table", "public.alive", "--cell-size", "1", "--cols", "3", "--rows", "3", "--after", "select pg_sleep(600)", "--after-timeout", "1h")
	s.waitFor("the load to publish", "select exists (select from pg_stat_activity where state = 'active' and query like 'select pg_sleep(600)%')")
	before := s.objects()
	cli(t, s.dsn, uninstall...).expect(t, 3, "another run holds table public.alive (backend ")
	s.checkObjects("while a run is alive", before)
	_ = p.cmd.Process.Signal(interrupt)
	p.wait()

	// A newer loadgrid made the ledger.
	s.exec("update loadgrid.schema_migrations set version = 99")
	cli(t, s.dsn, uninstall...).expect(t, 1, "version 99", "newer loadgrid")
	s.exec(fmt.Sprintf("update loadgrid.schema_migrations set version = %d", latestVersion(t)))

	// Another session reads the ledger for longer than uninstall waits.
	conn := s.connect()
	if _, err := conn.Exec(t.Context(), "begin; select from loadgrid.marks"); err != nil {
		t.Fatal(err)
	}
	cli(t, s.dsn, uninstall...).expect(t, 1, "locking table marks of the ledger", "55P03")
	if _, err := conn.Exec(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}

	// Another role, which this role trusts, owns the ledger.
	dsn, role := s.ordinaryRole()
	owner := queryOne[string](t, s.pool, "select current_user")
	s.exec("grant all on schema loadgrid to " + role + "; grant all on all tables in schema loadgrid to " + role)
	cli(t, dsn, append(uninstall, "--ledger-owner", owner)...).expect(t, 1, "nothing was removed: role "+owner+" owns ")
	cli(t, s.dsn, append(uninstall, "--ledger-owner", role)...).checkOutput(t, "done")
}

// The commands of docs/uninstall.md, unchanged, in a shell.
func TestTheDocumentedUninstall(t *testing.T) {
	t.Parallel()
	s := sandboxIn(t, pgtest.Database(t), "grids")
	dsn, _ := s.ordinaryRole()
	for range 2 {
		mustCLI(t, dsn, append([]string{"load", "--table", "grids.europe", "--if-exists", "replace", "--keep", "1"}, boxes(4, 3)...)...)
	}

	bin := t.TempDir()
	if err := os.Symlink(os.Getenv(binaryVariable), filepath.Join(bin, "loadgrid")); err != nil {
		t.Fatal(err)
	}
	blocks, err := mdblocks.Read("../docs/uninstall.md")
	if err != nil {
		t.Fatal(err)
	}

	var outputs []string
	comments := "select count(*) from pg_constraint where obj_description(oid, 'pg_constraint') like 'loadgrid %'"
	for _, b := range blocks {
		switch b.Language {
		case "sh":
			cmd := exec.Command("sh", "-e", "-c", b.Text)
			cmd.Env = append(os.Environ(), "LOADGRID_DSN="+dsn, "PATH="+bin+":"+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v: %s", b.Name(), err, out)
			}
			outputs = append(outputs, string(out))
		case "sql":
			if strings.HasPrefix(b.Text, "select") {
				if lines := s.lines(b); len(lines) != 2 || !strings.HasPrefix(lines[0], "grids.europe loadgrid ") {
					t.Errorf("%s: %q", b.Name(), lines)
				}
				continue
			}

			s.exec(b.Text)
			if n := queryOne[int](t, s.pool, comments); n != 0 {
				t.Errorf("%d comments are left", n)
			}
		case "": // an example of the listing
		default:
			t.Errorf("%s: no test knows what to do with it", b.Name())
		}
	}

	// The third command is for users who have not run the second.
	if len(outputs) != 3 || !strings.Contains(outputs[0], "nothing was removed") || !strings.HasSuffix(outputs[1], "done\n") || !strings.Contains(outputs[2], "found nothing of loadgrid") {
		t.Errorf("the commands print %q", outputs)
	}
	if got := queryOne[string](t, s.pool, "select string_agg(relname, ' ' order by relname) from pg_class where relkind = 'r' and relnamespace = 'grids'::regnamespace"); got != "europe europe_run1" {
		t.Errorf("tables %s", got)
	}
}
