package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/doctor"
)

// examine runs doctor and checks that its exit code shows whether there are problems.
func (s sandbox) examine(args ...string) doctor.Report {
	s.t.Helper()

	var report doctor.Report
	r := cli(s.t, s.dsn, append([]string{"doctor", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		s.t.Fatalf("%v: exit code %d\n%s%s", err, r.code, r.stdout, r.stderr)
	}

	code, words := 0, ""
	if report.Counts.Problems > 0 {
		code, words = 1, fmt.Sprintf("doctor found %d problem", report.Counts.Problems)
	}
	if r.code != code || !strings.Contains(r.stderr, words) {
		s.t.Errorf("exit code %d with %d problems: %s", r.code, report.Counts.Problems, r.stderr)
	}

	return report
}

// finding returns the finding of a check.
func finding(t *testing.T, r doctor.Report, check string) doctor.Finding {
	t.Helper()

	for _, f := range r.Findings {
		if f.Check == check {
			return f
		}
	}

	t.Fatalf("no finding %s in %+v", check, r.Findings)
	return doctor.Finding{}
}

// expectFinding checks the level of a finding, and a word in what it found or in its reason.
func (s sandbox) expectFinding(r doctor.Report, check string, level doctor.Level, word string) doctor.Finding {
	s.t.Helper()

	f := finding(s.t, r, check)
	if f.Level != level || !strings.Contains(f.Found+" "+f.Reason, word) {
		s.t.Errorf("got %+v, want %s with %q", f, level, word)
	}

	return f
}

// documentedRole makes the role of docs/security.md in a new database. It returns a sandbox for the
// administrator, one for the role, and the role's name.
func documentedRole(t *testing.T) (admin, as sandbox, role string) {
	t.Helper()

	admin = sandboxIn(t, pgtest.Database(t), "grids")
	database := queryOne[string](t, admin.pool, "select current_database()")
	role = "loader_of_" + database
	reader := "reader_of_" + database
	t.Cleanup(func() {
		admin.checkNoSecrets()
		admin.exec("drop owned by " + role)
		admin.exec("drop owned by " + reader)
		admin.exec("drop role " + role + ", " + reader)
	})

	admin.exec("revoke all on schema public from public; revoke select on spatial_ref_sys from public")
	admin.exec("revoke all on database " + database + " from public")
	admin.exec(documentedSQL(t, "Privileges", "database gis", "database "+database, "grid_loader", role, "grid_reader", reader))
	password := newPassword()
	admin.exec("alter role " + role + " password '" + password + "'")

	as = admin
	as.dsn = changeDSN(t, admin.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(role, password) })

	return admin, as, role
}

// The documented role has no problem. Each missing privilege is a problem, with the SQL that grants it.
func TestDoctorOnPrivileges(t *testing.T) {
	t.Parallel()
	admin, s, role := documentedRole(t)

	healthy := s.examine("--schema", "grids")
	if healthy.Counts.Problems != 0 {
		t.Fatalf("the documented role: %+v", healthy)
	}
	s.expectFinding(healthy, "role", doctor.OK, role)
	s.expectFinding(healthy, "temporary_tables", doctor.OK, "may not")
	s.expectFinding(healthy, "schema", doctor.OK, "grids")
	s.expectFinding(healthy, "ledger", doctor.OK, "none yet")
	s.expectFinding(s.examine(), "schema", doctor.Problem, "schema public") // the first of its search_path

	for _, trouble := range []struct {
		check, word, make string
	}{
		{"schema", "may not create tables", "revoke create on schema grids from " + role},
		{"schema", "may not create tables", "revoke usage on schema grids from " + role},
		{"postgis_schema", "schema public", "revoke usage on schema public from " + role},
		{"spatial_ref_sys", "may not read", "revoke select on spatial_ref_sys from " + role},
		{"ledger", "may not use", "revoke usage on schema loadgrid from " + role},
		{"ledger", "does not exist", "drop schema loadgrid"},
		{"ledger", "may create in the schema", "grant create on schema loadgrid to public"},
		{"connections", "left of the role's 3", "alter role " + role + " connection limit 3"},
		{"connections", "left of the database's 3", "alter database " + queryOne[string](t, s.pool, "select current_database()") + " connection limit 3"},
		{"primary", "read-only", "alter database " + queryOne[string](t, s.pool, "select current_database()") + " set default_transaction_read_only = on"},
	} {
		admin.writable(trouble.make)

		f := s.expectFinding(s.examine("--schema", "grids"), trouble.check, doctor.Problem, trouble.word)
		if len(f.SQL) == 0 {
			t.Errorf("%s: no SQL reverses %s", trouble.check, trouble.make)
		}
		for _, statement := range f.SQL {
			admin.writable(statement)
		}

		s.expectFinding(s.examine("--schema", "grids"), trouble.check, doctor.OK, "")
	}

	// A load accepts what doctor finds right.
	mustCLI(t, s.dsn, "load", "--table", "grids.grid", "--cell-size", "1", "--srid", "3035", "--cols", "20", "--rows", "10")
	s.expectFinding(s.examine("--schema", "grids"), "ledger", doctor.OK, "version")
}

// writable runs a statement even if the database begins read-only transactions.
func (s sandbox) writable(sql string) {
	s.t.Helper()
	conn := s.connect()
	defer conn.Close(context.Background()) // a limit of the database counts connections

	for _, statement := range []string{"set default_transaction_read_only = off", sql} {
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Advice on settings of a role, a schema and the ledger, with the SQL that fixes them.
func TestDoctorOnRoleSettings(t *testing.T) {
	t.Parallel()
	admin, s, role := documentedRole(t)

	for _, trouble := range []struct {
		check, word, make string
	}{
		{"synchronous_commit", "the whole publication", "alter role " + role + " set synchronous_commit = off"},
		{"schema", "every role", "grant create on schema grids to public"},
		{"maintenance_work_mem", "64 MB", "alter role " + role + " set effective_cache_size = '1GB'"},
	} {
		admin.exec(trouble.make)
		f := s.expectFinding(s.examine("--schema", "grids"), trouble.check, doctor.Advice, trouble.word)
		if trouble.check == "maintenance_work_mem" { // a server-wide setting that other tests use
			continue
		}

		for _, statement := range f.SQL {
			admin.exec(statement)
		}
		s.expectFinding(s.examine("--schema", "grids"), trouble.check, doctor.OK, "")
	}

	// Time limits are not a problem: a load lifts them.
	admin.exec("alter role " + role + " set statement_timeout = '30s'")
	admin.exec("alter role " + role + " set idle_in_transaction_session_timeout = '5s'")
	s.expectFinding(s.examine("--schema", "grids"), "time_limits", doctor.OK, "statement_timeout 30 s, idle_in_transaction_session_timeout 5 s")

	mustCLI(t, s.dsn, "migrate", "up")
	admin.exec("update loadgrid.schema_migrations set dirty = true")
	s.expectFinding(s.examine("--schema", "grids"), "ledger", doctor.Advice, "killed")
	admin.exec("update loadgrid.schema_migrations set dirty = false, version = 999")
	s.expectFinding(s.examine("--schema", "grids"), "ledger", doctor.Problem, "999")

	// A load does not need a superuser.
	s.expectFinding(admin.examine("--schema", "grids"), "role", doctor.Advice, "docs/security.md")
}

// Parts of PostGIS that are missing, moved or changed.
func TestDoctorOnPostGIS(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.expectFinding(s.examine(), "spatial_ref_sys", doctor.OK, "rows")

	s.exec("create table kept as select * from spatial_ref_sys; delete from spatial_ref_sys where srid = 3035")
	s.expectFinding(s.examine(), "spatial_ref_sys", doctor.Problem, "3035 is missing")
	s.exec("insert into spatial_ref_sys select * from kept where srid = 3035")

	s.exec("update spatial_ref_sys s set srtext = k.srtext, proj4text = k.proj4text from kept k where s.srid = 4326 and k.srid = 3857")
	s.expectFinding(s.examine(), "spatial_ref_sys", doctor.Problem, "4326 is another CRS")

	s.exec("alter table spatial_ref_sys rename to elsewhere")
	s.expectFinding(s.examine(), "spatial_ref_sys", doctor.Problem, "missing")

	s.exec("drop extension postgis cascade")
	f := s.expectFinding(s.examine(), "postgis", doctor.Problem, "not in this database")
	s.exec(strings.Join(f.SQL, ";"))
	if r := s.examine(); r.Counts.Problems != 0 || r.Server.PostGIS == "" {
		t.Errorf("with PostGIS restored: %+v", r)
	}
}

// Server settings, each with the statements that change it. The test uses ALTER SYSTEM, as doctor
// advises: it could not override settings of the command line.
func TestDoctorOnServerSettings(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, map[string]string{"fsync": "off"})
	s := sandboxIn(t, server.DSN(), "public")
	s.expectFinding(s.examine(), "fsync", doctor.Advice, "destroy")

	troubles := map[string][]string{
		"max_wal_size":         {"max_wal_size = '512MB'"},
		"checkpoint_timeout":   {"checkpoint_timeout = '1min'"},
		"maintenance_work_mem": {"maintenance_work_mem = '16MB'", "effective_cache_size = '512MB'"},
		"synchronous_commit":   {"synchronous_commit = 'off'"},
		"temp_file_limit":      {"temp_file_limit = '10MB'"},
	}
	for _, settings := range troubles {
		for _, setting := range settings {
			s.exec("alter system set " + setting)
		}
	}
	s.exec("select pg_reload_conf()")
	s.waitFor("the settings", "select current_setting('temp_file_limit') = '10MB' and current_setting('checkpoint_timeout') = '1min'")

	sick := s.examine()
	for check := range troubles {
		f := s.expectFinding(sick, check, doctor.Advice, "")
		if f.Takes != doctor.Reload {
			t.Errorf("%s takes effect %q", check, f.Takes)
		}
		for _, statement := range f.SQL {
			s.exec(statement)
		}
	}
	s.waitFor("the settings", "select current_setting('temp_file_limit') = '-1' and current_setting('checkpoint_timeout') = '15min' and current_setting('synchronous_commit') = 'on'")

	cured := s.examine()
	for check := range troubles {
		s.expectFinding(cured, check, doctor.OK, "")
	}

	// A setting that needs a restart.
	f := s.expectFinding(cured, "wal_level", doctor.Advice, "minimal")
	for _, statement := range f.SQL {
		s.exec(statement)
	}
	s.waitFor("the settings", "select pg_reload_conf() and exists (select from pg_settings where name = 'wal_level' and pending_restart)")
	s.expectFinding(s.examine(), "wal_level", doctor.Advice, "takes effect after a restart")

	server.Stop()
	s.pool.Reset()
	server.Start()
	s.pool.Reset()
	s.expectFinding(s.examine(), "wal_level", doctor.OK, "minimal")
}

// A server with few connections, an absent standby, and a replication slot that nobody reads.
func TestDoctorOnReplication(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, map[string]string{"fsync": "off", "max_connections": "8"})
	s := sandboxIn(t, server.DSN(), "public")
	s.exec("create role plain login password '" + canary + "'; create schema plain authorization plain")
	plain := s
	plain.dsn = changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword("plain", canary) })

	s.expectFinding(s.examine("--streams", "9"), "connections", doctor.Problem, "the server's 8")
	s.expectFinding(plain.examine("--streams", "4"), "connections", doctor.Problem, "A load with 4 streams takes 6.")

	s.exec("select pg_create_physical_replication_slot('left_over', true)")
	for _, who := range []sandbox{s, plain} {
		who.expectFinding(who.examine(), "replication_slots", doctor.Advice, "left_over")
	}
	f := s.expectFinding(s.examine(), "replication_slots", doctor.Advice, "left_over")
	s.exec(f.SQL[0])

	s.exec("alter system set synchronous_standby_names = 'nobody'")
	s.exec("select pg_reload_conf()")
	s.waitFor("the setting", "select current_setting('synchronous_standby_names') = 'nobody'")
	for _, who := range []sandbox{s, plain} {
		who.expectFinding(who.examine(), "standbys", doctor.Problem, "never ends")
	}
	for _, statement := range s.expectFinding(s.examine(), "standbys", doctor.Problem, "").SQL {
		s.exec(statement)
	}
	s.waitFor("the setting", "select current_setting('synchronous_standby_names') = ''")
	s.expectFinding(s.examine(), "standbys", doctor.OK, "0 connected")

	s.exec("alter system set log_statement = 'all'")
	s.exec("select pg_reload_conf()")
	s.waitFor("the setting", "select current_setting('log_statement') = 'all'")
	if r := s.examine(); r.Link.UploadBytesSecond != 0 || r.Link.LatencyMS <= 0 {
		t.Errorf("although all statements are logged, doctor measured %+v", r.Link)
	}

	s.becomeStandby(server)
	r := s.examine()
	s.expectFinding(r, "primary", doctor.Problem, "standby")
	if finding := finding(t, r, "disk"); finding.Found == "" {
		t.Error("doctor on a standby does not report what it retains")
	}
}

