package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// A trial is one load that meets one fault at one place, and all that must hold
// after it.
type trial struct {
	sandbox
	scenario scenario
	place    string
	server   *pgtest.Server // nil: the one that all tests share
	rng      *rand.Rand     // for what the fault leaves open

	b *pausepoint
	p *process
}

// A fault is what a load meets.
type fault struct {
	name string
	// inject brings the fault about. The load waits at the pausepoint: a fault that the
	// load is to survive releases it.
	inject func(*trial)
	// exitCodes returns the codes that the documents let the load end with, where so
	// many chunks were committed; -1 stands for a process that was killed.
	exitCodes func(tr *trial, committed int64) []int
	// rerunAtOnce has the same command run again before the server has noticed the end
	// of the first: its backends may still be at work.
	rerunAtOnce bool
}

func always(codes ...int) func(*trial, int64) []int {
	return func(*trial, int64) []int { return codes }
}

// failureCodes is how a load ends that meets what no retry mends.
func failureCodes(_ *trial, committed int64) []int {
	if committed > 0 {
		return []int{4}
	}
	return []int{1}
}

// killClient kills the client.
var killClient = fault{name: "client SIGKILL", inject: func(tr *trial) { _ = tr.p.cmd.Process.Kill() }, exitCodes: always(-1)}

// killClientLater kills the client a moment after the place, wherever it is by then.
var killClientLater = fault{name: "client SIGKILL a moment later, again at once", inject: func(tr *trial) {
	tr.b.release()
	time.Sleep(time.Duration(tr.rng.IntN(200)) * time.Millisecond)
	_ = tr.p.cmd.Process.Kill()
}, exitCodes: always(-1, 0), rerunAtOnce: true}

// stopWithin is how long a load may take to stop. It is promised within 5 s, and usually
// takes less than one: the rest is for the race detector and for a machine that does much
// else.
const stopWithin = 30 * time.Second

// signalClient stops the client by a signal.
func signalClient(signal syscall.Signal, name string, code int) fault {
	return fault{name: "client " + name, inject: func(tr *trial) {
		tr.t.Helper()
		sent := time.Now()
		_ = tr.p.cmd.Process.Signal(signal)
		tr.p.wait()
		if took := time.Since(sent); took > stopWithin {
			tr.t.Errorf("it took %s to stop after %s", took, name)
		}
	}, exitCodes: always(code)}
}

// endBackends ends (or cancels) the backends that the condition picks among those of
// the load.
func endBackends(name, how, condition string, ends func(*trial, int64) []int) fault {
	return fault{name: name, inject: func(tr *trial) {
		tr.t.Helper()
		if n := queryOne[int64](tr.t, tr.pool, "select count("+how+"(pid)) from (select pid from pg_stat_activity where application_name = $1 and datname = current_database() and "+condition+") a",
			append([]any{tr.application()}, tr.arguments(condition)...)...); n == 0 {
			tr.t.Errorf("no backend was hit: %s", name)
		}
		tr.b.release()
	}, exitCodes: ends}
}

// arguments returns what the conditions of ended take beside the application.
func (tr *trial) arguments(condition string) []any {
	if strings.Contains(condition, "$2") {
		return []any{tr.lockKey("grid")}
	}
	return nil
}

const (
	// atWork are the backends that wait at the pausepoint or for a lock of the test's:
	// they copy, build, gather, publish.
	atWork = "wait_event_type = 'Lock'"
	// holding is the one that holds the lock of the table.
	holding = "pid in (select pid from pg_locks where locktype = 'advisory' and objsubid = 1 and (classid::bigint << 32 | objid::bigint) = $2)"
)

// endings returns the faults that end backends.
func endings() []fault {
	return []fault{
		endBackends("backend at work ended (57P01)", "pg_terminate_backend", atWork, always(0)),
		endBackends("backend with the lock ended (57P01)", "pg_terminate_backend", holding, always(0)),
		endBackends("all backends ended (57P01)", "pg_terminate_backend", "true", always(0)),
		endBackends("statement cancelled (57014)", "pg_cancel_backend", atWork, failureCodes),
	}
}

