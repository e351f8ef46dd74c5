package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/loader"
)

// migrationFile runs a migration of the ledger as golang-migrate does: in the ledger's schema alone, and
// in one transaction.
func (s sandbox) migrationFile(name string) {
	s.t.Helper()
	sql, err := os.ReadFile(filepath.Join("..", "db", "migrations", name))
	if err != nil {
		s.t.Fatal(err)
	}
	conn := s.connect()
	defer func() { _ = conn.Close(context.Background()) }()
	for _, q := range []string{"set search_path to " + pgx.Identifier{s.schema}.Sanitize(), string(sql)} {
		if _, err := conn.Exec(context.Background(), q, pgx.QueryExecModeSimpleProtocol); err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
	}
}

// ledgerOfVersion4 makes the ledger as it was before starts were renamed to attempts.
func (s sandbox) ledgerOfVersion4() {
	s.t.Helper()
	for _, name := range []string{"000001_ledger.up.sql", "000002_helpers.up.sql", "000003_versions.up.sql", "000004_starts.up.sql"} {
		s.migrationFile(name)
	}
	s.exec("create table " + s.name("schema_migrations") + " (version bigint not null primary key, dirty boolean not null)")
	s.exec("insert into " + s.name("schema_migrations") + " values (4, false)")
}

// backToVersion4 reverts the last migration.
func (s sandbox) backToVersion4() {
	s.t.Helper()
	s.migrationFile("000005_attempts.down.sql")
	s.exec("update " + s.name("schema_migrations") + " set version = 4")
}