// Doctor changes nothing: it assigns no transaction number, changes no relation, role or setting, and
// works in a read-only session.
func TestDoctorChangesNothing(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, map[string]string{"fsync": "off", "autovacuum": "off"})
	s := sandboxIn(t, server.DSN(), "public")
	mustCLI(t, s.dsn, "migrate", "up")

	state := func() (text string) {
		t.Helper()
		for _, sql := range []string{
			"select pg_snapshot_xmax(pg_current_snapshot())::text",
			"select md5(string_agg(c::text, '|' order by c.oid)) from pg_class c",
			"select md5(string_agg(r::text, '|' order by r.oid)) from pg_authid r",
			"select md5(coalesce(string_agg(s::text, '|' order by s.setdatabase, s.setrole), '')) from pg_db_role_setting s",
			"select md5(string_agg(s::text, '|' order by s.name)) from pg_file_settings s",
			"select md5(string_agg(m::text, '|')) from loadgrid.schema_migrations m",
		} {
			text += queryOne[string](t, s.pool, sql) + "\n"
		}
		return text
	}

	before := state()
	report := s.examine()
	if out := mustCLI(t, s.dsn, "doctor"); !strings.Contains(out, "0 problems") {
		t.Errorf("doctor prints:\n%s", out)
	}
	if after := state(); after != before {
		t.Errorf("before doctor:\n%safter it:\n%s", before, after)
	}
	if report.Link.LatencyMS <= 0 || report.Link.UploadBytesSecond <= 0 {
		t.Errorf("the link: %+v", report.Link)
	}

	// The test can detect a change.
	s.exec("create table a_change ()")
	if state() == before {
		t.Error("the test does not notice a new table")
	}

	readOnly := s
	readOnly.dsn = changeDSN(t, s.dsn, func(_ *url.URL, q url.Values) { q.Set("default_transaction_read_only", "on") })
	r := readOnly.examine()
	readOnly.expectFinding(r, "primary", doctor.Problem, "read-only")
	if len(r.Findings) != len(report.Findings) {
		t.Errorf("%d findings in a read-only session, and %d in a normal one", len(r.Findings), len(report.Findings))
	}
}