// crashCodes is how a load ends whose server was away: it goes on, but for a table
// that a crash has emptied, of which it says so.
func crashCodes(tr *trial, _ int64) []int {
	if tr.scenario.unlogged {
		return []int{0, 1}
	}
	return []int{0}
}

// startServer starts the server again. Of a load into an unlogged table the documents say that
// it may have to be started once more.
func (tr *trial) startServer() {
	tr.t.Helper()
	if tr.scenario.unlogged {
		tr.server.StartOnceMore()
	} else {
		tr.server.Start()
	}
}

// outages returns the faults of the server as a whole.
func outages() []fault {
	return []fault{
		{name: "server SIGKILL and start", inject: func(tr *trial) {
			tr.server.Kill()
			tr.b.markServerGone()
			tr.startServer()
		}, exitCodes: crashCodes},
		{name: "server SIGKILL a moment later, and start", inject: func(tr *trial) {
			tr.b.release()
			time.Sleep(time.Duration(tr.rng.IntN(150)) * time.Millisecond)
			tr.server.Kill()
			tr.b.markServerGone()
			tr.startServer()
		}, exitCodes: crashCodes},
		{name: "server stopped fast, and start", inject: func(tr *trial) {
			tr.server.Stop()
			tr.b.markServerGone()
			tr.startServer()
		}, exitCodes: always(0)},
	}
}

// run lets the load meet the fault, runs the same command again where it did not
// end well, and checks all that must hold then.
func (tr *trial) run(f fault) {
	t := tr.t
	t.Helper()
	if tr.scenario.before != nil {
		mustCLI(t, tr.dsn, tr.load("grid", tr.scenario.before...)...)
	}
	if err := loader.NewLedger(tr.pool, tr.schema).MigrateUp(context.Background()); err != nil {
		t.Fatal(err)
	}

	at, ok := places()[tr.place]
	if !ok {
		t.Fatalf("no place is called %q", tr.place)
	}

	before := tr.tableState("grid")
	reader := tr.startReader("grid")
	tr.b = tr.newPausepoint()
	at.prepare(tr.b, tr.scenario.middle(t))
	args := tr.load("grid", appendArgs(tr.scenario.load, "--progress", "json")...)
	tr.p = start(t, tr.dsn, args...)
	at.waitUntilReached(tr.b)
	f.inject(tr)
	r := tr.p.wait()

	if (tr.b.released || tr.b.gone) && at.stage == loader.StageLoad {
		// Rows that went through the pausepoint's trigger, one by one, are not frozen
		// by COPY.
		tr.scenario.unfrozen = true
	}

	tr.crashed = tr.b.gone
	if tr.scenario.unlogged && tr.crashed && tr.publishedBeforeTheStart() {
		// The crash came after publish, and has emptied the table, as PostgreSQL
		// has it with unlogged ones. It is no part of the load any more.
		tr.b.remove()
		tr.checkNothingLeft()
		tr.checkNoSessions("grid")
		return
	}

	if f.rerunAtOnce {
		tr.runAtOnce(f, r, args)
		tr.b.remove()
	} else {
		tr.b.remove()
		tr.runAgain(f, r, args)
	}

	reader.stop(before)
	tr.checkAfter("grid", tr.scenario)
}

// runAtOnce runs the command again until it is done. It waits for what the killed one has
// left in the server.
func (tr *trial) runAtOnce(f fault, r result, args []string) {
	t := tr.t
	t.Helper()
	if codes := f.exitCodes(tr, 0); !slices.Contains(codes, r.code) {
		t.Errorf("exit code %d, want one of %v: %s", r.code, codes, r.stderr)
	}

	for began := time.Now(); r.code != 0; r = cli(t, tr.dsn, args...) {
		if r.code == 2 && tr.isPublished() {
			return // just before it was killed: the table and its cells are there
		}
		if r.code != -1 || time.Since(began) > time.Minute {
			t.Fatalf("again, at once: exit code %d: %s", r.code, r.stderr)
		}
	}
}

