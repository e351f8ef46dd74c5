package integration

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// documentedSQL returns the SQL of a section of docs/security.md with its names replaced.
func documentedSQL(t *testing.T, section string, names ...string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}

	_, part, found := strings.Cut(string(text), "# "+section+"\n")
	_, block, fenced := strings.Cut(part, "\n```sql\n")
	sql, _, ends := strings.Cut(block, "\n```\n")
	if !found || !fenced || !ends {
		t.Fatalf("docs/security.md has no SQL under %s", section)
	}

	for i := 0; i+1 < len(names); i += 2 {
		if !strings.Contains(sql, names[i]) {
			t.Fatalf("the SQL in docs/security.md has no %s", names[i])
		}
	}

	return strings.NewReplacer(names...).Replace(sql)
}

// The documented role, with nothing but the documented privileges, can do everything.
func TestTheDocumentedRole(t *testing.T) {
	t.Parallel()
	s := sandboxIn(t, pgtest.Database(t), "grids")
	s.exec("revoke all on schema public from public; revoke select on spatial_ref_sys from public")
	database := queryOne[string](t, s.pool, "select current_database()")
	s.exec("revoke all on database " + pgx.Identifier{database}.Sanitize() + " from public")
	role, reader := "loader_of_"+database, "reader_of_"+database
	t.Cleanup(func() {
		s.checkNoSecrets()
		s.exec("drop owned by " + role)
		s.exec("drop owned by " + reader)
		s.exec("drop role " + role + ", " + reader)
	})

	s.exec(documentedSQL(t, "Privileges", "database gis", "database "+database, "grid_loader", role, "grid_reader", reader))
	password := newPassword()
	s.exec("alter role " + role + " password '" + password + "'; alter role " + reader + " login password '" + password + "'")
	if queryOne[bool](t, s.pool, "select has_database_privilege($1, current_database(), 'create, temp') or has_schema_privilege($1, 'public', 'create') or exists (select from pg_roles where rolname = $1 and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication))", role) {
		t.Fatal("the role has more privileges than documented, so this test proves nothing")
	}

	as := func(name string) string {
		return changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(name, password) })
	}
	dsn := as(role)
	load := func(table string, args ...string) []string {
		return append([]string{"load", "--table", "grids." + table, "--ledger-schema", "loadgrid", "--cell-size", "1", "--srid", "3857"}, args...)
	}

	rows := func(table string, want int64) {
		t.Helper()
		if n := queryOne[int64](t, s.pool, "select count(*) from grids."+table); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}

	// Plain, in chunks and in partitions: new, replaced and appended to.
	mustCLI(t, dsn, load("plain", "--cols", "20", "--rows", "10")...)
	mustCLI(t, dsn, load("plain", "--cols", "10", "--rows", "10", "--if-exists", "replace", "--streams", "2", "--chunk-rows", "30")...)
	mustCLI(t, dsn, load("plain", "--extent", "10,0,20,10", "--if-exists", "append")...)
	mustCLI(t, dsn, load("parts", "--cols", "16", "--rows", "16", "--partitions", "4", "--index", "both")...)
	mustCLI(t, dsn, load("parts", "--cols", "16", "--rows", "16", "--partitions", "2", "--if-exists", "replace")...)
	mustCLI(t, dsn, load("parts", "--extent", "16,0,32,16", "--partitions", "2", "--if-exists", "append")...)
	mustCLI(t, dsn, load("areas", "--aoi-sql", "select st_transform(st_setsrid(st_makeenvelope(0.0001, 0.0001, 0.0002, 0.0002), 4326), 3857)", "--coverage", "--clip", "--code", "inspire")...)
	rows("plain", 200)
	rows("parts", 512)

	// Kept and rolled back; emptied and filled.
	for table, extra := range map[string][]string{"kept": nil, "kept_parts": {"--partitions", "2"}} {
		mustCLI(t, dsn, load(table, append(extra, "--cols", "20", "--rows", "10", "--if-exists", "replace", "--keep", "1")...)...)
		id := queryOne[string](t, s.pool, "select max(id)::text from loadgrid.runs")
		for range 2 {
			mustCLI(t, dsn, load(table, append(extra, "--cols", "10", "--rows", "10", "--if-exists", "replace", "--keep", "2")...)...)
		}
		mustCLI(t, dsn, "runs", "rollback", id, "--ledger-schema", "loadgrid")
		rows(table, 200)
	}

	mustCLI(t, dsn, load("kept", "--cols", "10", "--rows", "10", "--if-exists", "replace", "--publish", "truncate")...)
	rows("kept", 100)
	if out := mustCLI(t, dsn, "plan", "--table", "grids.plain", "--ledger-schema", "loadgrid", "--if-exists", "append", "--cell-size", "1", "--srid", "3857", "--extent", "20,0,30,10"); !strings.Contains(out, "100") {
		t.Errorf("plan prints: %s", out)
	}

	// Stopped in the middle and resumed; stopped and dropped. The ledger belongs to the role.
	s.exec(`create function loadgrid.stop() returns trigger language plpgsql as $$ begin raise 'stopped here'; end $$;
		grant execute on function loadgrid.stop() to public;
		create trigger stop before insert on loadgrid.chunks for each row when (new.chunk_no = 5) execute function loadgrid.stop()`)
	stopped := load("stopped", "--cols", "20", "--rows", "10", "--chunk-rows", "20", "--streams", "1")
	cli(t, dsn, stopped...).expect(t, 4, "stopped here")
	s.exec("alter table loadgrid.chunks disable trigger stop")
	id := queryOne[string](t, s.pool, "select max(id)::text from loadgrid.runs")
	mustCLI(t, dsn, "runs", "resume", id, "--ledger-schema", "loadgrid")
	rows("stopped", 200)
	s.exec("alter table loadgrid.chunks enable trigger stop")
	cli(t, dsn, append(stopped, "--if-exists", "replace", "--set", "a=b")...).expect(t, 4, "stopped here")
	id = queryOne[string](t, s.pool, "select max(id)::text from loadgrid.runs")
	mustCLI(t, dsn, "runs", "drop", id, "--ledger-schema", "loadgrid")
	mustCLI(t, dsn, "runs", "show", id, "--ledger-schema", "loadgrid")
	mustCLI(t, dsn, "runs", "list", "--ledger-schema", "loadgrid")
	mustCLI(t, dsn, "migrate", "version", "--ledger-schema", "loadgrid")
	s.exec("drop trigger stop on loadgrid.chunks; drop function loadgrid.stop()")
	mustCLI(t, dsn, "bench", "--schema", "grids", "--rows", "700")
	mustCLI(t, dsn, "preview", "--table", "grids.areas", "--out", t.TempDir()+"/preview.png")

	// The job of docs/scheduling.md, with the additional grant that it needs.
	s.exec("create table public.districts as select st_makeenvelope(4321000, 3210000, 4341000, 3220000, 3035) as geom; grant select on public.districts to " + role)
	nightly := t.TempDir() + "/nightly.yaml"
	if err := os.WriteFile(nightly, []byte(documented(t, "yaml", "The job")[0].Text), 0o600); err != nil {
		t.Fatal(err)
	}

	mustCLI(t, dsn, "load", "--job", nightly, "--only", "districts")
	rows("districts_250m", 82*42) // including the cells that touch them
	if out := mustCLI(t, dsn, "runs", "list", "--table", "grids.districts_250m"); !strings.Contains(out, "districts") {
		t.Errorf("runs list prints: %s", out)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_class where relname like 'loadgrid\\_staging%'"); n != 0 {
		t.Errorf("%d staging tables are left", n)
	}

	// A table may belong to a group in which the role is a member.
	group := "owner_of_" + database
	s.exec("create role " + group + "; grant " + group + " to " + role + "; grant usage on schema grids to " + group)
	t.Cleanup(func() { s.exec("drop owned by " + group + "; drop role " + group) })
	s.exec("alter table grids.plain owner to " + group)
	plain := load("plain", "--cols", "20", "--rows", "10", "--if-exists", "replace", "--keep", "1")
	cli(t, dsn, plain...).expect(t, 1, "42501", "its owner "+group, "grant create on schema")
	s.exec("grant create on schema grids to " + group)
	mustCLI(t, dsn, plain...)
	if owner := queryOne[string](t, s.pool, "select relowner::regrole::text from pg_class where oid = 'grids.plain'::regclass"); owner != group {
		t.Errorf("the table belongs to %s", owner)
	}

	// Reader roles can read, including a replaced table, and can do nothing more.
	pool := openPool(t, as(reader), nil)
	if n := queryOne[int64](t, pool, "select count(*) from grids.plain join grids.parts using (cell_id)"); n != 200 {
		t.Errorf("the reader sees %d rows", n)
	}

	cli(t, as(reader), load("own", "--cols", "1", "--rows", "1")...).expect(t, 1, "42501")

	s.checkNoSecrets()

	// With only one schema, which also contains the ledger.
	s.exec("drop schema loadgrid cascade")
	alone := []string{"load", "--table", "grids.alone", "--ledger-schema", "grids", "--cell-size", "1", "--cols", "5", "--rows", "5", "--if-exists", "replace"}
	mustCLI(t, dsn, alone...)
	mustCLI(t, dsn, alone...)
	rows("alone", 25)
	cli(t, dsn, "load", "--table", "grids.other", "--cell-size", "1", "--cols", "5", "--rows", "5").expect(t, 1, "42501", "grant create on database")
	if n := queryOne[int64](t, s.pool, "select count(*) from pg_class where relowner = $1::regrole and relnamespace <> 'grids'::regnamespace and relkind in ('r', 'p', 'i', 'S')  and relnamespace <> 'pg_toast'::regnamespace", role); n != 0 {
		t.Errorf("the role owns %d relations elsewhere", n)
	}
}