// Doctor detects a slow link, and its measurement ends.
func TestDoctorOnASlowLink(t *testing.T) {
	s := newSandbox(t)
	fast := s.examine()
	s.throughSlowRouter(1_000_000, func(url.Values) {})
	slow := s.examine()

	s.expectFinding(slow, "bandwidth", doctor.Advice, "The link is the limit")
	if r := slow.Link.UploadBytesSecond; r < 300_000 || r > 2_000_000 || fast.Link.UploadBytesSecond < r {
		t.Errorf("measured %.0f bytes a second on a link of a million, and %.0f without a limit", r, fast.Link.UploadBytesSecond)
	}
}

func TestDoctorOnLatency(t *testing.T) {
	s := newSandbox(t)
	n := s.throughProxy(func(url.Values) {})
	n.addToxics(`{"type": "latency", "stream": "upstream", "attributes": {"latency": 40}}`)

	r := s.examine()
	s.expectFinding(r, "latency", doctor.Advice, "round trip")
	if r.Link.LatencyMS < 40 || r.Link.LatencyMS > 400 {
		t.Errorf("measured %.1f ms on a link with 40", r.Link.LatencyMS)
	}
}

// A tablespace that the role may not use.
func TestDoctorOnTablespaces(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, map[string]string{"fsync": "off"})
	s := sandboxIn(t, server.DSN(), "public")
	directory := queryOne[string](t, s.pool, "select current_setting('data_directory')") + "_fast"
	s.exec("copy (select) to program 'mkdir " + directory + "'")
	s.exec("create tablespace fast location '" + directory + "'")
	s.exec("create role plain login password '" + canary + "'; create schema plain authorization plain; alter role plain set default_tablespace = 'fast'")
	s.dsn = changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword("plain", canary) })

	f := s.expectFinding(s.examine("--ledger-schema", "plain"), "default_tablespace", doctor.Problem, "fast")
	s.exec(f.SQL[0])
	for _, left := range s.examine("--ledger-schema", "plain").Findings {
		if left.Check == "default_tablespace" || left.Level == doctor.Problem {
			t.Errorf("these findings remain: %+v", left)
		}
	}
}

// Connection errors are the same as in other commands.
func TestDoctorWithoutAServer(t *testing.T) {
	s := newSandbox(t)
	nowhere := changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.Path = "/nowhere" })
	cli(t, nowhere, "doctor").expect(t, 1, "connecting to", "database nowhere", "SQLSTATE 3D000", "create the database")
	cli(t, s.dsn, "doctor", "--streams", "0").expect(t, 2, "--streams")
}
