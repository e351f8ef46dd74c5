package integration

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// moment is a point in a load at which something happens to the network.
type moment struct {
	load       []string // how the rows are loaded
	partitions int64
	prepare    func(b *pausepoint)
}

// moments returns the middle of a COPY, into a plain table and into a partition, and the middle of an
// index build.
func moments() map[string]moment {
	const staged = `public.loadgrid\_staging\_%`
	const middle = 120 * 100 / 2 // a cell_id: the cells fill most of a square of 128
	return map[string]moment{
		"COPY of a chunk": {[]string{"--chunk-rows", "1000"}, 0, func(b *pausepoint) { b.atRow(staged, middle) }},
		// Not for all staging tables: the partitions would get the trigger, too.
		"COPY of a partition": {[]string{"--partitions", "4"}, 4, func(b *pausepoint) { b.atRow(staged+`\_p%`, middle) }},
		"index":               {[]string{"--chunk-rows", "1000"}, 0, func(b *pausepoint) { b.atStatement("create index%") }},
	}
}

// during starts a load and brings it to a moment. The caller lets it continue.
func (m moment) during(s sandbox) (*process, *pausepoint) {
	s.t.Helper()
	if err := loader.NewLedger(s.pool, s.schema).MigrateUp(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	b := s.newPausepoint()
	m.prepare(b)
	p := start(s.t, s.dsn, m.args(s)...)
	b.waitUntilReached()
	return p, b
}

func (m moment) args(s sandbox) []string {
	return s.load("grid", appendArgs(boxes(120, 100), m.load...)...)
}

// check checks the table of a load that has ended, and that the server keeps nothing else of the load.
func (m moment) check(s sandbox) {
	s.t.Helper()
	s.waitForEnd()
	if m.partitions == 0 {
		s.checkTable("grid", 120, 100, 0, "gist", false)
	} else {
		// Pages are not frozen: COPY inserts row by row if the table has a trigger.
		s.checkBoxes("grid", 120, 100)
		if n := queryOne[int64](s.t, s.pool, "select count(*) from pg_inherits where inhparent = $1::regclass", s.name("grid")); n != m.partitions {
			s.t.Errorf("%d partitions, want %d", n, m.partitions)
		}
	}

	if n := queryOne[int64](s.t, s.pool, "select count(*) from "+s.name("runs")); n != 1 {
		s.t.Errorf("%d runs in the ledger, want 1", n)
	}
	wrong := queryOne[int64](s.t, s.pool, "select count(*) from (select sum(c.rows) as rows, r.rows as all_rows from "+s.name("runs")+" r join "+s.name("chunks")+
		" c on c.run_id = r.id where r.state = 'published' group by r.id) l where rows <> all_rows or rows <> (select count(*) from "+s.name("grid")+")")
	if wrong != 0 {
		s.t.Error("ledger and table do not agree")
	}
	if n := queryOne[int64](s.t, s.pool, "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database()) and objsubid = 1"); n != 0 {
		s.t.Errorf("%d locks are held", n)
	}
}

// Whatever happens to the network, the load notices within a bounded time, retries until the network is
// back, and finishes.
func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	const chunk, partition, index = "COPY of a chunk", "COPY of a partition", "index"
	moments := moments()
	for name, fault := range map[string]struct {
		begin   func(*network)
		moments []string
	}{
		"reset":                {func(n *network) { n.addToxics(resetUp, resetDown) }, []string{chunk, partition}},
		"cut":                  {func(n *network) { n.stop() }, []string{chunk, index}},
		"swallowed upstream":   {func(n *network) { n.addToxics(swallowUp) }, []string{partition, index}},
		"swallowed downstream": {func(n *network) { n.addToxics(swallowDown) }, []string{chunk, index}},
	} {
		for _, when := range fault.moments {
			m := moments[when]
			t.Run(name+": "+when, func(t *testing.T) {
				s := newDatabaseSandbox(t)
				n := s.throughProxy(shortTimeouts)
				p, b := m.during(s)
				fault.begin(n)
				b.resume()
				p.waitForOutput("trying again", 1)
				n.restore()
				if r := p.wait(); r.code != 0 {
					t.Fatalf("exit code %d: %s", r.code, r.stderr)
				}
				b.remove()
				m.check(s)
			})
		}
	}
}

// The network swallows the bytes of a COPY in transit. The backend waits for them, and loadgrid ends it
// once the server can be reached again.
func TestSwallowedBytes(t *testing.T) {
	s := newSandbox(t)
	n := s.throughProxy(shortTimeouts)
	n.addToxics(`{"type": "bandwidth", "stream": "upstream", "attributes": {"rate": 100}}`)
	p := start(t, s.dsn, s.load("grid", appendArgs(boxes(120, 100), "--chunk-rows", "6000")...)...)
	s.waitFor("bytes of a COPY", "select exists (select from pg_stat_progress_copy p join pg_stat_activity a using (pid) where a.application_name = $1 and p.bytes_processed > 0)", s.application())
	n.addToxics(swallowUp)
	p.waitForOutput("trying again", 1)
	n.restore()
	if r := p.wait(); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	s.waitForEnd()
	s.checkBoxes("grid", 120, 100)
}

