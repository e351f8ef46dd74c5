package integration

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// Between two chunks, other roles may give a staging table triggers if default privileges allow it, or
// put another table under its name if they own the schema. Neither table is filled.
func TestStagingTableThatOthersChange(t *testing.T) {
	for name, test := range map[string]struct{ change, words string }{
		"trigger":       {"create trigger theirs before insert on {staging} for each row execute function {theirs}.trap()", "it calls function trap of role"},
		"condition":     {"create trigger theirs before insert on {staging} for each row when ({theirs}.asks(new.cell_id)) execute function suppress_redundant_updates_trigger()", "it calls function asks of role"},
		"another table": {"alter table {staging} rename to away; create table {staging} (like {away})", "another table has its name"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			b := s.pauseAtChunk(1)
			role := s.newRole("stranger")
			s.exec("revoke " + role + " from current_user")
			theirs := s.schema + "_theirs"
			s.exec("create schema " + theirs + " authorization " + role)
			t.Cleanup(func() { s.exec("drop schema " + theirs + " cascade") })
			for _, function := range []string{"trap() returns trigger", "asks(bigint) returns boolean"} {
				s.exec("set role " + role + "; create function " + theirs + "." + function + " language plpgsql as 'begin raise exception $$their code runs$$; end'; reset role")
			}

			args := s.load("grid", append(smallGrid(), "--streams", "1")...)
			p := start(t, s.dsn, args...)
			b.waitUntilReached()
			staging := queryOne[string](t, s.pool, "select staging_name from "+s.name("runs"))
			s.exec(strings.NewReplacer("{staging}", s.name(staging), "{theirs}", theirs, "{away}", s.name("away")).Replace(test.change))
			b.release()
			p.wait().expect(t, 4, test.words, "could run with the rights of this role")
		})
	}
}

// The owner of a database may set the defaults of its sessions.
func TestSettingsOfTheDatabase(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := sandboxIn(t, dsn, "grids")
	s.dsn = dsn
	database := queryOne[string](t, s.pool, "select current_database()")
	quoted, owner, password := pgx.Identifier{database}.Sanitize(), "owner_of_"+database, newPassword()
	t.Cleanup(func() {
		s.exec("reset role; alter database " + quoted + " owner to current_user; drop owned by " + owner + " cascade; drop role " + owner)
	})
	s.exec("create role " + owner + " login password '" + password + "'; create schema grids; alter database " + quoted + " owner to " + owner)
	theirs := openPool(t, changeDSN(t, dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(owner, password) }), nil)
	set := func(sql string) {
		t.Helper()
		if _, err := theirs.Exec(t.Context(), "alter database "+quoted+" "+sql); err != nil {
			t.Fatal(err)
		}
	}

	// Another role, whose triggers could take back the rights of the loading role.
	set("set role = " + owner)
	for _, args := range [][]string{s.load("grid", boxes(4, 4)...), {"runs", "list"}, {"preview", "--table", "grids.grid", "--out", t.TempDir() + "/a.png"}} {
		cli(t, dsn, args...).expect(t, 1, "role "+owner+", who owns it, could run code", "alter database "+database+" reset role")
	}
	set("reset role")

	// Constants and names in SQL mean the same, whatever these settings are.
	for _, setting := range []string{"standard_conforming_strings = off", "quote_all_identifiers = on", "transform_null_equals = on", "bytea_output = escape",
		"array_nulls = off", "extra_float_digits = -15", "datestyle = 'German, DMY'", "row_security = off"} {
		set("set " + setting)
	}
	parts := func(args ...string) []string {
		return s.load("parts", append([]string{"--cell-size", "1", "--partitions", "2"}, args...)...)
	}
	mustCLI(t, dsn, parts("--extent", "0,0,16,16")...)
	mustCLI(t, dsn, parts("--extent", "32,32,48,48", "--if-exists", "append")...)
	mustCLI(t, dsn, s.load("parts", "--cell-size", "1", "--extent", "64,64,66,66", "--if-exists", "append")...)
	if n := queryOne[int64](t, s.pool, "select count(distinct (col, \"row\")) from grids.parts"); n != 2*16*16+4 {
		t.Errorf("%d cells", n)
	}
}

// New partitions that a superuser's rows need belong to the owner of the table, because the functions in
// their indexes run as that owner.
func TestPartitionsForNewRowsHaveTheOwnerOfTheTable(t *testing.T) {
	s := newSandbox(t)
	role := s.newRole("stranger")
	parts := func(args ...string) []string {
		return s.load("parts", append([]string{"--cell-size", "1"}, args...)...)
	}
	mustCLI(t, s.dsn, parts("--extent", "0,0,4,4", "--partitions", "2")...)
	s.exec(queryOne[string](t, s.pool, "select string_agg(format('alter table %s owner to "+role+"', relid), '; ') from pg_partition_tree($1)", s.name("parts")))
	mustCLI(t, s.dsn, parts("--extent", "8,8,10,10", "--if-exists", "append")...)
	if owners := queryOne[string](t, s.pool, "select string_agg(distinct pg_get_userbyid(relowner), ', ') || count(*) from pg_partition_tree($1) join pg_class on oid = relid", s.name("parts")); owners != role+"4" {
		t.Errorf("the table and its partitions belong to %s", owners)
	}
}
