package integration

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader/job"
)

// citusVariable names the coordinator of a Citus cluster for tests, with PostGIS and at least one worker.
// Tests change its settings and end sessions of its workers, so nothing else may use it.
const citusVariable = "LOADGRID_TEST_CITUS_DSN"

// TestCitus runs the tests that need a Citus cluster, except those of --distribute.
func TestCitus(t *testing.T) {
	dsn := os.Getenv(citusVariable)
	if dsn == "" {
		t.Skip(citusVariable + " does not name the coordinator of a Citus cluster, so distributed tables (replace, append, keep) and the loss of a worker were not tested")
	}

	for name, test := range map[string]func(coordinator){
		"a replaced table stays distributed": coordinator.testReplaceIsRefused,
		"append and truncate":                coordinator.testAddTo,
		"kept versions":                      coordinator.testKeep,
		"distributed schema":                 coordinator.testSchema,
		"ledger in a distributed schema":     coordinator.testLedgerSchema,
		"local table":                        coordinator.testLocal,
		"lost before COMMIT PREPARED":        coordinator.testLostWorker,
		"finished by the next run":           coordinator.testUnsettled,
		"killed before nodes have it":        coordinator.testKilledUnsettled,
		"names with quotes":                  coordinator.testQuotedNames,
		"chunks wait for the disk":           coordinator.testSynchronousChunks,
	} {
		t.Run(name, func(t *testing.T) { test(newCoordinator(t, dsn)) })
	}
}

// coordinator is a sandbox on the coordinator of a cluster.
type coordinator struct{ sandbox }

func newCoordinator(t *testing.T, dsn string) coordinator {
	t.Helper()
	c := coordinator{sandboxIn(t, dsn, fmt.Sprintf("citus_%d_%d", os.Getpid(), time.Now().UnixNano()%1e9))}
	c.exec("create schema " + c.schema)
	t.Cleanup(func() {
		c.dropSchema(c.schema)
		c.dropSchema("data_" + c.schema)
	})

	return c
}

func (c coordinator) dropSchema(name string) {
	conn := c.connect()
	for _, sql := range []string{"set client_min_messages = warning", "drop schema if exists " + name + " cascade"} {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			c.t.Errorf("%s: %v", sql, err)
		}
	}
}

// distribute distributes an existing table, as its owner would.
func (c coordinator) distribute(table string, shards int) {
	c.t.Helper()
	c.exec("select create_distributed_table($1::text::regclass, 'cell_id', shard_count => $2)", c.name(table), shards)
}

// how describes how a table is distributed.
func (c coordinator) how(table string) citus.Table {
	c.t.Helper()
	cluster, err := citus.Read(context.Background(), c.pool)
	if err != nil {
		c.t.Fatal(err)
	}

	how, err := cluster.Table(context.Background(), c.pool, queryOne[uint32](c.t, c.pool, "select to_regclass($1)::oid", c.name(table)))
	if err != nil {
		c.t.Fatal(err)
	}

	return how
}

// checkGrid checks that the table contains each unit box of these columns and rows exactly once.
func (c coordinator) checkGrid(table string, cols, rows int64) {
	c.t.Helper()
	got := queryOne[string](c.t, c.pool, `select format('%s rows, %s cells, %s boxes', count(*), count(distinct cell_id),
		count(*) filter (where col between 0 and $1 - 1 and row between 0 and $2 - 1
			and st_asbinary(geom) = st_asbinary(st_makepolygon(st_makeline(array[
				st_point(col + 1, row), st_point(col + 1, row + 1), st_point(col, row + 1), st_point(col, row), st_point(col + 1, row)])))))
		from `+c.name(table), cols, rows)
	if want := fmt.Sprintf("%[1]d rows, %[1]d cells, %[1]d boxes", cols*rows); got != want {
		c.t.Errorf("table %s has %s, want %s", table, got, want)
	}

	c.checkNothingLeft()
}

// prepared counts the transactions that are prepared on the workers.
func (c coordinator) prepared() int {
	c.t.Helper()
	return queryOne[int](c.t, c.pool, "select coalesce(sum(case when success then result::integer else 1000 end), 0)::integer from run_command_on_workers('select count(*) from pg_prepared_xacts where database = current_database()')")
}