// A router forgets the connections. loadgrid gives them up and ends their backends, which hold the
// table's lock and rows of the ledger.
func TestForgottenConnections(t *testing.T) {
	t.Parallel()
	for when, m := range moments() {
		t.Run(when, func(t *testing.T) {
			s := newDatabaseSandbox(t)
			r := s.throughRouter(shortTimeouts)
			p, b := m.during(s)
			r.dropConnections()
			b.resume()
			if r := p.wait(); r.code != 0 || !strings.Contains(r.stderr, "stalled") {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}

			// Nobody watches idle connections: their backends would remain for as long as the router
			// answers for the client that has ended.
			r.close()
			b.remove()
			m.check(s)
		})
	}
}

// Two things are not a reason to give up: a slow network that takes many times the limit to transmit
// bytes of a COPY, and a server that is silent for as long because it is busy.
func TestNoFalseAlarm(t *testing.T) {
	t.Parallel()
	calm := func(t *testing.T, s sandbox, r result) {
		t.Helper()
		if r.code != 0 || s.retries() != 0 {
			t.Fatalf("exit code %d, tried again %d times: %s", r.code, s.retries(), r.stderr)
		}
	}

	t.Run("slow network", func(t *testing.T) {
		s := newSandbox(t)
		s.throughSlowRouter(150_000, shortTimeouts)
		began := time.Now()
		r := cli(t, s.dsn, s.load("grid", boxes(120, 100)...)...)
		calm(t, s, r)
		if took := time.Since(began); took < 6*time.Second {
			t.Fatalf("it took only %s, so this test proves nothing", took)
		}
		s.checkBoxes("grid", 120, 100)
	})

	t.Run("long build", func(t *testing.T) {
		s := newDatabaseSandbox(t)
		n := s.throughRouter(shortTimeouts)
		m := moments()["index"]
		p, b := m.during(s)
		n.waitForConnections(3) // connections that check the server
		b.resume()
		calm(t, s, p.wait())
		b.remove()
		m.check(s)
	})
}

// The answer to a COMMIT is lost and the connection stays open. The ledger shows that the commit
// happened, and nothing is copied or published twice.
func TestSwallowedAnswerToCommit(t *testing.T) {
	t.Parallel()
	for name, trigger := range map[string]string{
		"begin":   "insert on %s",
		"chunk":   "insert on %s",
		"publish": "update on %s",
		"after":   "update on %s",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.exec("create table " + s.name("log") + " (n bigint)")
			n := s.throughProxy(shortTimeouts)
			if err := loader.NewLedger(s.pool, s.schema).MigrateUp(context.Background()); err != nil {
				t.Fatal(err)
			}

			b := s.newPausepoint()
			table, when := s.name("runs"), "true"
			switch name {
			case "chunk":
				table, when = s.name("chunks"), "new.chunk_no = 3"
			case "publish", "after":
				when = "new.state = 'published'"
			}

			args := s.load("grid", appendArgs(boxes(120, 100), "--chunk-rows", "1000", "--progress", "json")...)
			if name == "after" { // the step is not run twice
				args = append(args, "--after", "insert into "+s.name("log")+" select count(*) from {{table}}")
			}

			// The step waits in the COMMIT.
			s.exec(fmt.Sprintf("create constraint trigger pausepoint after "+trigger+" deferrable initially deferred for each row when (%s) execute function %s()",
				table, when, s.name("pausepoint")))
			p := start(t, s.dsn, args...)
			b.waitUntilReached()
			n.addToxics(swallowDown)
			b.resume()
			p.waitForOutput("trying again", 1)
			n.restore()
			r := p.wait()
			if r.code != 0 {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}

			if sum := r.summary(t); sum.ChunksCopied+sum.ChunksResumed != sum.Chunks {
				t.Errorf("of %d chunks %d were copied, %d resumed", sum.Chunks, sum.ChunksCopied, sum.ChunksResumed)
			}
			if lost := strings.Contains(r.stderr, "the chunk of the lost answer was committed"); lost != (name == "chunk") {
				t.Errorf("the lost answer was that of a chunk: %v\n%s", lost, r.stderr)
			}

			b.remove()
			s.checkBoxes("grid", 120, 100)
			if runs := queryOne[int64](t, s.pool, "select count(*) from "+s.name("runs")); runs != 1 {
				t.Errorf("%d runs in the ledger, want 1", runs)
			}
			if log := queryOne[string](t, s.pool, "select coalesce(string_agg(n::text, ' '), '') from "+s.name("log")); name == "after" && log != "12000" {
				t.Errorf("the step after the load left %q", log)
			}
		})
	}
}

