package integration

import (
	"net/url"
	"testing"
)

// Each command refuses a ledger that another role owns or may alter, before reading its tables: code that
// this role puts there would run with the rights of the loading role.
func TestLedgerOfAnotherRole(t *testing.T) {
	s := newSandbox(t)
	const ledger = "ledger"
	stranger, group, password := "stranger_of_"+s.schema, "group_of_"+s.schema, newPassword()
	loader := "loader_of_" + s.schema
	schema := s.schema + "_" + ledger
	s.exec("create role " + stranger + "; create role " + group + "; create role " + loader + " login password '" + password + "'; create schema " + schema)
	t.Cleanup(func() {
		for _, role := range []string{loader, stranger, group} {
			s.exec("drop owned by " + role + " cascade; drop role " + role)
		}
		s.exec("drop schema if exists " + schema + " cascade")
	})

	s.exec("grant usage, create on schema " + s.schema + " to " + loader)
	ordinary := changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(loader, password) })
	load := []string{"load", "--table", s.schema + ".grid", "--ledger-schema", schema, "--cell-size", "1", "--cols", "2", "--rows", "2", "--if-exists", "replace"}

	// A stranger owns the schema but has put nothing there yet.
	s.exec("alter schema " + schema + " owner to " + stranger)
	cli(t, s.dsn, load...).expect(t, 1, "role "+stranger+" owns the schema", "ledger-owner")
	mustCLI(t, s.dsn, append(load, "--ledger-owner", stranger)...)

	// The loading role made the ledger, but parts of it belong to a stranger.
	s.exec("alter schema " + schema + " owner to current_user")
	all := func(sql, back, words string) {
		t.Helper()
		s.exec(sql)
		for _, args := range [][]string{
			load, append(load, "--skip-unchanged"), {"plan", "--table", s.schema + ".grid", "--if-exists", "append", "--cell-size", "1", "--cols", "2", "--rows", "2", "--ledger-schema", schema},
			{"runs", "list", "--ledger-schema", schema}, {"runs", "show", "1", "--ledger-schema", schema}, {"runs", "drop", "1", "--ledger-schema", schema},
			{"runs", "prune", "--older-than", "1d", "--ledger-schema", schema}, {"runs", "rollback", "1", "--ledger-schema", schema},
			{"runs", "resume", "1", "--ledger-schema", schema},
			{"migrate", "up", "--ledger-schema", schema}, {"migrate", "down", "--ledger-schema", schema}, {"migrate", "version", "--ledger-schema", schema},
		} {
			if r := cli(t, s.dsn, args...); r.code != 1 {
				t.Errorf("%s: %q ends with %d: %s", sql, args, r.code, r.stderr)
			} else {
				r.expect(t, 1, words)
			}
		}
		s.exec(back)
		mustCLI(t, s.dsn, load...)
	}
	all("alter table "+schema+".runs owner to "+stranger, "alter table "+schema+".runs owner to current_user", "role "+stranger+" owns table runs")

	one := func(sql, back, words string) {
		t.Helper()
		s.exec(sql)
		cli(t, s.dsn, load...).expect(t, 1, words)
		s.exec(back)
		mustCLI(t, s.dsn, load...)
	}
	one("grant trigger on "+schema+".chunks to "+stranger, "revoke trigger on "+schema+".chunks from "+stranger, "revoke trigger on "+schema+".chunks from "+stranger)
	for _, of := range []string{"references", "references (id)"} {
		one("grant "+of+" on "+schema+".runs to "+stranger, "revoke "+of+" on "+schema+".runs from "+stranger, "revoke references on "+schema+".runs from "+stranger)
	}
	one("create table "+s.name("points")+" (id bigint references "+schema+".runs on delete cascade); alter table "+s.name("points")+" owner to "+stranger,
		"drop table "+s.name("points"), "whose foreign key points to table runs")
	one("create function "+schema+".md5(name) returns text language sql as 'select 1::text'; alter function "+schema+".md5(name) owner to "+stranger,
		"drop function "+schema+".md5(name)", "owns function md5")
	one("create function "+s.name("g")+"(text) returns boolean language sql as 'select true'; alter function "+s.name("g")+"(text) owner to "+stranger+
		"; create trigger quiet before insert on "+schema+".runs for each row when ("+s.name("g")+"(new.job_name)) execute function suppress_redundant_updates_trigger()",
		"drop trigger quiet on "+schema+".runs; drop function "+s.name("g")+"(text)", "owns function g, which table runs calls")
	one("grant create on schema "+schema+" to public", "revoke create on schema "+schema+" from public", "revoke create on schema "+schema+" from public")
	one("alter function "+schema+".cell_id(integer, integer) owner to "+stranger, "alter function "+schema+".cell_id(integer, integer) owner to current_user", "owns function cell_id")
	one("create function "+s.name("f")+"() returns trigger language plpgsql as 'begin return new; end'; alter function "+s.name("f")+"() owner to "+stranger+
		"; create trigger theirs before insert on "+schema+".runs for each row execute function "+s.name("f")+"()",
		"drop trigger theirs on "+schema+".runs", "owns the function of trigger theirs on table runs")

	// A role that may write runs could have any table replaced, and any SQL run, by the role that resumes
	// a run.
	s.exec("grant select, insert, update (job) on " + schema + ".runs to " + stranger)
	mustCLI(t, s.dsn, load...)
	cli(t, s.dsn, "runs", "resume", "1", "--ledger-schema", schema).expect(t, 1, "role "+stranger+" may write the job of a run", "revoke insert on")
	cli(t, s.dsn, "runs", "resume", "1", "--ledger-schema", schema, "--ledger-owner", stranger).expect(t, 2, "run 1 is")
	// The same would happen if somebody dropped such a run, or if a load found it.
	s.exec("create table " + s.name("precious") + " (); insert into " + schema + ".runs (schema_name, table_name, staging_name, job, fingerprint, chunks, rows, version) select schema_name, table_name, 'precious', job, '', 1, 1, '' from " + schema + ".runs limit 1")
	cli(t, s.dsn, load...).expect(t, 1, "staging table precious, whose name no run creates")
	s.exec("delete from " + schema + ".runs where staging_name = 'precious'; drop table " + s.name("precious"))

	// A role without superuser rights: the ledger belongs to a group, and the role becomes a member of
	// it.
	s.exec("drop table " + s.name("grid") + "; drop schema " + schema + " cascade; create schema " + schema + " authorization " + group + "; grant usage on schema " + schema + " to " + loader)
	cli(t, ordinary, load...).expect(t, 1, "role "+group+" owns the schema")
	s.exec("alter schema " + schema + " owner to current_user")
	s.exec("drop role " + group)
	s.exec(documentedSQL(t, "Objects of other roles", "grid_loaders", group, "grid_loader", loader, "schema loadgrid", "schema "+schema))
	mustCLI(t, ordinary, load...)
	mustCLI(t, ordinary, append(load, "--skip-unchanged")...)

	// A stranger in the named group may own it.
	s.exec("grant usage on schema " + schema + " to " + stranger + "; alter table " + schema + ".runs owner to " + stranger)
	s.exec("grant all on " + schema + ".runs to " + loader)
	cli(t, ordinary, load...).expect(t, 1, "role "+stranger+" owns table runs")
	s.exec("grant " + group + " to " + stranger)
	mustCLI(t, ordinary, append(load, "--ledger-owner", group)...)
}