// Replacing a distributed table used to make it local again, with exit code 0. Now it is refused before
// anything is written.
func (c coordinator) testReplaceIsRefused() {
	mustCLI(c.t, c.dsn, c.load("grid", boxes(40, 30)...)...)
	c.distribute("grid", 4)

	cli(c.t, c.dsn, c.load("grid", appendArgs(boxes(50, 30), "--if-exists", "replace")...)...).
		expect(c.t, 2, "--table", "is distributed by Citus (hash of cell_id, 4 shards)", "publish truncate")
	cli(c.t, c.dsn, c.load("grid", appendArgs(boxes(50, 30), "--if-exists", "append", "--on-conflict", "skip")...)...).
		expect(c.t, 2, "--on-conflict", "distribute hash")

	c.checkGrid("grid", 40, 30)
	if states := c.states(); states != "published" {
		c.t.Errorf("runs: %s", states)
	}

	// Reference tables are refused, too. Tables that workers merely know are tables of the coordinator.
	mustCLI(c.t, c.dsn, c.load("everywhere", boxes(10, 10)...)...)
	c.exec("select create_reference_table($1::text::regclass)", c.name("everywhere"))
	cli(c.t, c.dsn, c.load("everywhere", appendArgs(boxes(10, 10), "--if-exists", "replace")...)...).
		expect(c.t, 2, "is distributed by Citus (a reference table)")
}

func (c coordinator) testAddTo() {
	mustCLI(c.t, c.dsn, c.load("grid", boxes(64, 64)...)...)
	c.distribute("grid", 4)

	mustCLI(c.t, c.dsn, c.load("grid", "--cell-size", "1", "--extent", "64,0,128,64", "--if-exists", "append", "--chunk-rows", "1000")...)
	c.checkGrid("grid", 128, 64)
	cli(c.t, c.dsn, c.load("grid", "--cell-size", "1", "--extent", "127,0,130,64", "--if-exists", "append")...).expect(c.t, 2, "holds 64 of the 192 cells")

	mustCLI(c.t, c.dsn, c.load("grid", appendArgs(boxes(70, 50), "--if-exists", "replace", "--publish", "truncate")...)...)
	c.checkGrid("grid", 70, 50)

	if how := c.how("grid"); how.Kind != citus.Hash || how.Shards != 4 {
		c.t.Errorf("the table is %s", how)
	}
}

// A kept version that somebody has distributed is restored distributed.
func (c coordinator) testKeep() {
	mustCLI(c.t, c.dsn, c.load("grid", boxes(40, 30)...)...)
	mustCLI(c.t, c.dsn, c.load("grid", appendArgs(boxes(50, 30), "--if-exists", "replace", "--keep", "1")...)...)
	c.distribute("grid", 4)
	c.distribute("grid_run1", 2)

	for _, version := range []int{1, 2, 1} {
		mustCLI(c.t, c.dsn, "runs", "rollback", fmt.Sprint(version), "--ledger-schema", c.schema)
		c.checkGrid("grid", int64(30+10*version), 30)

		if how := c.how("grid"); how.Shards != 2*version {
			c.t.Errorf("version %d is %s", version, how)
		}
	}

	mustCLI(c.t, c.dsn, "runs", "drop", "2", "--ledger-schema", c.schema)
	if queryOne[bool](c.t, c.pool, "select to_regclass($1) is not null", c.name("grid_run2")) {
		c.t.Error("the kept version is still there")
	}
}

