package integration

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/db/migrations"
	"github.com/loadgrid/loadgrid/loader"
)

const interrupt = syscall.SIGINT

func TestMigrateCommands(t *testing.T) {
	s := newSandbox(t)
	migrate := func(what string) string {
		t.Helper()
		return mustCLI(t, s.dsn, "migrate", what, "--ledger-schema", s.schema)
	}
	if out := migrate("version"); !strings.Contains(out, "none") {
		t.Errorf("before: %s", out)
	}

	for range 2 {
		if out := migrate("up"); !strings.Contains(out, "version 11") {
			t.Errorf("up: %s", out)
		}
	}

	mustCLI(t, s.dsn, s.load("grid", boxes(3, 3)...)...)
	for range 2 {
		if out := migrate("down"); !strings.Contains(out, "none") {
			t.Errorf("down: %s", out)
		}
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != 9 {
		t.Errorf("after migrate down, the loaded table has %d rows", n)
	}
	mustCLI(t, s.dsn, s.load("grid2", boxes(3, 3)...)...)
	s.checkBoxes("grid2", 3, 3)
}

// Removing the ledger during an unfinished run would leave its staging table behind, unknown to anybody.
func TestMigrateDownKeepsUnfinishedRuns(t *testing.T) {
	s := newSandbox(t)
	s.killAfter(2, s.load("grid", smallGrid()...)...)
	cli(t, s.dsn, "migrate", "down", "--ledger-schema", s.schema).expect(t, 1, "run 1", "runs drop 1")
	mustCLI(t, s.dsn, "runs", "drop", "1", "--ledger-schema", s.schema)
	mustCLI(t, s.dsn, "migrate", "down", "--ledger-schema", s.schema)
}

// golang-migrate marks a version as dirty while it works on it. If it is killed, the file may or may not
// have been committed. The next start repairs both cases.
func TestKilledMigrationIsMended(t *testing.T) {
	for name, before := range map[string]func(s sandbox){
		"before the first file was run": func(s sandbox) {
			mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
			s.exec("drop table " + s.name("attempts") + ", " + s.name("chunks") + ", " + s.name("runs") + " cascade")
			s.exec("update " + s.name("schema_migrations") + " set version = 1, dirty = true")
		},
		"before the second file was run": func(s sandbox) {
			mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
			s.exec("alter table " + s.name("runs") + " drop column aoi, drop column kept_no")
			s.exec("drop function " + s.name("cell_id"))
			s.exec("update " + s.name("schema_migrations") + " set version = 2, dirty = true")
		},
		"before the fourth file was run": func(s sandbox) {
			mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
			s.exec("alter table " + s.name("runs") + " drop column imprint")
			s.exec("drop table " + s.name("attempts") + " cascade")
			s.exec("update " + s.name("schema_migrations") + " set version = 4, dirty = true")
		},
		"before the last file was run": func(s sandbox) {
			s.ledgerOfVersion4()
			s.exec("update " + s.name("schema_migrations") + " set version = 5, dirty = true")
		},
		"after the file was run": func(s sandbox) {
			mustCLI(t, s.dsn, s.load("first", boxes(4, 4)...)...)
			s.exec("update " + s.name("schema_migrations") + " set dirty = true")
		},
		"on the way down": func(s sandbox) {
			mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
			s.exec("update " + s.name("schema_migrations") + " set version = -1, dirty = true")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			before(s)
			mustCLI(t, s.dsn, s.load("grid", boxes(5, 5)...)...)
			s.checkBoxes("grid", 5, 5)
			if out := mustCLI(t, s.dsn, "migrate", "version", "--ledger-schema", s.schema); !strings.Contains(out, "version 11\n") {
				t.Errorf("version: %s", out)
			}
			if name == "after the file was run" && queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")) != 2 {
				t.Error("the repair lost contents of the ledger")
			}
		})
	}
}

// Roles that may use a ledger but not alter it may use what a migration adds. So may the ledger's owner,
// whichever role ran the migration.
func TestMigrationKeepsGrants(t *testing.T) {
	s := newSandbox(t)
	owner, user, reader := s.newRole("migrated"), s.newRole("migrated"), s.newRole("migrated")
	team := "team_of_" + s.schema
	s.exec("create role " + team)
	t.Cleanup(func() { s.exec("drop role " + team) })
	for _, role := range []string{owner, user, reader} {
		s.exec("grant usage, create on schema " + s.schema + " to " + role + "; grant " + team + " to " + role)
	}

	mustCLI(t, s.dsnOf(owner, "migrated"), "migrate", "up", "--ledger-schema", s.schema, "--ledger-owner", team)
	s.exec("drop table " + s.name("attempts") + ", " + s.name("run_features") + " cascade; alter table " + s.name("runs") + " drop column imprint, drop column rows_added, drop column published_xid, drop column job_name")
	s.exec("update " + s.name("schema_migrations") + " set version = 3")
	s.exec("grant select on all tables in schema " + s.schema + " to " + user + ", " + reader)
	s.exec("grant insert, update, delete on " + s.name("runs") + ", " + s.name("chunks") + " to " + user)
	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	mustCLI(t, s.dsnOf(user, "migrated"), append(s.load("one", boxes(4, 4)...), "--ledger-owner", team)...)
	mustCLI(t, s.dsnOf(user, "migrated"), append(s.load("features", "--cell-size", "1", "--aoi-sql", "select st_makeenvelope(0, 0, 2, 2) as geom, 'a' as name", "--attribute", "name"), "--ledger-owner", team)...)
	mustCLI(t, s.dsnOf(owner, "migrated"), append(s.load("two", boxes(4, 4)...), "--ledger-owner", team)...)
	if out := mustCLI(t, s.dsnOf(reader, "migrated"), "runs", "list", "--wide", "--ledger-schema", s.schema, "--ledger-owner", team); !strings.Contains(out, user) || !strings.Contains(out, owner) {
		t.Errorf("runs list: %s", out)
	}
}

