package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

// shards are the servers of docs/fdw.md, with the code blocks of that page.
type shards struct {
	t      *testing.T
	hub    sandbox
	dsn    [2]string
	blocks map[string][]mdblocks.Block // by heading
	used   map[string]bool
}

// newShards starts two servers in addition to the shared one, which has the hub.
func newShards(t *testing.T) *shards {
	t.Helper()
	t.Parallel()
	blocks, err := mdblocks.Read("../docs/fdw.md")
	if err != nil {
		t.Fatal(err)
	}

	s := &shards{t: t, hub: sandboxIn(t, pgtest.Database(t), "public"), blocks: make(map[string][]mdblocks.Block), used: make(map[string]bool)}
	for _, b := range blocks {
		s.blocks[b.Heading] = append(s.blocks[b.Heading], b)
	}

	setup, password := s.block("Set up the hub"), newPassword()
	for i := range s.dsn {
		server := pgtest.NewServer(t, nil)
		s.dsn[i] = server.DSN()
		s.onShard(i, "create role reader login password '"+password+"'; grant usage on schema public to reader")

		host, port := server.Peer()
		setup = replaceOnce(t, setup, fmt.Sprintf("host 'shard-%d.example.org', port '5432', dbname 'gis'", i+1),
			fmt.Sprintf("host '%s', port '%d', dbname '%s'", host, port, queryOne[string](t, openPool(t, s.dsn[i], nil), "select current_database()")))
	}
	s.onHub(strings.ReplaceAll(setup, "'PASSWORD'", "'"+password+"'"))

	return s
}

// block returns the text of the only block under a heading.
func (s *shards) block(heading string) string {
	s.t.Helper()
	if len(s.blocks[heading]) != 1 {
		s.t.Fatalf("%d blocks under %q, want 1", len(s.blocks[heading]), heading)
	}
	s.used[heading] = true
	return s.blocks[heading][0].Text
}

// onHub runs statements on the hub, as psql does.
func (s *shards) onHub(sql string) {
	s.t.Helper()
	s.run(s.hub.dsn, sql)
}

func (s *shards) onShard(i int, sql string) {
	s.t.Helper()
	s.run(s.dsn[i], sql)
}