// In a distributed schema, each table is on the schema's node and stays there.
func (c coordinator) testSchema() {
	data := sandbox{t: c.t, pool: c.pool, dsn: c.dsn, schema: "data_" + c.schema}
	c.exec("create schema " + data.schema)
	c.exec("select citus_schema_distribute($1::text::regnamespace)", data.schema)

	load := func(args ...string) {
		c.t.Helper()
		mustCLI(c.t, c.dsn, append([]string{"load", "--table", data.schema + ".grid", "--ledger-schema", c.schema}, args...)...)
	}
	check := func(cols, rows int64) {
		c.t.Helper()
		moved := coordinator{data}
		moved.checkGrid("grid", cols, rows)

		if how := moved.how("grid"); how.Kind != citus.Single || !how.Schema {
			c.t.Errorf("the table is %s", how)
		}
	}

	load(boxes(40, 30)...)
	check(40, 30)
	load(appendArgs(boxes(64, 64), "--if-exists", "replace", "--keep", "1", "--chunk-rows", "500")...)
	check(64, 64)
	load("--cell-size", "1", "--extent", "64,0,128,64", "--if-exists", "append")
	check(128, 64)
	load(appendArgs(boxes(130, 64), "--if-exists", "append", "--on-conflict", "skip")...)
	check(130, 64)
	load(appendArgs(boxes(40, 40), "--if-exists", "replace", "--publish", "truncate")...)
	check(40, 40)
	mustCLI(c.t, c.dsn, "runs", "rollback", "1", "--ledger-schema", c.schema)
	check(40, 30)
}

// The schema that a run makes for its ledger is not distributed.
func (c coordinator) testLedgerSchema() {
	run := func(args ...string) result {
		return startWith(c.t, []string{"PGOPTIONS=-c citus.enable_schema_based_sharding=on"}, c.dsn, args...).wait()
	}
	c.exec("drop schema " + c.schema)
	c.exec("create schema data_" + c.schema)

	args := append([]string{"load", "--table", "data_" + c.schema + ".grid", "--ledger-schema", c.schema}, boxes(20, 20)...)
	run(args...).expect(c.t, 0)
	run(appendArgs(args, "--if-exists", "replace", "--chunk-rows", "100")...).expect(c.t, 0)
	coordinator{sandbox{t: c.t, pool: c.pool, schema: "data_" + c.schema}}.checkGrid("grid", 20, 20)

	if queryOne[bool](c.t, c.pool, "select exists (select from pg_dist_schema where schemaid = to_regnamespace($1))", c.schema) {
		c.t.Error("the ledger is distributed")
	}

	args = append([]string{"load", "--table", "data_" + c.schema + ".other", "--ledger-schema", "ledger_" + c.schema}, boxes(20, 20)...)
	c.exec("create schema ledger_" + c.schema)
	c.exec("select citus_schema_distribute($1::text::regnamespace)", "ledger_"+c.schema)
	c.t.Cleanup(func() { c.dropSchema("ledger_" + c.schema) })
	run(args...).expect(c.t, 2, "--ledger-schema", "is distributed by Citus")
}

// A table that is not distributed is loaded as on any other server.
func (c coordinator) testLocal() {
	for name, w := range scenarios() {
		if w.before != nil {
			mustCLI(c.t, c.dsn, c.load("grid", w.before...)...)
		}

		mustCLI(c.t, c.dsn, c.load("grid", w.load...)...)
		c.checkGrid("grid", w.cols, w.rows)
		c.exec("drop table " + c.name("grid"))

		if c.t.Failed() {
			c.t.Fatal(name)
		}
	}
}

// held names the commit at which a run is held.
type held string

// Transactions of a run that write on workers, identified by what the coordinator has locked for them.
const (
	heldBegin   held = "begin"
	heldChunk   held = "chunk"
	heldIndex   held = "index"
	heldPublish held = "publish"
)

const heldSQL = `
	select a.pid, case when bool_or(c.relname = 'chunks') then 'chunk' when bool_or(c.relname = 'attempts') then 'begin'
	                   when bool_or(c.relname = 'runs') then 'publish' else 'index' end
	from pg_stat_activity a join pg_locks l on l.pid = a.pid and l.mode in ('RowExclusiveLock', 'AccessExclusiveLock', 'ShareLock')
	left join pg_class c on c.oid = l.relation and c.relnamespace = $2::text::regnamespace
	where a.application_name = $1 and a.wait_event = 'SyncRep' group by a.pid`

// setHold makes commits on the coordinator wait for a standby that does not exist, or releases them. By
// then, workers have prepared their part but not committed it.
func (c coordinator) setHold(on bool) {
	c.t.Helper()
	sql := "alter system reset synchronous_standby_names"
	if on {
		sql = "alter system set synchronous_standby_names = 'loadgrid_test'"
	}

	c.exec(sql)
	c.exec("select pg_reload_conf()")
}

