package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/loader"
)

// TestDistributedTables needs a Citus cluster: a coordinator with at least two workers, and
// PostGIS on all of them.
func TestDistributedTables(t *testing.T) {
	dsn := os.Getenv("LOADGRID_TEST_CITUS_DSN")
	if dsn == "" {
		t.Skip("LOADGRID_TEST_CITUS_DSN does not name the coordinator of a Citus cluster, so --distribute was not tested there")
	}

	for name, test := range map[string]func(*testing.T, cluster){
		"load":        testDistributedLoad,
		"replace":     testDistributedReplace,
		"add":         testDistributedAdd,
		"resume":      testDistributedResume,
		"unchanged":   testDistributedUnchanged,
		"parents":     testDistributedParents,
		"unlogged":    testDistributedUnlogged,
		"large":       testDistributedPreview,
		"not allowed": testDistributedRefused,
		"readers":     testDistributedReaders,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newCluster(t, dsn))
		})
	}
}

// cluster is a sandbox in a Citus cluster.
type cluster struct {
	sandbox
	nodes int // those that hold shards
}

func newCluster(t *testing.T, dsn string) cluster {
	t.Helper()
	schema := "spread_" + strings.ToLower(regexp.MustCompile(`[^A-Za-z]+`).ReplaceAllString(filepath.Base(t.Name()), "_")) + "_" + strconv.Itoa(os.Getpid())
	c := cluster{sandbox: sandboxIn(t, dsn, schema)}
	c.nodes = queryOne[int](t, c.pool, "select count(*) from pg_dist_node where noderole = 'primary' and isactive and shouldhaveshards")

	c.exec("create schema " + pgx.Identifier{schema}.Sanitize())
	t.Cleanup(func() {
		if !t.Failed() {
			c.checkNothingLeftOnNodes()
		}
		_, _ = c.pool.Exec(context.Background(), "set client_min_messages = warning; drop schema "+pgx.Identifier{schema}.Sanitize()+" cascade", pgx.QueryExecModeSimpleProtocol)
	})

	return c
}

// onNodes runs a query for a number on each node of the cluster and returns the sum.
func (c cluster) onNodes(sql string) (sum int64) {
	c.t.Helper()
	return queryOne[int64](c.t, c.pool, "select sum(result::bigint)::bigint from run_command_on_all_nodes($1)", sql)
}

// onShards runs a query for a number on each shard of a table and returns the sum. %s is the shard.
func (c cluster) onShards(table, sql string) int64 {
	c.t.Helper()
	return queryOne[int64](c.t, c.pool, "select sum(result::bigint)::bigint from run_command_on_shards($1::regclass, $2)", c.name(table), sql)
}

func (c cluster) checkNothingLeftOnNodes() {
	c.t.Helper()
	c.checkNothingLeft()
	like := "loadgrid\\_staging%"
	if n := c.onNodes("select count(*) from pg_class where relname like '" + like + "' and relnamespace = to_regnamespace('" + c.schema + "')"); n != 0 {
		c.t.Errorf("%d staging tables, shards or indexes are left on the nodes", n)
	}
}