// A signal ends the program in time even if the network swallows everything, and the rerun finishes.
func TestSignalsWithoutANetwork(t *testing.T) {
	t.Parallel()
	for when, test := range map[string]struct {
		signal syscall.Signal
		code   int
	}{
		"COPY of a chunk":     {syscall.SIGINT, 130},
		"COPY of a partition": {syscall.SIGTERM, 143},
		"index":               {syscall.SIGINT, 130},
	} {
		m := moments()[when]
		t.Run(when, func(t *testing.T) {
			s := newDatabaseSandbox(t)
			// The usual limits; none of them takes effect here.
			n := s.throughProxy(func(url.Values) {})
			p, b := m.during(s)
			n.addToxics(swallowUp, swallowDown)
			sent := time.Now()
			_ = p.cmd.Process.Signal(test.signal)
			p.wait().expect(t, test.code, "stopped by")

			if took := time.Since(sent); took > stopWithin {
				t.Errorf("it took %s to stop", took)
			} else {
				t.Logf("it took %s to stop", took)
			}

			n.restore()
			b.remove()
			mustCLI(t, s.dsn, m.args(s)...)
			m.check(s)
		})
	}
}

// A server that is paused for longer than the limit, and a server that returns on another port behind the
// same address.
func TestServerPausedAndMoved(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, nil)
	for name, trouble := range map[string]func(*process, sandbox, *network, *pausepoint){
		"paused": func(p *process, _ sandbox, _ *network, _ *pausepoint) {
			server.Pause()
			p.waitForOutput("trying again", 1)
			server.Resume()
		},
		"moved": func(p *process, s sandbox, n *network, _ *pausepoint) {
			server.Kill()
			p.waitForOutput("trying again", 1)
			server.Start()
			// loadgrid sees the same address; another port is behind it.
			port := newProxy(s.t, n.proxy.Upstream).Listen
			if err := n.proxy.Update(&toxiproxy.Proxy{Listen: n.proxy.Listen, Upstream: port, Enabled: true}); err != nil {
				s.t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := moments()["COPY of a chunk"]
			s := sandboxIn(t, server.Database(t), "public")
			n := s.throughProxy(shortTimeouts)
			p, b := m.during(s)
			trouble(p, s, n, b)
			if name == "paused" {
				b.resume()
			}
			if r := p.wait(); r.code != 0 {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}

			if name == "paused" {
				b.remove()
			}
			m.check(s)
		})
	}
}

// libpq's keepalives concern the client's side. The server watches the connection in the same way, unless
// the user has set this.
func TestKeepAliveOfTheServer(t *testing.T) {
	s := newSandbox(t)
	for name, test := range map[string]struct {
		set  func(url.Values)
		want string
	}{
		"as it is":        {func(q url.Values) { q.Set("keepalives_idle", "77"); q.Set("tcp_user_timeout", "5000") }, "30 10 3 60000"},
		"set by somebody": {func(q url.Values) { q.Set("tcp_keepalives_idle", "600") }, "600 10 3 60000"},
	} {
		t.Run(name, func(t *testing.T) {
			pool, err := loader.Open(t.Context(), changeDSN(t, s.dsn, func(_ *url.URL, q url.Values) { test.set(q) }), 1)
			if err != nil {
				t.Fatal(err)
			}
			defer loader.Close(pool)
			got := queryOne[string](t, pool, `select string_agg(setting, ' ' order by array_position(array['tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count'], name))
				from pg_settings where name like 'tcp\_keepalives%' or name = 'tcp_user_timeout'`)
			if got != test.want {
				t.Errorf("idle, interval, count and user timeout are %s, want %s", got, test.want)
			}
		})
	}
}

// A connection that other code makes from a pool's configuration, as migrations do, is also watched.
func TestForgottenDatabaseSQL(t *testing.T) {
	s := newSandbox(t)
	r := s.throughRouter(shortTimeouts)
	pool, err := loader.Open(t.Context(), s.dsn, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close(pool)
	db := stdlib.OpenDB(*pool.Config().ConnConfig)
	defer db.Close()
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}

	failed := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(t.Context(), "select pg_sleep(1), $1::text", "asleep")
		failed <- err
	}()

	s.waitFor("the statement", "select exists (select from pg_stat_activity where application_name = $1 and query like '%pg_sleep%')", s.application())
	r.dropConnections()
	if err := <-failed; !errors.As(err, new(*loader.StallError)) {
		t.Errorf("got %v, want a StallError", err)
	}

	s.waitFor("its backend to be ended", "select not exists (select from pg_stat_activity where application_name = $1 and query like '%pg_sleep%')", s.application())
}