func (s sandbox) migrateUp() {
	s.t.Helper()
	mustCLI(s.t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
}

// The previous version's statements about starts, in the order of a run's life: it fails, is resumed, is
// shown, and is removed.
const (
	insertRunBefore = `insert into LEDGER.runs (schema_name, table_name, staging_name, job, aoi, fingerprint, chunks, rows, version, job_name)
		values ('s', 't', 'loadgrid_staging_t', '{}', null, 'f', 1, 5, 'v', 'nightly') returning id`
	insertStartBefore = "insert into LEDGER.starts (run_id, no, host, os_user, version) values ($1, $2, nullif($3, ''), nullif($4, ''), $5)"
	endStartBefore    = `update LEDGER.starts set ended_at = clock_timestamp(), outcome = $3, rows = $4, seconds = $5, stages = $6,
		retries = $7, troubles = $8, sqlstate = nullif($9, ''), error = nullif($10, '') where run_id = $1 and no = $2`
	startedBefore = "update LEDGER.runs set starts = starts + 1, last_error = null, job = $2 where id = $1 returning starts"
	thereBefore   = "select to_regclass($1) is not null"
	historyBefore = `select run_id, no, started_at, ended_at, coalesce(outcome, ''), role, coalesce(host(address), ''), coalesce(host, ''),
		coalesce(os_user, ''), version, coalesce(rows, 0), coalesce(seconds, 0), coalesce(stages, '{}'), coalesce(retries, 0),
		coalesce(troubles, '[]'), coalesce(sqlstate, ''), coalesce(error, '')
		from LEDGER.starts where run_id = any($1) order by run_id, no`
	pruneBefore = "delete from LEDGER.runs r where state <> 'loading' and finished_at < now() - make_interval(secs => $1)"
)

// before is a program of the previous version that uses a ledger as a role.
type before struct {
	s    sandbox
	role string
	conn *pgx.Conn
}

func (s sandbox) before(role string) before {
	s.t.Helper()
	conn, err := pgx.Connect(context.Background(), s.dsnOf(role, "before"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return before{s, role, conn}
}

func (b before) sql(statement string) string {
	return strings.ReplaceAll(statement, "LEDGER", pgx.Identifier{b.s.schema}.Sanitize())
}

// do runs a statement that must affect this many rows.
func (b before) do(rows int64, statement string, args ...any) {
	b.s.t.Helper()
	tag, err := b.conn.Exec(context.Background(), b.sql(statement), args...)
	if err != nil || tag.RowsAffected() != rows {
		b.s.t.Fatalf("as %s: %s: %d rows, %v", b.role, statement, tag.RowsAffected(), err)
	}
}

func (b before) ask(into any, statement string, args ...any) {
	b.s.t.Helper()
	if err := b.conn.QueryRow(context.Background(), b.sql(statement), args...).Scan(into); err != nil {
		b.s.t.Fatalf("as %s: %s: %v", b.role, statement, err)
	}
}

// history returns what the previous version reads about a run, without times.
func (b before) history(run int64) []string {
	b.s.t.Helper()
	rows, err := b.conn.Query(context.Background(), b.sql(historyBefore), []int64{run})
	if err != nil {
		b.s.t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		v, err := row.Values()
		if err != nil {
			return "", err
		}
		if v[2] == nil {
			return "", fmt.Errorf("start %v has no time", v[1])
		}
		return fmt.Sprint(v[1], v[3] != nil, v[4:]), nil
	})
	if err != nil {
		b.s.t.Fatalf("as %s: %v", b.role, err)
	}
	return lines
}

// begin begins a run, has its first start fail, and begins the second.
func (b before) begin() (run int64) {
	b.s.t.Helper()
	b.ask(&run, insertRunBefore)
	b.do(1, insertStartBefore, run, 1, "host", "", "v1")
	b.do(1, endStartBefore, run, 1, "failed", 3, 1.5, `{"load": 1.5}`, 2, `[{"sqlstate": "40001"}]`, "22012", "division by zero")
	var no int
	b.ask(&no, startedBefore, run, "{}")
	b.do(1, insertStartBefore, run, no, "", "os", "v1")
	return run
}

// end ends the run that begin began.
func (b before) end(run int64) {
	b.s.t.Helper()
	b.do(1, endStartBefore, run, 2, "published", 2, 0.5, "{}", 0, "null", "", "")
	b.do(1, "update LEDGER.runs set state = 'published', finished_at = now() - interval '1 day' where id = $1", run)
}

// lives runs all statements of the previous version and returns what they read.
func (b before) lives() []string {
	b.s.t.Helper()
	var there bool
	if b.ask(&there, thereBefore, b.s.name("starts")); !there {
		b.s.t.Fatalf("as %s: there are no starts", b.role)
	}
	run := b.begin()
	lines := b.history(run)
	b.end(run)
	lines = append(lines, b.history(run)...)
	b.do(1, pruneBefore, 3600)
	if left := b.history(run); len(left) != 0 {
		b.s.t.Errorf("as %s: a removed run left %q", b.role, left)
	}
	return lines
}

// The previous version's statements work after the migration as they did before, for the ledger's owner
// and for roles that have been granted its use.
func TestStatementsOfTheVersionBefore(t *testing.T) {
	s := newSandbox(t)
	owner, user := s.newRole("before"), s.newRole("before")
	s.exec("grant usage, create on schema " + s.schema + " to " + owner + "; grant usage on schema " + s.schema + " to " + user)
	s.ledgerOfVersion4()
	for _, table := range []string{"runs", "chunks", "starts"} {
		s.exec("alter table " + s.name(table) + " owner to " + owner)
		s.exec("grant select, insert, update, delete on " + s.name(table) + " to " + user)
	}
	roles := []before{s.before(owner), s.before(user)} // pgx has prepared their statements before the table is replaced
	var want [][]string
	for _, b := range roles {
		want = append(want, b.lives())
	}
	address := queryOne[string](t, s.pool, "select coalesce(host(inet_client_addr()), '')")
	if line := want[1][0]; !strings.Contains(line, user) || !strings.Contains(line, address) || !strings.Contains(line, "22012") {
		t.Errorf("the first start is %s", line)
	}
	underWay := []int64{roles[0].begin(), 0}
	roles[0].end(underWay[0])
	underWay[1] = roles[1].begin()

	s.migrateUp()
	for i, b := range roles {
		if got := b.history(underWay[i]); len(got) != 2 {
			t.Errorf("as %s: of two starts, %q remains", b.role, got)
		}
	}
	roles[1].end(underWay[1])
	for i, b := range roles {
		b.do(int64(2*(1-i)), pruneBefore, 3600) // the first removes both
		for _, as := range []before{b, s.before(b.role)} {
			if got := as.lives(); !slices.Equal(got, want[i]) {
				t.Errorf("as %s\nbefore: %q\nafter:  %q", b.role, want[i], got)
			}
		}
	}
}

// startsAndAttempts describes the table under either name: rows, constraints, owner, grants.
const startsAndAttempts = `select jsonb_build_object(
	'columns', (select jsonb_agg(to_jsonb(c) - 'table_name' order by ordinal_position) from information_schema.columns c
		where (table_schema, table_name) = ($1, $2)),
	'constraints', (select jsonb_agg(replace(conname, $2, '') || ' ' || pg_get_constraintdef(oid) order by conname)
		from pg_constraint where conrelid = t.oid),
	'indexes', (select jsonb_agg(replace(relname, $2, '') order by relname) from pg_class join pg_index on indexrelid = oid where indrelid = t.oid),
	'owner', relowner, 'grants', relacl)
	from pg_class t where relnamespace = $1::regnamespace and relname = $2`

// Migrating up, down and up again keeps the table's contents and definition, and loadgrid can read a
// ledger of either version.
func TestAttemptsUpAndDown(t *testing.T) {
	s := newSandbox(t)
	role := s.newRole("before")
	s.exec("grant usage on schema " + s.schema + " to " + role)
	s.ledgerOfVersion4()
	s.exec("grant select, insert, update, delete on all tables in schema " + s.schema + " to " + role)
	b := s.before(role)
	b.end(b.begin())
	b.begin()
	read := func() string {
		t.Helper()
		out := mustCLI(t, s.dsnOf(role, "before"), "runs", "list", "--json", "--ledger-schema", s.schema)
		var runs []struct {
			Attempts, Starts int
			History          []loader.Attempt
		}
		if err := json.Unmarshal([]byte(out), &runs); err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			if r.Attempts != 2 || r.Starts != 2 || len(r.History) != 2 {
				t.Errorf("a run has %d attempts, %d starts, and a history of %d, want 2", r.Attempts, r.Starts, len(r.History))
			}
		}
		return out
	}
	look := func(name string) string {
		t.Helper()
		return queryOne[string](t, s.pool, startsAndAttempts, s.schema, name)
	}
	rows := func(name string) string {
		t.Helper()
		return queryOne[string](t, s.pool, "select jsonb_agg(to_jsonb(x) order by run_id, no)::text from "+s.name(name)+" x")
	}
	comments := func() string {
		t.Helper()
		return queryOne[string](t, s.pool, `select string_agg(objsubid || ': ' || description, ', ' order by objsubid) from pg_description where objoid = $1::regclass`, s.name("starts"))
	}
	list, table, held, said := read(), look("starts"), rows("starts"), comments()

	for range 2 {
		s.migrateUp()
		s.migrationFile("000004_starts.up.sql") // as if the migration down had been killed
		s.migrationFile("000005_attempts.up.sql")
		if got := look("attempts"); got != table {
			t.Errorf("the table was\n%s\nand is\n%s", table, got)
		}
		for _, name := range []string{"attempts", "starts"} {
			if got := rows(name); got != held {
				t.Errorf("%s held\n%s\nand holds\n%s", name, held, got)
			}
		}
		if got := read(); got != list {
			t.Errorf("runs list was\n%s\nand is\n%s", list, got)
		}
		for range 2 {
			s.backToVersion4()
		}
		if got := look("starts"); got != table {
			t.Errorf("the table was\n%s\nand is, migrated down,\n%s", table, got)
		}
		if got := rows("starts"); got != held {
			t.Errorf("it held\n%s\nand holds, migrated down,\n%s", held, got)
		}
		if got := comments(); got != said {
			t.Errorf("its comments were %s\nand are %s", said, got)
		}
		if got := read(); got != list {
			t.Errorf("runs list was\n%s\nand is, migrated down,\n%s", list, got)
		}
	}
}

// The view has exactly the grants of the table.
func TestTheViewHasTheGrantsOfTheTable(t *testing.T) {
	s := newSandbox(t)
	owner, reader, partly, other := s.newRole("before"), s.newRole("before"), s.newRole("before"), s.newRole("before")
	for _, role := range []string{owner, reader, partly, other} {
		s.exec("grant usage, create on schema " + s.schema + " to " + role)
	}
	s.ledgerOfVersion4()
	s.exec("alter table " + s.name("starts") + " owner to " + owner)
	s.exec("grant select on " + s.name("starts") + " to " + reader + " with grant option")
	s.exec("grant select (run_id, no), update (outcome) on " + s.name("starts") + " to " + partly)
	for _, by := range []string{owner, "current_user"} {
		s.exec("alter default privileges for role " + by + " in schema " + s.schema + " grant all on tables to " + other)
	}
	s.migrateUp()

	const grants = `select string_agg(grantee || ' ' || privilege || ' ' || "column" || ' ' || is_grantable, ', ' order by 1) from (
		select a.grantee::regrole::text as grantee, a.privilege_type as privilege, '' as "column", a.is_grantable
		from pg_class c cross join lateral aclexplode(c.relacl) a where c.oid = $1::regclass and c.relowner = $2::regrole and a.grantee <> c.relowner
		union all
		select a.grantee::regrole::text, a.privilege_type, attname, a.is_grantable
		from pg_attribute cross join lateral aclexplode(attacl) a where attrelid = $1::regclass) g`
	want, got := queryOne[string](t, s.pool, grants, s.name("attempts"), owner), queryOne[string](t, s.pool, grants, s.name("starts"), owner)
	if got != want || !strings.Contains(want, reader+" SELECT  true") || !strings.Contains(want, partly+" UPDATE outcome false") || strings.Contains(want, other) {
		t.Errorf("the table has the grants %s\nthe view %s", want, got)
	}
	for _, c := range []struct{ role, statement, refused string }{
		{owner, "select * from LEDGER.starts", ""},
		{reader, "select * from LEDGER.starts", ""},
		{reader, "update LEDGER.starts set outcome = null", "42501"},
		{partly, "select run_id, no from LEDGER.starts", ""},
		{partly, "select error from LEDGER.starts", "42501"},
		{partly, "update LEDGER.starts set outcome = null where no = 1", ""},
		{partly, "delete from LEDGER.starts", "42501"},
		{other, "insert into LEDGER.starts (run_id, no, version) values (1, 1, '')", "42501"},
	} {
		b := s.before(c.role)
		_, err := b.conn.Exec(context.Background(), b.sql(c.statement))
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%s: %v, want the error %q", c.statement, err, c.refused)
		}
	}
}

