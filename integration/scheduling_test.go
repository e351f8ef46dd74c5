package integration

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

const scheduling = "../docs/scheduling.md"

// documented returns the blocks of docs/scheduling.md in one language under a heading.
func documented(t *testing.T, language, heading string) []mdblocks.Block {
	t.Helper()
	blocks, err := mdblocks.Read(scheduling)
	if err != nil {
		t.Fatal(err)
	}

	var found []mdblocks.Block
	for _, b := range blocks {
		if b.Language == language && b.Heading == heading {
			found = append(found, b)
		}
	}

	return found
}

// documentedDatabase has what the examples of the document find: a schema, districts,
// points.
func documentedDatabase(t *testing.T) sandbox {
	t.Helper()
	t.Parallel()
	s := sandboxIn(t, pgtest.Database(t), "grids")
	s.exec("create schema grids")
	s.exec(`create table public.districts as select st_makeenvelope(4321000, 3210000, 4341000, 3220000, 3035) as geom;
		create table public.shops as select st_setsrid(st_makepoint(4321000 + 500 * i, 3210000 + 500 * j), 3035) as geom
		from generate_series(1, 39) i, generate_series(1, 19) j`)
	return s
}

// The queries on the ledger say what was loaded, failed, and is at work.
func TestTheDocumentedQueries(t *testing.T) {
	s := documentedDatabase(t)
	good := []string{"load", "--table", "grids.good", "--cell-size", "1", "--cols", "30", "--rows", "10"}
	cli(t, s.dsn, appendArgs(good, "--after", "select 1/0")...).expect(t, 4, "22012")
	mustCLI(t, s.dsn, good...) // what went wrong before it is over
	cli(t, s.dsn, "load", "--table", "grids.bad", "--cell-size", "1", "--cols", "30", "--rows", "10", "--after", "select 1/0").expect(t, 4, "22012")
	s.exec("update loadgrid.attempts set ended_at = null, outcome = null where run_id = 2; update loadgrid.attempts set outcome = 'failed' where run_id = 2 and no > 1")
	cli(t, s.dsn, "load", "--table", "grids.bad", "--cell-size", "1", "--cols", "30", "--rows", "10", "--after", "select 1/0").expect(t, 4, "22012")

	queries := documented(t, "sql", "The ledger")
	if len(queries) != 3 {
		t.Fatalf("%d queries seen, want 3", len(queries))
	}

	for i, want := range [][]string{
		{"grids.bad grids bad <nil> TIME ", "grids.good grids good TIME <nil> <nil>"},
		{"TIME grids.good failed", "TIME grids.good published NUMBER", "TIME grids.bad <nil>", "TIME grids.bad failed"},
		{"2 grids bad 1 TIME "},
	} {
		got := s.lines(queries[i])
		if len(got) != len(want) {
			t.Errorf("%s: %d rows, want %d: %q", queries[i].Name(), len(got), len(want), got)
			continue
		}

		for j := range want {
			if !strings.HasPrefix(got[j], want[j]) {
				t.Errorf("%s: row %d is %q, want %q", queries[i].Name(), j+1, got[j], want[j])
			}
		}
	}

	// Who is alive has a backend, and who was killed has none.
	p := start(t, s.dsn, "load", "--table", "grids.alive", "--cell-size", "1", "--cols", "30", "--rows", "10", "--after", "select pg_sleep(600)", "--after-timeout", "1h")
	s.waitFor("the query to tell who is alive", "select coalesce(string_agg(table_name || ' ' || coalesce(a.state, 'killed'), ', ' order by run), '') = 'bad killed, alive active' from ("+
		strings.TrimSuffix(strings.TrimSpace(queries[2].Text), ";")+") q left join pg_stat_activity a on a.pid = q.backend")
	_ = p.cmd.Process.Signal(interrupt)
	p.wait().expect(t, 130)
}

// lines runs a query, and returns its rows with what differs from time to time left out.
func (s sandbox) lines(b mdblocks.Block) (lines []string) {
	s.t.Helper()
	rows, err := s.pool.Query(context.Background(), `select (select string_agg(case
			when value is null then '<nil>'
			when key in ('started_at', 'last_success', 'last_failure') then 'TIME'
			when key in ('seconds', 'rows_per_second') then 'NUMBER'
			else value end, ' ' order by n) from json_each_text(row_to_json(q)) with ordinality as e (key, value, n))
		from (`+strings.TrimSuffix(strings.TrimSpace(b.Text), ";")+") q")
	if err != nil {
		s.t.Fatalf("%s: %v", b.Name(), err)
	}
	defer rows.Close()

	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			s.t.Fatalf("%s: %v", b.Name(), err)
		}
		lines = append(lines, line)
	}

	if err := rows.Err(); err != nil {
		s.t.Fatalf("%s: %v", b.Name(), err)
	}
	return lines
}

// The recipes for before and after do what is said of them, on two nights, the second
// of which has other points.
func TestTheDocumentedSteps(t *testing.T) {
	s := documentedDatabase(t)
	recipes := documented(t, "yaml", "before and after")
	if len(recipes) != 3 {
		t.Fatalf("%d recipes seen, want 3", len(recipes))
	}

	file := filepath.Join(t.TempDir(), "job.yaml")
	for _, night := range []string{"first", "second"} {
		for _, r := range recipes {
			if err := os.WriteFile(file, []byte(r.Text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := cli(t, s.dsn, "load", "--job", file); got.code != 0 {
				t.Fatalf("%s night, %s: exit code %d: %s", night, r.Name(), got.code, got.stderr)
			}
		}

		for query, want := range map[string]int64{
			"select count(*) from grids.shops_1km where st_within(geom, (select geom from districts))":                                                      200,
			"select count(*) from grids.shops_count":                                                                                                        200,
			"select sum(n) from grids.shops_count":                                                                                                          queryOne[int64](t, s.pool, "select count(*) from shops"),
			"select count(*) from pg_index where indrelid = 'grids.europe_10km'::regclass and array_length(indkey::int2[], 1) = 2":                          1,
			"select count(*) from information_schema.role_table_grants where table_name = 'europe_10km' and grantee = 'PUBLIC'":                             1,
			"select count(*) from grids.europe_10km where obj_description('grids.europe_10km'::regclass) = 'cells of 10 km, made every night' and col = 90": 460,
			"select sum(cells)::bigint from grids.overview_rows":                                                                                            65 * 46,
		} {
			if n := queryOne[int64](t, s.pool, query); n != want {
				t.Errorf("%s night: %s: %d, want %d", night, query, n, want)
			}
		}

		s.exec("delete from shops where st_x(geom) = 4321500")
		s.exec("insert into shops select st_setsrid(st_makepoint(4321500, 3210500 + j * 1000), 3035) from generate_series(0, 9) j")
	}
}