// checkSpread checks a finished table: it must be distributed by the hash of a column over this many
// shards.
func (c cluster) checkSpread(table, column string, shards int, rows int64) {
	c.t.Helper()
	got := queryOne[string](c.t, c.pool, `select format('%s %s %s', partmethod, column_to_column_name(logicalrelid, partkey), (select count(*) from pg_dist_shard s where s.logicalrelid = p.logicalrelid))
		from pg_dist_partition p where logicalrelid = $1::regclass`, c.name(table))
	if want := fmt.Sprintf("h %s %d", column, shards); got != want {
		c.t.Errorf("%s is distributed as %s, want %s", table, got, want)
	}

	if n := queryOne[int64](c.t, c.pool, "select count(*) from "+c.name(table)); n != rows {
		c.t.Errorf("%s has %d rows, want %d", table, n, rows)
	}
	if n := queryOne[int64](c.t, c.pool, "select count(*) from (select distinct col, row from "+c.name(table)+") d"); n != rows {
		c.t.Errorf("%s has %d different cells, want %d", table, n, rows)
	}

	valid := "select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam where i.indrelid = '%s'::regclass and i.indisvalid and (i.indisprimary or a.amname = 'gist')"
	if n := c.onShards(table, valid); n != int64(2*shards) {
		c.t.Errorf("the shards of %s have %d of primary key and spatial index, want %d", table, n, 2*shards)
	}
	if n := queryOne[int64](c.t, c.pool, "select count(*) from pg_index i join pg_constraint k on k.conindid = i.indexrelid where i.indrelid = $1::regclass and k.contype = 'p' and k.conname = $2", c.name(table), table+"_pkey"); n != 1 {
		c.t.Errorf("%s has no primary key of that name", table)
	}

	analyzed := "select (reltuples > 0)::integer from pg_class where oid = '%s'::regclass"
	if n := c.onShards(table, analyzed); n == 0 || shards <= 8 && rows > 1000 && column != "parent" && n != int64(shards) {
		c.t.Errorf("%d of %d shards of %s have statistics", n, shards, table)
	}
	if n := c.onShards(table, "select count(*) from pg_class where oid = '%s'::regclass and coalesce('autovacuum_enabled=false' = any(reloptions), false)"); n != 0 {
		c.t.Errorf("autovacuum is off for %d shards of %s", n, table)
	}
	c.checkNothingLeftOnNodes()
}

func (c cluster) boxesAreRight(table string) {
	c.t.Helper()
	wrong := queryOne[int64](c.t, c.pool, `
		select count(*) from `+c.name(table)+`
		where st_asbinary(geom, 'NDR') <> st_asbinary(st_makepolygon(st_makeline(array[
		        st_point(col + 1, row), st_point(col + 1, row + 1), st_point(col, row + 1), st_point(col, row), st_point(col + 1, row)])), 'NDR')`)
	if wrong != 0 {
		c.t.Errorf("%d rows of %s are not the expected boxes", wrong, table)
	}
}

func testDistributedLoad(t *testing.T, c cluster) {
	sum := mustSummary(t, c.dsn, c.load("grid", append(boxes(300, 200), "--distribute", "hash", "--chunk-rows", "20000")...)...)
	c.checkSpread("grid", "cell_id", 2*c.nodes, 60_000)
	c.boxesAreRight("grid")
	if sum.Rows != 60_000 || sum.Chunks < 3 || sum.Method != loader.MethodChunks || sum.HeapBytes < 60_000*100 || sum.IndexBytes < 60_000*40 {
		t.Errorf("the summary is %+v", sum)
	}

	show := mustCLI(t, c.dsn, "runs", "show", fmt.Sprint(sum.Run), "--ledger-schema", c.schema)
	if !regexp.MustCompile(`(?m)^distribute +hash$`).MatchString(show) {
		t.Errorf("runs show does not say how the table is distributed:\n%s", show)
	}

	// The ledger's functions find the cell of a point, on the coordinator.
	id := queryOne[int64](t, c.pool, "select "+c.name("cell_at")+"($1::regclass, st_point(17.5, 33.5))", c.name("grid"))
	if n := queryOne[int64](t, c.pool, "select count(*) from "+c.name("grid")+" where cell_id = $1 and col = 17 and row = 33", id); n != 1 {
		t.Errorf("cell_at returns %d, which is another cell", id)
	}
}