// runAgain runs the command again where it did not end well.
func (tr *trial) runAgain(f fault, r result, args []string) {
	t := tr.t
	t.Helper()
	committed := queryOne[int64](t, tr.pool, "select count(*) from "+tr.name("chunks")+" join "+tr.name("runs")+" r on r.id = run_id where r.state = 'loading'")
	if codes := f.exitCodes(tr, committed); !slices.Contains(codes, r.code) {
		t.Errorf("exit code %d with %d chunks committed, want one of %v: %s", r.code, committed, codes, r.stderr)
	}
	if strings.Contains(r.stderr, "40P01") {
		t.Errorf("there was a deadlock: %s", r.stderr)
	}
	if r.code == 0 {
		return
	}

	again := cli(t, tr.dsn, args...)
	if again.code == 2 && tr.isPublished() {
		return // just before it was killed: the table and its cells are there
	}
	if again.code != 0 {
		t.Fatalf("again, with %d chunks committed: exit code %d: %s", committed, again.code, again.stderr)
	}
	if tr.scenario.unlogged && tr.server != nil {
		return // what a crash took away is copied again
	}

	if sum := again.summary(t); sum.ChunksResumed != committed || sum.ChunksCopied != sum.Chunks-committed {
		t.Errorf("of %d chunks %d were committed, %d resumed, %d copied", sum.Chunks, committed, sum.ChunksResumed, sum.ChunksCopied)
	}
}

// isPublished tells whether the newest run of the ledger is.
func (tr *trial) isPublished() bool {
	tr.t.Helper()
	return queryOne[bool](tr.t, tr.pool, "select coalesce((select state = 'published' from "+tr.name("runs")+" order by id desc limit 1), false)")
}

// publishedBeforeTheStart tells whether the newest run was published before the
// server was started the last time.
func (tr *trial) publishedBeforeTheStart() bool {
	tr.t.Helper()
	return queryOne[bool](tr.t, tr.pool, "select coalesce((select state = 'published' and finished_at < pg_postmaster_start_time() from "+
		tr.name("runs")+" order by id desc limit 1), false)")
}

// newTrial makes a trial with a database of its own, on the shared server or on
// one that may be treated badly.
func newTrial(t *testing.T, server *pgtest.Server, w scenario, place string, seed uint64) *trial {
	t.Helper()
	dsn := ""
	if server != nil {
		dsn = server.Database(t)
	} else {
		dsn = pgtest.Database(t)
	}
	return &trial{sandbox: sandboxIn(t, dsn, "public"), scenario: w, place: place, server: server,
		rng: rand.New(rand.NewPCG(seed, 5))}
}

// forEach runs a trial for each place of each of these scenarios, in parallel; which
// fault it is, choose says for the number of the trial. With -short, it is one place of
// each stage.
func forEach(t *testing.T, names []string, choose func(n int) fault) {
	t.Helper()
	all, n := scenarios(), 0
	hits, chosen := map[loader.Stage]int{}, onePlaceOfEachStage(names)
	for _, name := range names {
		w, ok := all[name]
		if !ok {
			t.Fatalf("no scenario is called %q", name)
		}

		for _, where := range w.places {
			if testing.Short() && chosen[where] != name {
				continue
			}

			f := choose(n)
			seed := uint64(n)
			n++
			hits[places()[where].stage]++
			t.Run(fmt.Sprintf("%s: %s: %s", name, where, f.name), func(t *testing.T) {
				t.Parallel()
				newTrial(t, nil, w, where, seed).run(f)
			})
		}
	}

	checkHits(t, hits)
}

// onePlaceOfEachStage chooses a place for each stage, by turns from the scenarios, of which
// it returns the names.
func onePlaceOfEachStage(names []string) map[string]string {
	all, hit := scenarios(), map[loader.Stage]bool{}
	chosen := map[string]string{}

	for range names {
		for _, name := range slices.Backward(names) {
			for _, where := range all[name].places {
				if stage := places()[where].stage; !hit[stage] {
					hit[stage], chosen[where] = true, name
					break
				}
			}
		}
	}

	return chosen
}

// checkHits fails when a stage was never hit.
func checkHits(t *testing.T, hits map[loader.Stage]int) {
	t.Helper()
	for _, stage := range loader.Stages() {
		if hits[stage] == 0 {
			t.Errorf("no fault hit stage %s", stage)
		}
	}
}
