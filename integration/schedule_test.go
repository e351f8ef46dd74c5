package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const nights = 30

// nightly is a job that a schedule starts each night, and the machine that runs it.
type nightly struct {
	sandbox
	job    string // the job file
	places []string
	kills  int
	dead   bool // the last start was killed, and not repeated
}

// newNightly writes the job file: an area from the database, two kept versions, pruning of old runs, and
// metrics for Prometheus.
func newNightly(t *testing.T, layout string, places []string) *nightly {
	t.Helper()
	n := &nightly{sandbox: newDatabaseSandbox(t), job: filepath.Join(t.TempDir(), "nightly.yaml"), places: places}
	n.exec("create table area as select 0 as night, st_makeenvelope(0, 0, 1, 1) as geom")
	n.exec("create table seen (night int, cells bigint)")

	job := `
name: nightly
table: public.grid
ledger-schema: public
cell-size: 1
aoi-sql: select geom from public.area
coverage: true
if-exists: replace
keep: 2
prune-runs: 5d
metrics-textfile: nightly.prom
after: |
  insert into public.seen select (select night from public.area), count(*) from {{table}};
` + layout + "\n"
	if err := os.WriteFile(n.job, []byte(job), 0o600); err != nil {
		t.Fatal(err)
	}

	return n
}

// nextDay changes the area and makes everything in the ledger a day older.
func (n *nightly) nextDay(night int) {
	n.t.Helper()
	n.exec("update area set night = $1, geom = st_buffer(st_makepoint(30 + $1, 25), 20 + $1 % 5)", night)
	for table, columns := range map[string][]string{"runs": {"started_at", "finished_at"}, "attempts": {"started_at", "ended_at"}} {
		if !queryOne[bool](n.t, n.pool, "select to_regclass($1) is not null", n.name(table)) {
			continue
		}
		for _, c := range columns {
			n.exec("update " + n.name(table) + " set " + c + " = " + c + " - interval '1 day'")
		}
	}
}

// killedStart starts the job and kills it at one of its places.
func (n *nightly) killedStart() {
	n.t.Helper()
	at := places()[n.places[n.kills%len(n.places)]]
	n.kills++
	b := n.newPausepoint()
	at.prepare(b, 500)
	p := start(n.t, n.dsn, "load", "--job", n.job)
	at.waitUntilReached(b)
	_ = p.cmd.Process.Kill()
	p.wait()
	b.remove()
}

// runNight runs the job. Every fourth night it is killed. Then the schedule either tries again, or waits
// until the next night, when the job differs.
func (n *nightly) runNight(night int) {
	n.t.Helper()
	n.nextDay(night)
	if night%4 == 0 {
		n.killedStart()
		if n.dead = night%8 == 0; n.dead {
			return
		}
	}

	r := cli(n.t, n.dsn, "load", "--job", n.job)
	if r.code != 0 {
		n.t.Fatalf("night %d: exit code %d: %s", night, r.code, r.stderr)
	}

	if n.dead && strings.Contains(r.stderr, "dropping an unfinished run: the job has changed since") == n.killedBeforeRun() {
		n.t.Errorf("night %d, after a killed start: %s", night, r.stderr)
	}
	n.dead = false
	want := queryOne[int64](n.t, n.pool, "select count(*) from area, st_squaregrid(1, st_expand(geom, 2)) g where st_intersects(g.geom, area.geom)")
	n.checkCells("grid", want)
	if got := queryOne[string](n.t, n.pool, "select cells || ' in night ' || night from seen order by night desc limit 1"); got != fmt.Sprintf("%d in night %d", want, night) {
		n.t.Errorf("night %d: the step after the load saw %s, want %d", night, got, want)
	}
}

// killedBeforeRun reports whether the start was killed before it began a run, so that it left nothing to
// drop.
func (n *nightly) killedBeforeRun() bool { return n.places[(n.kills-1)%len(n.places)] == "begin" }

// leftovers describes what exists in the database and in the job's directory: relations by kind with
// their catalogue entries, rows of the ledger, and files.
func (n *nightly) leftovers() (relations, files string, rows int64) {
	n.t.Helper()
	relations = queryOne[string](n.t, n.pool, `select string_agg(k || ' ' || c, ', ' order by k) from (
		select relkind::text as k, count(*) as c from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'i', 'I') group by 1
		union all select 'types', count(*) from pg_type union all select 'constraints', count(*) from pg_constraint
		union all select 'columns', count(*) from pg_attribute union all select 'dependencies', count(*) from pg_depend
		union all select 'comments', count(*) from pg_description union all select 'functions', count(*) from pg_proc) k`)

	entries, err := os.ReadDir(filepath.Dir(n.job))
	if err != nil {
		n.t.Fatal(err)
	}

	for _, e := range entries {
		files += e.Name() + " "
	}
	rows = queryOne[int64](n.t, n.pool, "select (select count(*) from runs) + (select count(*) from chunks) + (select count(*) from attempts)")
	return relations, files, rows
}