func testDistributedReplace(t *testing.T, c cluster) {
	night := func(n int, extra ...string) {
		t.Helper()
		args := append(boxes(100+n, 50), "--set", fmt.Sprintf("night:integer=%d", n), "--if-exists", "replace", "--keep", "2")
		mustCLI(t, c.dsn, c.load("grid", append(args, extra...)...)...)
	}
	expect := func(want string) {
		t.Helper()
		if got := c.versions(); got != want {
			t.Errorf("versions %s, want %s", got, want)
		}
	}

	night(1, "--distribute", "hash:6")
	c.exec("grant select on " + c.name("grid") + " to public")
	colocation := queryOne[int](t, c.pool, "select colocationid from pg_dist_partition where logicalrelid = $1::regclass", c.name("grid"))

	for n := 2; n <= 4; n++ {
		night(n, "--distribute", "hash")
	}
	expect("grid:4 grid_run2:2 grid_run3:3")
	c.checkSpread("grid", "cell_id", 6, 104*50)
	if now := queryOne[int](t, c.pool, "select colocationid from pg_dist_partition where logicalrelid = $1::regclass", c.name("grid")); now != colocation {
		t.Errorf("the shards were in group %d and are in %d", colocation, now)
	}
	if acl := queryOne[string](t, c.pool, "select array_to_string(relacl, ',') from pg_class where oid = $1::regclass", c.name("grid")); !strings.Contains(acl, "=r/") {
		t.Errorf("grants: %s", acl)
	}

	mustCLI(t, c.dsn, "runs", "rollback", "3", "--ledger-schema", c.schema)
	expect("grid:3 grid_run2:2 grid_run4:4")
	c.checkSpread("grid", "cell_id", 6, 103*50)

	// Lost rows are noticed, and a rollback to them is refused.
	c.exec("delete from " + c.name("grid_run4") + " where col = 7")
	cli(t, c.dsn, "runs", "rollback", "4", "--ledger-schema", c.schema).expect(t, 1, "5150 of 5200 rows are there")
	mustCLI(t, c.dsn, "runs", "drop", "4", "--ledger-schema", c.schema)
	expect("grid:3 grid_run2:2")

	night(5, "--distribute", "hash:3")
	c.checkSpread("grid", "cell_id", 3, 105*50)

	// A plain table becomes distributed if the job requests it.
	mustCLI(t, c.dsn, c.load("plain", boxes(60, 20)...)...)
	mustCLI(t, c.dsn, c.load("plain", append(boxes(70, 20), "--if-exists", "replace", "--distribute", "hash:2")...)...)
	c.checkSpread("plain", "cell_id", 2, 1400)
}

func testDistributedAdd(t *testing.T, c cluster) {
	hash := func(args ...string) []string { return append(args, "--distribute", "hash") }
	mustCLI(t, c.dsn, c.load("grid", append(boxes(100, 50), "--distribute", "hash:4")...)...)

	mustCLI(t, c.dsn, c.load("grid", hash("--cell-size", "1", "--extent", "100,0,150,50", "--if-exists", "append")...)...)
	c.checkSpread("grid", "cell_id", 4, 7500)

	cli(t, c.dsn, c.load("grid", hash("--cell-size", "1", "--extent", "140,0,160,50", "--if-exists", "append")...)...).expect(t, 2, "holds 500 of the 1000 cells already")
	sum := mustSummary(t, c.dsn, c.load("grid", hash("--cell-size", "1", "--extent", "140,0,160,50", "--if-exists", "append", "--on-conflict", "skip")...)...)
	if sum.RowsSkipped != 500 {
		t.Errorf("%d rows were skipped, want 500", sum.RowsSkipped)
	}
	c.checkSpread("grid", "cell_id", 4, 8000)

	c.exec("create view " + c.name("seen") + " as select count(*) as n from " + c.name("grid"))
	mustCLI(t, c.dsn, c.load("grid", hash(append(boxes(80, 40), "--if-exists", "replace", "--publish", "truncate")...)...)...)
	c.checkSpread("grid", "cell_id", 4, 3200)
	if n := queryOne[int64](t, c.pool, "select n from "+c.name("seen")); n != 3200 {
		t.Errorf("the view sees %d rows", n)
	}

	// The rows stay on their nodes: no rows of a shard pass through the coordinator.
	c.exec("create table " + c.name("beside") + " (like " + c.name("grid") + " including indexes)")
	c.exec("select create_distributed_table($1::regclass, 'cell_id', colocate_with => $2)", c.name("beside"), c.name("grid"))
	plan := c.explain("explain insert into " + c.name("beside") + " select * from " + c.name("grid") + " order by cell_id")
	if !strings.Contains(plan, "Custom Scan (Citus Adaptive)") || strings.Contains(plan, "pull to coordinator") {
		t.Errorf("added rows pass through the coordinator:\n%s", plan)
	}
}