// hold waits until a commit of this kind is held, after skip others of that kind.
func (c coordinator) hold(p *process, kind held, skip int) {
	c.t.Helper()
	c.t.Cleanup(func() { c.setHold(false) })
	c.setHold(true)

	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		rows, err := c.pool.Query(context.Background(), heldSQL, c.application(), c.schema)
		if err != nil {
			c.t.Fatal(err)
		}

		waiting, wanted := 0, false
		var pid int32
		var is held
		if _, err := pgx.ForEachRow(rows, []any{&pid, &is}, func() error { waiting++; wanted = wanted || is == kind; return nil }); err != nil {
			c.t.Fatal(err)
		}

		switch {
		case waiting == 0:
			continue
		case wanted && c.prepared() > 0:
			if skip == 0 {
				return
			}
			skip--
		}

		c.setHold(false)
		c.waitFor("commits to go on", "select not exists (select from pg_stat_activity where application_name = $1 and wait_event = 'SyncRep')", c.application())
		c.setHold(true)
	}

	c.t.Fatalf("no %s was held:\n%s", kind, p.stderr.String())
}

// loseWorker ends the sessions that the coordinator has on a worker.
func (c coordinator) loseWorker() {
	c.t.Helper()
	n := queryOne[int](c.t, c.pool, `select max(r.result::integer) from (select nodename, nodeport from pg_dist_node where groupid > 0 and shouldhaveshards order by nodeid limit 1) n,
		master_run_on_worker(array[n.nodename], array[n.nodeport], array[$1::text], false) r`,
		"select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid() and application_name like 'citus%'")
	if n == 0 {
		c.t.Error("the coordinator had no session on the worker")
	}
}

// If a worker is lost between PREPARE and COMMIT PREPARED, its part remains prepared although COMMIT has
// succeeded. When loadgrid ends, every node has committed its part.
func (c coordinator) testLostWorker() {
	rng := testrand.New(c.t, 1)

	for _, kind := range []held{heldBegin, heldChunk, heldIndex, heldPublish} {
		args := c.load("grid", appendArgs(boxes(120, 100), "--distribute", "hash:4", "--chunk-rows", "3000", "--if-exists", "replace", "--progress", "json")...)
		mustCLI(c.t, c.dsn, args...)
		p := start(c.t, c.dsn, args...)

		skip := 0
		if kind == heldChunk {
			skip = rng.IntN(2)
		}

		c.hold(p, kind, skip)
		c.loseWorker()
		c.setHold(false)
		lost := time.Now()

		r := p.wait()
		c.t.Logf("%s: loadgrid continued for %.1f s", kind, time.Since(lost).Seconds())
		if r.code != 0 {
			c.t.Errorf("%s: exit code %d: %s", kind, r.code, lastLine(r.stderr))
		}

		if n := c.prepared(); n != 0 {
			c.t.Errorf("%s: %d transactions are prepared when loadgrid has ended", kind, n)
		}

		c.checkGrid("grid", 120, 100)
	}
}

// A run whose last commit did not reach every node ended with exit code 4. The same command waits for the
// nodes and loads nothing.
func (c coordinator) testUnsettled() {
	args := c.load("grid", appendArgs(boxes(40, 30), "--distribute", "hash:4")...)
	mustCLI(c.t, c.dsn, args...)
	c.exec("update " + c.name("runs") + " set last_error = 'a worker did not answer'")
	before := queryOne[uint32](c.t, c.pool, "select to_regclass($1)::oid", c.name("grid"))

	cli(c.t, c.dsn, c.load("grid", appendArgs(boxes(41, 30), "--distribute", "hash:4")...)...).expect(c.t, 2, "exists already")

	sum := mustSummary(c.t, c.dsn, args...)
	if sum.Run != 1 || sum.Rows != 1200 || sum.RowsCopied != 0 || sum.Unchanged {
		c.t.Errorf("summary %+v", sum)
	}

	if now := queryOne[uint32](c.t, c.pool, "select to_regclass($1)::oid", c.name("grid")); now != before {
		c.t.Error("the table was loaded again")
	}

	cli(c.t, c.dsn, args...).expect(c.t, 2, "exists already")
}