func (s *shards) run(dsn, sql string) {
	s.t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = "psql" // other tests look for passwords in loadgrid's sessions

	conn, err := pgx.ConnectConfig(s.t.Context(), config)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()

	if _, err := conn.Exec(s.t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// load runs the page's commands for a version.
func (s *shards) load(version string) {
	s.t.Helper()
	bin := s.t.TempDir()
	if err := os.Symlink(os.Getenv(binaryVariable), filepath.Join(bin, "loadgrid")); err != nil {
		s.t.Fatal(err)
	}

	cmd := exec.CommandContext(s.t.Context(), "/bin/sh", "-c", replaceOnce(s.t, s.block("Load the shards"), "version=1\n", "version="+version+"\n"))
	cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin", "HOME=" + s.t.TempDir(), "SHARD_1=" + s.dsn[0], "SHARD_2=" + s.dsn[1]}
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("loading version %s: %v\n%s", version, err, out)
	}
}

// explain returns the plan of a query on the hub.
func (s *shards) explain(conn *pgx.Conn, query string) string {
	s.t.Helper()
	rows, err := conn.Query(s.t.Context(), "explain (verbose, costs off) "+query)
	if err != nil {
		s.t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return strings.Join(lines, "\n")
}

// remote returns the statements that a plan sends to the shards.
func remote(plan string) (statements []string) {
	for _, m := range regexp.MustCompile(`(?m)Remote SQL: (.*)$`).FindAllStringSubmatch(plan, -1) {
		statements = append(statements, m[1])
	}
	return statements
}

// What docs/fdw.md says about shards is true.
func TestShardsByHand(t *testing.T) {
	s := newShards(t)
	s.load("1")
	s.onHub(s.block("Show the first version"))
	s.checkVersion(1)
	s.checkPushedDown()

	s.load("2")
	s.load("2") // skips what is done
	s.checkSwitch(s.block("Show a new version"))
	s.checkVersion(2)

	for i := range s.dsn {
		s.onShard(i, s.block("Drop the old version"))
	}
	if queryOne[int](t, s.hub.pool, "select current_setting('server_version_num')::integer") >= 140000 {
		s.onHub(s.block("Ask the shards at the same time"))
		if plan := s.explain(s.hub.connect(), "select cell_id from grid"); strings.Count(plan, "Async Foreign Scan") != 2 {
			t.Errorf("the shards do not run the query at the same time:\n%s", plan)
		}
	}
	s.used["Ask the shards at the same time"] = true
	s.checkVersion(2)

	for heading, blocks := range s.blocks {
		if !s.used[heading] {
			t.Errorf("%s is not tested", blocks[0].Name())
		}
	}
}

// checkVersion compares the hub's table with the tables of both shards and with the grid.
func (s *shards) checkVersion(version int) {
	s.t.Helper()
	var onShards int64
	for i := range s.dsn {
		n := queryOne[int64](s.t, openPool(s.t, s.dsn[i], nil), fmt.Sprintf("select count(*) from public.grid_v%d where col between %d and %d", version, 4000+50*i, 4049+50*i))
		if n != 50*50 {
			s.t.Errorf("shard %d has %d of its rows", i+1, n)
		}
		onShards += n
	}

	for query, want := range map[string]int64{
		"select count(*) from grid":                    onShards,
		"select count(distinct cell_id) from grid":     onShards,
		"select count(*) from grid where version = $1": onShards,
		"select count(*) from grid where $1 > 0 and geom && st_makeenvelope(4045500, 3010500, 4054500, 3019500, 3035)":                    100,
		"select count(*) from grid g where $1 > 0 and st_xmin(g.geom) = 1000 * g.col and st_ymin(g.geom) = 1000 * g.row":                  onShards,
		"select count(*) from pg_class c join pg_inherits i on i.inhrelid = c.oid where c.relkind = 'f' and inhparent = 'grid'::regclass": 2,
	} {
		var args []any
		if strings.Contains(query, "$1") {
			args = append(args, version)
		}
		if got := queryOne[int64](s.t, s.hub.pool, query, args...); got != want {
			s.t.Errorf("%d, want %d: %s", got, want, query)
		}
	}
}

// checkPushedDown checks the plans of the page's queries and of the queries that its text mentions.
func (s *shards) checkPushedDown() {
	s.t.Helper()
	const heading = "What is pushed down"
	s.used[heading] = true
	if len(s.blocks[heading]) != 3 {
		s.t.Fatalf("%d blocks under %q, want 3", len(s.blocks[heading]), heading)
	}

	conn := s.hub.connect()
	statements := func(i int) []string {
		return strings.Split(strings.TrimSuffix(strings.TrimSpace(s.blocks[heading][i].Text), ";"), ";\n")
	}
	check := func(query string, shards int, words ...string) {
		s.t.Helper()
		plan := s.explain(conn, query)
		if n := len(remote(plan)); n != shards {
			s.t.Errorf("the query uses %d shards, want %d: %s\n%s", n, shards, query, plan)
		}
		for _, sql := range remote(plan) {
			for _, w := range words {
				if !strings.Contains(sql, w) {
					s.t.Errorf("the statements for the shards lack %q: %s\n%s", w, query, sql)
				}
			}
		}
	}

	windows := statements(0)
	check(windows[0], 2, "&&")
	check(windows[1], 2, "st_intersects(")
	check(statements(1)[0], 1, "&&", "col >= 4010")

	// The hub counts by itself if the count has no group by, even on one shard.
	for _, query := range []string{"select count(*) from grid", "select count(*) from grid where col < 4050"} {
		if plan := s.explain(conn, query); !strings.Contains(plan, "Aggregate") || strings.Contains(strings.Join(remote(plan), " "), "count(*)") {
			s.t.Errorf("the shards count: %s\n%s", query, plan)
		}
	}

	grouped := statements(2)
	if _, err := conn.Exec(s.t.Context(), grouped[0]); err != nil {
		s.t.Fatal(err)
	}
	check(grouped[1], 2, "&&", "count(*)", "GROUP BY")

	// PostgreSQL prefers to sort a small table on the hub.
	if _, err := conn.Exec(s.t.Context(), "set enable_sort = off"); err != nil {
		s.t.Fatal(err)
	}
	check("select cell_id from grid order by geom <-> st_setsrid(st_makepoint(4050500, 3010500), 3035) limit 3", 2, "ORDER BY", "<->")
}

// checkSwitch reads continuously while the partitions are exchanged: each read sees one version of all
// shards.
func (s *shards) checkSwitch(sql string) {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	defer stop()

	var readers sync.WaitGroup
	var mu sync.Mutex
	seen, failed := make(map[[3]int64]int), error(nil)
	for range 3 {
		conn := s.hub.connect()
		readers.Go(func() {
			for ctx.Err() == nil {
				var got [3]int64
				err := conn.QueryRow(s.t.Context(), "select count(*), min(version), max(version) from grid").Scan(&got[0], &got[1], &got[2])

				mu.Lock()
				seen[got]++
				if err != nil {
					failed = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}

	haveRead := func(version int64) bool {
		mu.Lock()
		defer mu.Unlock()
		return failed != nil || seen[[3]int64{5000, version, version}] >= 20
	}
	s.waitUntil(func() bool { return haveRead(1) })
	s.onHub(sql)
	s.waitUntil(func() bool { return haveRead(2) })
	stop()
	readers.Wait()

	if failed != nil || len(seen) != 2 {
		s.t.Errorf("readers saw rows, lowest and highest version %v (%v)", seen, failed)
	}
}

// waitUntil waits until the readers have seen something, or until one has failed.
func (s *shards) waitUntil(done func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatal("waited five minutes for readers")
		}
	}
}