func testDistributedResume(t *testing.T, c cluster) {
	args := c.load("grid", append(boxes(300, 100), "--distribute", "hash:4", "--chunk-rows", "3000", "--streams", "2")...)
	b := c.pauseAtChunk(4)
	p := start(t, c.dsn, args...)
	b.waitUntilReached()
	c.waitForChunks(4)
	_ = p.cmd.Process.Kill()
	p.wait()
	b.release()
	c.waitForEnd()

	sum := mustSummary(t, c.dsn, args...)
	if sum.ChunksResumed < 4 || sum.Rows != 30_000 || sum.RowsCopied+sum.RowsResumed != 30_000 {
		t.Errorf("resumed with %+v", sum)
	}
	c.checkSpread("grid", "cell_id", 4, 30_000)

	// An abandoned run leaves nothing on the nodes.
	b = c.pauseAtChunkAgain(2)
	p = start(t, c.dsn, c.load("other", append(boxes(300, 100), "--distribute", "hash:4", "--chunk-rows", "3000", "--streams", "2")...)...)
	b.waitUntilReached()
	_ = p.cmd.Process.Kill()
	p.wait()
	b.release()
	c.waitForEnd()
	mustCLI(t, c.dsn, "runs", "drop", "2", "--ledger-schema", c.schema)
	c.checkNothingLeftOnNodes()
}

// pauseAtChunkAgain replaces the pausepoint of an earlier pauseAtChunk.
func (c cluster) pauseAtChunkAgain(k int) *pausepoint {
	c.t.Helper()
	c.exec("drop trigger pausepoint on " + c.name("chunks"))
	c.exec("drop function " + c.name("pausepoint") + "(), " + c.name("wait") + "()")
	return c.pauseAtChunk(k)
}

func testDistributedUnchanged(t *testing.T, c cluster) {
	args := c.load("grid", append(boxes(100, 50), "--distribute", "hash:4", "--if-exists", "replace", "--skip-unchanged")...)
	for n, tt := range []struct {
		between string
		same    bool
	}{
		{"", false},
		{"vacuum (freeze) {grid}", true},
		{"update {grid} set col = col where cell_id = 5", false},
		{"", true},
		{"delete from {grid} where cell_id = 5", false},
		{"with gone as (delete from {grid} where cell_id = 5 returning *) insert into {grid} select * from gone", false},
		{"drop index {index}", false},
		{"", true},
	} {
		if tt.between != "" {
			c.exec(strings.NewReplacer("{grid}", c.name("grid"), "{index}", c.name("grid_geom_idx")).Replace(tt.between))
		}
		if sum := mustSummary(t, c.dsn, args...); sum.Unchanged != tt.same {
			t.Errorf("start %d, after %q: unchanged is %v, want %v", n, tt.between, sum.Unchanged, tt.same)
		}
	}
	c.checkSpread("grid", "cell_id", 4, 5000)

	// Somebody has distributed a table by hand, and the job that adds to it does not know.
	mustCLI(t, c.dsn, c.load("hand", boxes(30, 20)...)...)
	c.exec("select create_distributed_table($1::regclass, 'cell_id', shard_count => 2)", c.name("hand"))
	strip := c.load("hand", "--cell-size", "1", "--extent", "30,0,40,20", "--if-exists", "append", "--skip-unchanged")
	for n, same := range []bool{false, true, true} {
		if sum := mustSummary(t, c.dsn, strip...); sum.Unchanged != same {
			t.Errorf("start %d of what is added: unchanged is %v, want %v", n, sum.Unchanged, same)
		}
	}
	c.checkSpread("hand", "cell_id", 2, 800)
}