// If a run is killed before a worker has committed its part of the publish, the same command finishes it.
func (c coordinator) testKilledUnsettled() {
	mustCLI(c.t, c.dsn, c.load("first", boxes(4, 3)...)...) // makes the ledger
	args := c.load("grid", appendArgs(boxes(120, 100), "--distribute", "hash:4")...)
	p := start(c.t, c.dsn, args...)
	c.hold(p, heldPublish, 0)
	c.loseWorker()
	_ = p.cmd.Process.Kill()
	p.wait()
	c.setHold(false)
	c.waitFor("the commit", "select exists (select from "+c.name("runs")+" where id = 2 and state = 'published')")

	sum := mustSummary(c.t, c.dsn, args...)
	if sum.Run != 2 || sum.RowsCopied != 0 || sum.Unchanged {
		c.t.Errorf("summary %+v", sum)
	}

	if n := c.prepared(); n != 0 {
		c.t.Errorf("%d transactions are prepared when the same command has ended", n)
	}

	c.checkGrid("grid", 120, 100)
	cli(c.t, c.dsn, args...).expect(c.t, 2, "exists already")
}

// Commands that the nodes execute contain the table's name as a literal.
func (c coordinator) testQuotedNames() {
	for _, name := range []string{"o'hara", `a "b" c`, "x'::regclass; select 1/0 --"} {
		table := c.schema + "." + pgx.Identifier{name}.Sanitize()
		args := append([]string{"load", "--table", c.schema + `."` + strings.ReplaceAll(name, `"`, `""`) + `"`, "--ledger-schema", c.schema}, appendArgs(boxes(40, 30), "--distribute", "hash:4")...)
		mustCLI(c.t, c.dsn, args...)
		c.exec("analyze " + table)

		relation := catalog.Relation{Table: job.Table{Schema: c.schema, Name: name}}
		if err := relation.Find(context.Background(), c.pool); err != nil {
			c.t.Fatal(err)
		}

		rows, err := distribution.EstimatedRows(context.Background(), c.pool, relation)
		if err != nil || rows != 1200 {
			c.t.Errorf("%s: about %d rows (%v), want 1200", name, rows, err)
		}

		sizes, err := distribution.IndexSizes(context.Background(), c.pool, relation)
		if err != nil || len(sizes) != 2 {
			c.t.Errorf("%s: sizes of indexes %v (%v), want two", name, sizes, err)
		}
	}

	mustCLI(c.t, c.dsn, c.load("beside", appendArgs(boxes(4, 3), "--distribute", "hash:4")...)...)
	c.exec("create table " + c.name("texts") + " (name text)")
	c.exec("select create_distributed_table($1::text::regclass, 'name')", c.name("texts"))
	cli(c.t, c.dsn, c.load("grid", appendArgs(boxes(4, 3), "--distribute", "hash", "--colocate-with", c.name("texts"))...)...).expect(c.t, 2, "--colocate-with", "which is text", "bigint")
}

// When workers have committed a chunk's rows, its ledger row is on disk.
func (c coordinator) testSynchronousChunks() {
	for distribute, want := range map[string]string{"hash:4": "on", "": "off"} {
		args := appendArgs(boxes(60, 50), "--chunk-rows", "1000", "--if-exists", "replace")
		if distribute != "" {
			args = append(args, "--distribute", distribute)
		}

		table := "plain" + strings.ReplaceAll(distribute, ":", "")
		mustCLI(c.t, c.dsn, c.load(table, args...)...)
		c.exec("create table if not exists " + c.name("seen") + " (value text)")
		c.exec("truncate " + c.name("seen"))
		c.exec("create or replace function " + c.name("see") + "() returns trigger language plpgsql as $$ begin insert into " + c.name("seen") +
			" values (current_setting('synchronous_commit')); return null; end $$")
		c.exec("create or replace trigger see after insert on " + c.name("chunks") + " for each statement execute function " + c.name("see") + "()")
		mustCLI(c.t, c.dsn, c.load(table, args...)...)
		c.exec("drop trigger see on " + c.name("chunks"))

		if got := queryOne[string](c.t, c.pool, "select string_agg(distinct value, ', ') from "+c.name("seen")); got != want {
			c.t.Errorf("chunks of a table with --distribute %q commit with synchronous_commit %s, want %s", distribute, got, want)
		}
	}
}