// A migration that is stopped while it waits for a lock ends at once, and the next start performs it.
func TestStoppedMigration(t *testing.T) {
	s := newSandbox(t)
	if err := loader.NewLedger(s.pool, s.schema).MigrateUp(context.Background()); err != nil {
		t.Fatal(err)
	}

	s.exec("update " + s.name("schema_migrations") + " set version = 1")
	holder, err := s.pool.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}

	if _, err := holder.Exec(context.Background(), "lock table "+s.name("runs")+" in access exclusive mode"); err != nil {
		t.Fatal(err)
	}

	p := start(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	s.waitFor("the migration to wait", "select exists (select from pg_locks where not granted and relation = $1::regclass)", s.name("runs"))
	sent := time.Now()
	_ = p.cmd.Process.Signal(interrupt)
	p.wait().expect(t, 130, "SIGINT")
	if took := time.Since(sent); took > stopWithin {
		t.Errorf("it took %s to stop", took)
	}
	if err := holder.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}

	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	mustCLI(t, s.dsn, s.load("grid", boxes(5, 5)...)...)
	s.checkBoxes("grid", 5, 5)
}

func TestLedgerOfANewerVersion(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	s.exec("update " + s.name("schema_migrations") + " set version = 99")
	cli(t, s.dsn, s.load("grid", boxes(3, 3)...)...).expect(t, 1, "version 99", "newer loadgrid")
	cli(t, s.dsn, "migrate", "down", "--ledger-schema", s.schema).expect(t, 1, "version 99")
	if queryOne[bool](t, s.pool, "select to_regclass($1) is not null", s.name("grid")) {
		t.Error("the table was made nevertheless")
	}
}

// Several first starts at once: one makes the ledger, and all find it.
func TestLedgerMadeBySeveralAtOnce(t *testing.T) {
	s := newSandbox(t)
	pool := openPool(t, s.dsn, nil)
	schema := "new_" + s.schema
	t.Cleanup(func() { s.exec("drop schema " + schema + " cascade") })
	var all sync.WaitGroup

	for range 6 {
		all.Go(func() {
			if err := loader.NewLedger(pool, schema).MigrateUp(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}

	all.Wait()
	latest, err := migrations.Latest()
	if err != nil {
		t.Fatal(err)
	}

	version, dirty, err := loader.NewLedger(pool, schema).Version(context.Background())
	if err != nil || dirty || version != latest {
		t.Errorf("version %d, dirty %v, %v, want %d", version, dirty, err, latest)
	}
}

func TestLibraryErrors(t *testing.T) {
	s := newSandbox(t)
	pool := openPool(t, s.dsn, nil)
	ctx := context.Background()
	for name, ask := range map[string]func() error{
		"FindRun":   func() error { _, err := loader.NewLedger(pool, s.schema).Run(ctx, 7); return err },
		"Runs":      func() error { _, err := loader.NewLedger(pool, s.schema).Runs(ctx, loader.RunFilter{}); return err },
		"PruneRuns": func() error { _, err := loader.NewLedger(pool, s.schema).Prune(ctx, time.Hour); return err },
	} {
		if err := ask(); !errors.As(err, new(*loader.NoLedgerError)) {
			t.Errorf("%s: got %v, want a NoLedgerError", name, err)
		}
	}

	r := cli(t, s.dsn, "runs", "list", "--json", "--ledger-schema", s.schema)
	if r.expect(t, 0, "there is no ledger in schema "+s.schema); r.stdout != "[]\n" {
		t.Errorf("the list is %q", r.stdout)
	}

	cli(t, s.dsn, "runs", "prune", "--older-than", "1d", "--ledger-schema", s.schema).expect(t, 0, "there is no ledger")
	cli(t, s.dsn, "runs", "show", "1", "--ledger-schema", s.schema).expect(t, 2, "there is no ledger")
	if err := loader.NewLedger(pool, s.schema).MigrateUp(ctx); err != nil {
		t.Fatal(err)
	}

	if _, err := loader.NewLedger(pool, s.schema).Run(ctx, 7); !errors.As(err, new(*loader.NoRunError)) {
		t.Errorf("got %v, want a NoRunError", err)
	}
	job := s.smallJob(0)
	job.Streams = 50
	if _, err := loader.Run(context.Background(), pool, job, loader.Options{}); err == nil || !strings.Contains(err.Error(), "needs 52") {
		t.Errorf("pool that is too small: %v", err)
	}
}

// A grid cannot replace a table of the ledger.
func TestLedgerKeepsItsTables(t *testing.T) {
	s := newSandbox(t)
	if err := loader.NewLedger(s.pool, s.schema).MigrateUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, table := range queryOne[[]string](t, s.pool, "select array_agg(relname::text) from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'v')", s.schema) {
		cli(t, s.dsn, s.load(table, appendArgs(boxes(2, 2), "--if-exists", "replace")...)...).expect(t, 2, "the ledger has a table with this name")
	}
}