func testDistributedParents(t *testing.T, c cluster) {
	mustCLI(t, c.dsn, c.load("grid", append(boxes(256, 256), "--distribute", "hash:8", "--distribute-by", "parent:5")...)...)
	c.checkSpread("grid", "parent", 8, 65_536)
	c.boxesAreRight("grid")
	if n := queryOne[int64](t, c.pool, "select count(*) from "+c.name("grid")+" where parent <> cell_id >> 10"); n != 0 {
		t.Errorf("%d rows have another parent", n)
	}
	if columns := queryOne[string](t, c.pool, "select pg_get_constraintdef(oid) from pg_constraint where conrelid = $1::regclass and contype = 'p'", c.name("grid")); columns != "PRIMARY KEY (parent, cell_id)" {
		t.Errorf("the key is %s", columns)
	}

	parents := queryOne[[]int64](t, c.pool, "select "+c.name("parents_of")+"($1::regclass, st_makeenvelope(40, 40, 60, 60))", c.name("grid"))
	if len(parents) != 1 {
		t.Fatalf("the parents of a window in one square are %v", parents)
	}

	parents = queryOne[[]int64](t, c.pool, "select "+c.name("parents_of")+"($1::regclass, st_makeenvelope(40, 40, 70, 60))", c.name("grid"))
	if len(parents) != 2 {
		t.Fatalf("the parents of a window in two squares are %v", parents)
	}

	window := "select count(*) from " + c.name("grid") + " where geom && st_makeenvelope(40.5, 40.5, 69.5, 59.5)"
	pruned := window + " and parent = any('" + pgArray(parents) + "')"
	if all, few := c.tasks(window), c.tasks(pruned); all != 8 || few > 2 {
		t.Errorf("a window asks %d shards, with its parents %d, want 8 and at most 2", all, few)
	}
	if a, b := queryOne[int64](t, c.pool, window), queryOne[int64](t, c.pool, pruned); a != b || a != 30*20 {
		t.Errorf("a window has %d rows, with its parents %d, want 600", a, b)
	}

	// Points stored next to their cells, joined on the workers.
	c.exec("create table " + c.name("points") + " (id integer, cell_id bigint, parent bigint)")
	c.exec("select create_distributed_table($1::regclass, 'parent', colocate_with => $2)", c.name("points"), c.name("grid"))
	c.exec("insert into "+c.name("points")+" select n, id, id >> 10 from generate_series(0, 999) n, "+c.name("cell_at")+"($1::regclass, st_point((n * 37) % 256 + 0.5, (n * 91) % 256 + 0.5)) id", c.name("grid"))
	join := "select count(*) from " + c.name("points") + " p join " + c.name("grid") + " g using (parent, cell_id) where g.col = (p.id * 37) % 256"
	if n := queryOne[int64](t, c.pool, join); n != 1000 {
		t.Errorf("%d points are joined with their cell, want 1000", n)
	}
	if n := c.tasks(join); n != 8 {
		t.Errorf("the join has %d tasks, want one for each of 8 shards", n)
	}

	// Added rows also go to the shard of their parent.
	sum := mustSummary(t, c.dsn, c.load("grid", "--cell-size", "1", "--extent", "250,0,266,256", "--distribute", "hash", "--distribute-by", "parent:5", "--if-exists", "append", "--on-conflict", "skip")...)
	if sum.RowsSkipped != 6*256 {
		t.Errorf("%d rows were skipped, want %d", sum.RowsSkipped, 6*256)
	}
	c.checkSpread("grid", "parent", 8, 266*256)

	// Another table, colocated with it.
	mustCLI(t, c.dsn, c.load("other", append(boxes(128, 64), "--distribute", "hash", "--distribute-by", "parent:5", "--colocate-with", "grid")...)...)
	if n := c.tasks("select count(*) from " + c.name("other") + " join " + c.name("grid") + " using (parent, cell_id)"); n != 8 {
		t.Errorf("the join of both tables has %d tasks, want 8", n)
	}
}