// Row security policies of the table also apply through the view.
func TestTheViewKeepsPolicies(t *testing.T) {
	s := newSandbox(t)
	role, other := s.newRole("before"), s.newRole("before")
	for _, r := range []string{role, other} {
		s.exec("grant usage on schema " + s.schema + " to " + r)
	}
	s.ledgerOfVersion4()
	s.exec("grant select, insert, update, delete on all tables in schema " + s.schema + " to " + role + ", " + other)
	s.exec("alter table " + s.name("starts") + " enable row level security")
	s.exec("create policy own on " + s.name("starts") + " using (role = current_user)")
	run := s.before(role).begin()
	s.migrateUp()
	if queryOne[int](t, s.pool, "select current_setting('server_version_num')::integer") < 150000 {
		s.checkRefused("set role "+other+"; select from "+s.name("starts"), "42501")
		return
	}
	if got := s.before(role).history(run); len(got) != 2 {
		t.Errorf("a role sees %q of its own", got)
	}
	if got := s.before(other).history(run); len(got) != 0 {
		t.Errorf("a role sees %q of another", got)
	}
}

// Loads of the previous version continue during the migration: it does not wait for a transaction that
// loads a chunk, and statements that wait for the migration succeed after it.
func TestAttemptsBesideALoad(t *testing.T) {
	s := newSandbox(t)
	ctx := context.Background()
	role := s.newRole("before")
	s.exec("grant usage on schema " + s.schema + " to " + role)
	s.ledgerOfVersion4()
	s.exec("grant select, insert, update, delete on all tables in schema " + s.schema + " to " + role)
	b, chunk := s.before(role), s.before(role)
	run := b.begin()
	chunk.do(0, "begin")
	chunk.do(1, "insert into LEDGER.chunks (run_id, chunk_no, first_id, last_id, rows) values ($1, 0, 0, 4, 5)", run)
	s.migrateUp()
	chunk.do(0, "commit")
	s.backToVersion4()

	// Here the migration must wait for a transaction, and a statement must wait for the migration.
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, "select from "+s.name("starts")); err != nil {
		t.Fatal(err)
	}
	p := start(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	waits := "select count(*) = $2 from pg_locks where not granted and relation = $1::regclass::oid"
	oid := queryOne[uint32](t, s.pool, "select $1::regclass::oid", s.name("starts"))
	s.waitFor("the migration to wait", waits, oid, 1)
	ended := make(chan error, 1)
	go func() {
		_, err := b.conn.Exec(ctx, b.sql(endStartBefore), run, 2, "published", 2, 0.5, "{}", 0, "null", "", "")
		ended <- err
	}()
	s.waitFor("the statement to wait", waits, oid, 2)
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	p.wait().expect(t, 0, "")
	if err := <-ended; err != nil {
		t.Errorf("a statement that waited for the migration: %v", err)
	}
	if got := queryOne[string](t, s.pool, "select outcome from "+s.name("attempts")+" where no = 2"); got != "published" {
		t.Errorf("the attempt ended as %s", got)
	}
}

// A table in the ledger's schema that belongs to somebody else may already have the new name. It remains
// untouched, and the ledger is migrated once that table is out of the way.
func TestAttemptsOfSomebodyElse(t *testing.T) {
	s := newSandbox(t)
	role := s.newRole("before")
	s.exec("grant usage on schema " + s.schema + " to " + role)
	s.ledgerOfVersion4()
	s.exec("grant select, insert, update, delete on all tables in schema " + s.schema + " to " + role)
	s.before(role).begin()
	s.exec("create table " + s.name("attempts") + " as select 1 as mine")
	if out := mustCLI(t, s.dsn, "runs", "show", "1", "--ledger-schema", s.schema); !strings.Contains(out, "attempt 2\n") {
		t.Errorf("runs show: %s", out)
	}
	for range 2 {
		cli(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema).expect(t, 1, `"attempts" already exists`)
	}
	s.exec("alter table " + s.name("attempts") + " rename to mine")
	s.migrateUp()
	if out := mustCLI(t, s.dsn, "runs", "show", "1", "--ledger-schema", s.schema); !strings.Contains(out, "attempt 2\n") {
		t.Errorf("runs show: %s", out)
	}
}