// Thirty nights in a row, with another area each night and a kill every fourth night, each time at
// another place: the table is right each morning, and nothing accumulates.
func TestThirtyNights(t *testing.T) {
	for name, c := range map[string]struct {
		layout string
		places []string
	}{
		"plain, in chunks": {"chunk-rows: 300", []string{"load", "index", "begin", "publish", "freeze", "key", "analyze"}},
		"in partitions":    {"partitions: 3", []string{"index of a partition", "publish of partitions", "begin", "attach", "load of a partition", "index of a partition", "attach"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNightly(t, c.layout, c.places)
			for night := 1; night <= 10; night++ {
				n.runNight(night)
			}

			relations, files, _ := n.leftovers()
			sizes := "select sum(pg_total_relation_size(oid))::bigint from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'spatial_ref_sys'"
			size := queryOne[int64](t, n.pool, sizes)
			most := int64(0)

			for night := 11; night <= nights; night++ {
				n.runNight(night)
				_, _, rows := n.leftovers()
				most = max(most, rows)
			}

			if n.kills != nights/4 {
				t.Errorf("%d starts were killed", n.kills)
			}
			r, f, _ := n.leftovers()
			if r != relations || f != files || files != "nightly.prom nightly.yaml " {
				t.Errorf("after 10 nights there were %s and %s, after %d nights %s and %s", relations, files, nights, r, f)
			}

			// Five days of runs, with up to two starts each and their chunks, and the rows of the kept
			// versions.
			if limit := int64(10 * (1 + 2 + 10)); most > limit {
				t.Errorf("the ledger had up to %d rows, more than %d", most, limit)
			}

			// Night 30 has the area of night 10.
			if now := queryOne[int64](t, n.pool, sizes); now > size+1<<20 {
				t.Errorf("all tables together have grown from %d to %d bytes", size, now)
			}
			if got := queryOne[int64](t, n.pool, "select count(*) from runs where kept_name is not null"); got != 2 {
				t.Errorf("%d versions are kept", got)
			}

			kept := queryOne[string](t, n.pool, "select string_agg(kept_name, ' ' order by id) from runs where kept_name is not null")
			for name := range strings.FieldsSeq(kept) {
				if n := queryOne[int64](t, n.pool, "select count(*) from "+n.name(name)); n < 500 {
					t.Errorf("version %s has %d rows", name, n)
				}
			}

			n.checkNothingLeft()
			n.checkNoSessions("grid")
			n.checkMetrics()
		})
	}
}

// Ten starts of the same job at once: one runs, and the others end with code 3 or wait for their turn.
// The table has one complete version.
func TestTenStartsAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		extra []string
		runs  int64 // how many starts may load
	}{
		"leave":                 {nil, 1},
		"wait":                  {[]string{"--wait", "2m"}, 10},
		"wait, skip what is up": {[]string{"--wait", "2m", "--skip-unchanged"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			mustCLI(t, s.dsn, s.load("grid", appendArgs(boxes(10, 10), "--if-exists", "replace")...)...)
			b := s.pauseAtChunk(3)
			args := s.load("grid", appendArgs(appendArgs(smallGrid(), "--if-exists", "replace", "--log-format", "json"), c.extra...)...)
			var all []*process
			for range 10 {
				all = append(all, start(t, s.dsn, args...))
			}

			b.waitUntilReached()
			codes := map[int]int{}
			for left, deadline := 0, time.Now().Add(time.Minute); c.extra == nil && left < 9; time.Sleep(10 * time.Millisecond) {
				if left = 0; time.Now().After(deadline) {
					t.Fatal("the other nine starts did not end")
				}
				for _, p := range all {
					if strings.Contains(p.stderr.String(), "another run holds table") {
						left++
					}
				}
			}

			for _, p := range all {
				if c.extra != nil && !strings.Contains(p.stderr.String(), "chunk is committed") {
					p.waitForOutput("waiting for another run", 1)
				}
			}

			b.remove()
			unchanged := 0
			for _, p := range all {
				r := p.wait()
				codes[r.code]++
				if r.code == 0 && r.summary(t).Unchanged {
					unchanged++
				}
				if r.code == 3 {
					r.expect(t, 3, "another run holds table")
				}
			}

			want := map[int]int{0: 10}
			if c.extra == nil {
				want = map[int]int{0: 1, 3: 9}
			}
			if fmt.Sprint(codes) != fmt.Sprint(want) || int64(10-unchanged) != c.runs && c.extra != nil {
				t.Errorf("exit codes %v, want %v; %d found nothing to do", codes, want, unchanged)
			}
			if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")+" where state = 'published'"); n != 1+c.runs {
				t.Errorf("%d runs are published, want %d", n, 1+c.runs)
			}
			if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")+" where shown"); n != 1 {
				t.Errorf("%d versions are shown", n)
			}

			s.checkBoxes("grid", smallCols, smallRows)
			s.checkNoSessions("grid")
		})
	}
}