// explain returns a plan as text.
func (c cluster) explain(sql string) string {
	c.t.Helper()
	rows, err := c.pool.Query(context.Background(), sql)
	if err != nil {
		c.t.Fatal(err)
	}

	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		c.t.Fatalf("%s: %v", sql, err)
	}

	return strings.Join(lines, "\n")
}

// tasks returns how many shards a query uses.
func (c cluster) tasks(sql string) int {
	c.t.Helper()
	plan := c.explain("explain " + sql)
	found := regexp.MustCompile(`Task Count: ([0-9]+)`).FindStringSubmatch(plan)
	if found == nil {
		c.t.Fatalf("no count of tasks in\n%s", plan)
	}

	n, _ := strconv.Atoi(found[1])

	return n
}

func pgArray(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = fmt.Sprint(id)
	}

	return "{" + strings.Join(texts, ",") + "}"
}

func testDistributedUnlogged(t *testing.T, c cluster) {
	mustCLI(t, c.dsn, c.load("grid", append(boxes(100, 50), "--distribute", "hash:4", "--unlogged", "--index", "both", "--set", "year:integer=2026")...)...)
	if n := c.onShards("grid", "select count(*) from pg_class where oid = '%s'::regclass and relpersistence = 'u'"); n != 4 {
		t.Errorf("%d of 4 shards are unlogged", n)
	}
	if n := c.onShards("grid", "select count(*) from pg_index where indrelid = '%s'::regclass and indisvalid"); n != 12 {
		t.Errorf("the shards have %d indexes, want 12", n)
	}
}

func testDistributedPreview(t *testing.T, c cluster) {
	mustCLI(t, c.dsn, c.load("grid", append(boxes(400, 300), "--distribute", "hash:4")...)...)
	mustCLI(t, c.dsn, c.load("families", append(boxes(400, 300), "--distribute", "hash:4", "--distribute-by", "parent:4")...)...)

	for _, table := range []string{"grid", "families"} {
		out := filepath.Join(t.TempDir(), table+".svg")
		r := cli(t, c.dsn, "preview", "--table", c.schema+"."+table, "--out", out)
		found := regexp.MustCompile(`^([0-9,]+) of (?:about )?([0-9,]+) rows`).FindStringSubmatch(r.stdout)
		if r.code != 0 || found == nil {
			t.Fatalf("preview: exit code %d, %s%s", r.code, r.stdout, r.stderr)
		}

		number := func(s string) int { n, _ := strconv.Atoi(strings.ReplaceAll(s, ",", "")); return n }
		if drawn, all := number(found[1]), number(found[2]); drawn < 10_000 || drawn > 60_000 || all < 110_000 || all > 130_000 {
			t.Errorf("%s: %s", table, r.stdout)
		}
	}

	plan := mustCLI(t, c.dsn, "plan", "--table", c.schema+".grid", "--ledger-schema", c.schema, "--cell-size", "1", "--extent", "400,0,500,300", "--if-exists", "append", "--distribute", "hash")
	if !strings.Contains(plan, "nodes ") || !regexp.MustCompile(`(?m)^shards +4, each of about 7,500 rows$`).MatchString(plan) ||
		!regexp.MustCompile(`(?m)^grid_geom_idx +gist \(geom\) +[0-9.]+ MB +1[0-9]{2},[0-9]{3} `).MatchString(plan) {
		t.Errorf("plan with a server:\n%s", plan)
	}
}

func testDistributedRefused(t *testing.T, c cluster) {
	mustCLI(t, c.dsn, c.load("spread", append(boxes(30, 20), "--distribute", "hash:4")...)...)
	mustCLI(t, c.dsn, c.load("plain", boxes(30, 20)...)...)
	runs := c.states()

	replace := func(table string, args ...string) []string {
		return c.load(table, append(boxes(20, 20), append([]string{"--if-exists", "replace"}, args...)...)...)
	}
	strip := func(table string, args ...string) []string {
		return c.load(table, append([]string{"--cell-size", "1", "--extent", "30,0,40,20", "--if-exists", "append"}, args...)...)
	}

	for name, tt := range map[string]struct {
		args  []string
		words string
	}{
		"replaced by a table of the coordinator": {replace("spread"), "choose distribute hash"},
		"plain, filled from shards":              {replace("plain", "--publish", "truncate", "--distribute", "hash"), "is not distributed"},
		"plain, added to from shards":            {strip("plain", "--distribute", "hash"), "is not distributed"},
		"added to with other shards":             {strip("spread", "--distribute", "hash:5"), "has 4 shards"},
		"colocated with a plain table":           {replace("spread", "--distribute", "hash", "--colocate-with", c.schema+".plain"), "not distributed"},
		"colocated with a missing table":         {replace("spread", "--distribute", "hash", "--colocate-with", "nothing"), "does not exist"},
	} {
		r := cli(t, c.dsn, tt.args...)
		if r.code != 2 || !strings.Contains(r.stderr, tt.words) {
			t.Errorf("%s: exit code %d, want 2 with %q: %s", name, r.code, tt.words, r.stderr)
		}
	}

	if now := c.states(); now != runs {
		t.Errorf("the ledger has %s, had %s", now, runs)
	}
	c.checkSpread("spread", "cell_id", 4, 600)
}

// If a reader connected to a worker holds the table, publish steps back, so that readers of the
// coordinator do not wait until that reader is done.
func testDistributedReaders(t *testing.T, c cluster) {
	mustCLI(t, c.dsn, c.load("grid", append(boxes(30, 20), "--distribute", "hash:4", "--keep", "1", "--if-exists", "replace")...)...)

	read := "select pg_advisory_lock_shared(4711), count(*) from " + c.name("grid") // waits on the worker, with the table's lock
	keeper, reader := c.connect(), c.connect()
	onWorkers := func(sql string) int64 {
		return queryOne[int64](t, c.pool, "select coalesce(sum(result::bigint) filter (where success), 0)::bigint from run_command_on_workers($1)", sql)
	}

	// On each worker, the keeper's session holds the advisory lock until the test ends it.
	held := make(chan error, 1)
	go func() {
		_, err := keeper.Exec(context.Background(), "select run_command_on_workers('select pg_advisory_lock(4711), pg_sleep(600)')")
		held <- err
	}()
	c.waitFor("the workers to hold a lock", "select (select sum(result::bigint) from run_command_on_workers('select count(*) from pg_locks where locktype = ''advisory'' and objid = 4711 and granted')) >= $1", c.nodes)

	done := make(chan error, 1)
	go func() {
		_, err := reader.Exec(context.Background(), "select run_command_on_workers($1)", read)
		done <- err
	}()
	c.waitFor("readers on the workers", "select (select sum(result::bigint) from run_command_on_workers('select count(*) from pg_locks where locktype = ''advisory'' and objid = 4711 and not granted')) >= $1", c.nodes)

	p := start(t, c.dsn, c.load("grid", append(boxes(40, 20), "--distribute", "hash", "--keep", "1", "--if-exists", "replace")...)...)
	p.waitForOutput("doing=publish", 1)
	if n := queryOne[int64](t, c.pool, "select count(*) from "+c.name("grid")); n != 600 {
		t.Errorf("readers of the coordinator see %d rows, want the 600 from before", n)
	}

	onWorkers("select count(pg_terminate_backend(pid)) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()")
	<-held
	<-done
	if r := p.wait(); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	c.checkSpread("grid", "cell_id", 4, 800)
	if c.retries() == 0 {
		t.Error("publish did not step back")
	}
}