// A waiting start gives up at its limit, or when it is stopped.
func TestWaitEnds(t *testing.T) {
	s := newSandbox(t)
	b := s.pauseAtChunk(1)
	p := start(t, s.dsn, s.load("grid", smallGrid()...)...)
	b.waitUntilReached()
	cli(t, s.dsn, s.load("grid", appendArgs(smallGrid(), "--wait", "1500ms")...)...).expect(t, 3, "another run holds table")
	waiting := start(t, s.dsn, s.load("grid", appendArgs(smallGrid(), "--wait", "1h")...)...)
	waiting.waitForOutput("waiting for another run", 1)
	_ = waiting.cmd.Process.Signal(interrupt)
	waiting.wait().expect(t, 130, "stopped by SIGINT")
	metrics := filepath.Join(t.TempDir(), "loadgrid.prom")
	began := time.Now()
	waiting = start(t, s.dsn, s.load("grid", appendArgs(smallGrid(), "--wait", "1h", "--if-exists", "replace", "--skip-unchanged", "--progress", "json", "--metrics-textfile", metrics)...)...)
	waiting.waitForOutput("waiting for another run", 1)
	b.remove()
	p.wait().expect(t, 0)
	r := waiting.wait()
	if r.code != 0 {
		t.Fatal(r.stderr)
	}

	// The summary reports the wait, which does not count as part of the run's duration.
	all, sum := time.Since(began).Seconds(), r.summary(t)
	found := metricsIn(t, metrics, s.schema+".grid")
	waited, took := found["loadgrid_last_run_stage_seconds wait"], found["loadgrid_last_run_duration_seconds"]
	if sum.WaitSeconds <= 0 || sum.WaitSeconds+sum.Seconds > all || waited != sum.WaitSeconds || took <= 0 || took+waited > all {
		t.Errorf("waited %v s and took %v s, in the metrics %v and %v, of %v: %v", sum.WaitSeconds, sum.Seconds, waited, took, all, found)
	}
}

// metricsIn parses a metrics file with Prometheus's own parser. It returns the value of each series of a
// job, by its name and its other labels.
func metricsIn(t *testing.T, file, job string) map[string]float64 {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, b)
	}

	values := map[string]float64{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			labels, mine := "", false
			for _, l := range m.GetLabel() {
				switch l.GetName() {
				case "job_name":
					mine = l.GetValue() == job
				case "table":
				default:
					labels += " " + l.GetValue()
				}
			}

			if mine {
				values[name+labels] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}

	return values
}

// checkMetrics compares what Prometheus reads with the past nights.
func (n *nightly) checkMetrics() {
	n.t.Helper()
	file := filepath.Join(filepath.Dir(n.job), "nightly.prom")
	m := metricsIn(n.t, file, "nightly")
	rows := float64(queryOne[int64](n.t, n.pool, "select count(*) from grid"))

	// A killed start writes no metrics; nor does a night that was abandoned.
	for name, want := range map[string]float64{
		"loadgrid_runs_total published": nights - nights/8, "loadgrid_runs_total failed": 0, "loadgrid_last_run_success": 1,
		"loadgrid_table_rows": rows, "loadgrid_last_run_rows": rows, "loadgrid_last_run_chunks pending": 0, "loadgrid_last_run_exit_code": 0,
	} {
		if got, ok := m[name]; !ok || got != want {
			n.t.Errorf("%s is %v (%v), want %v", name, got, ok, want)
		}
	}

	for _, stage := range []string{"plan", "load", "publish"} {
		if m["loadgrid_last_run_stage_seconds "+stage] <= 0 {
			n.t.Errorf("stage %s took %v seconds", stage, m["loadgrid_last_run_stage_seconds "+stage])
		}
	}

	// Metrics distinguish failures at the server from failures without a server.
	success := m["loadgrid_last_success_timestamp_seconds"]
	for i, c := range []struct {
		dsn  string
		code float64
		more []string
	}{{n.dsn, 4, []string{"--after", "select 1 / 0"}}, {"host=127.0.0.1 port=1 sslmode=disable", 1, nil}} {
		r := cli(n.t, c.dsn, appendArgs([]string{"load", "--job", n.job}, c.more...)...)
		m := metricsIn(n.t, file, "nightly")
		if float64(r.code) != c.code || m["loadgrid_last_run_exit_code"] != c.code || m["loadgrid_last_run_success"] != 0 || m["loadgrid_runs_total failed"] != float64(i+1) ||
			m["loadgrid_last_success_timestamp_seconds"] != success || m["loadgrid_last_failure_timestamp_seconds"] <= success || m["loadgrid_table_rows"] != rows {
			n.t.Errorf("exit code %d, metrics %v", r.code, m)
		}
	}
}
