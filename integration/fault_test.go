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

// A trial is one load that meets one fault at one place, and what must hold afterwards.
type trial struct {
	sandbox
	scenario scenario
	place    string
	server   *pgtest.Server // nil: the server that all tests share
	rng      *rand.Rand     // for what the fault leaves open

	b *pausepoint
	p *process
}

// A fault is something that happens to a load.
type fault struct {
	name string
	// inject causes the fault. The load waits at the pausepoint; if it is to survive the fault, inject
	// releases it.
	inject func(*trial)
	// exitCodes returns the documented exit codes of a load with this many committed chunks; -1 means
	// that the process was killed.
	exitCodes func(tr *trial, committed int64) []int
	// rerunAtOnce repeats the command before the server has noticed that the first process ended, while
	// its backends may still be active.
	rerunAtOnce bool
}

func always(codes ...int) func(*trial, int64) []int {
	return func(*trial, int64) []int { return codes }
}

// failureCodes returns the exit codes of a load whose fault no retry can fix.
func failureCodes(_ *trial, committed int64) []int {
	if committed > 0 {
		return []int{4}
	}
	return []int{1}
}

// killClient kills the client.
var killClient = fault{name: "client SIGKILL", inject: func(tr *trial) { _ = tr.p.cmd.Process.Kill() }, exitCodes: always(-1)}

// killClientLater kills the client a moment after it reached the place, wherever it is by then.
var killClientLater = fault{name: "client SIGKILL a moment later, again at once", inject: func(tr *trial) {
	tr.b.release()
	time.Sleep(time.Duration(tr.rng.IntN(200)) * time.Millisecond)
	_ = tr.p.cmd.Process.Kill()
}, exitCodes: always(-1, 0), rerunAtOnce: true}

// stopWithin is how long a load may take to stop. The documents promise 5 s, and it usually takes less
// than one. The rest allows for the race detector and a busy machine.
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

// endBackends ends (or cancels) the load's backends that match the condition.
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

// arguments returns the arguments that the conditions of endings take in addition to the application.
func (tr *trial) arguments(condition string) []any {
	if strings.Contains(condition, "$2") {
		return []any{tr.lockKey("grid")}
	}
	return nil
}

const (
	// atWork selects the backends that wait at the pausepoint or for a lock of the test. They copy,
	// build, gather or publish.
	atWork = "wait_event_type = 'Lock'"
	// holding selects the backend that holds the lock of the table.
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

// crashCodes returns the exit codes of a load whose server was away. The load continues, unless the crash
// emptied an unlogged table, which it reports.
func crashCodes(tr *trial, _ int64) []int {
	if tr.scenario.unlogged {
		return []int{0, 1}
	}
	return []int{0}
}

// startServer restarts the server. According to the documents, a load into an unlogged table may need to
// be started once more.
func (tr *trial) startServer() {
	tr.t.Helper()
	if tr.scenario.unlogged {
		tr.server.StartOnceMore()
	} else {
		tr.server.Start()
	}
}

// outages returns the faults of the whole server.
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

// run exposes the load to the fault, repeats the command if it failed, and checks what must hold then.
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
		t.Fatalf("there is no place %q", tr.place)
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
		// COPY does not freeze rows that pass through the pausepoint's trigger one by one.
		tr.scenario.unfrozen = true
	}

	tr.crashed = tr.b.gone
	if tr.scenario.unlogged && tr.crashed && tr.publishedBeforeTheStart() {
		// The crash came after publish. It emptied the unlogged table, as PostgreSQL specifies. The load
		// is no longer involved.
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

// runAtOnce repeats the command until it succeeds. It waits for the backends that the killed process
// left.
func (tr *trial) runAtOnce(f fault, r result, args []string) {
	t := tr.t
	t.Helper()
	if codes := f.exitCodes(tr, 0); !slices.Contains(codes, r.code) {
		t.Errorf("exit code %d, want one of %v: %s", r.code, codes, r.stderr)
	}

	for began := time.Now(); r.code != 0; r = cli(t, tr.dsn, args...) {
		if r.code == 2 && tr.isPublished() {
			return // killed at the very end: the table and its cells exist
		}
		if r.code != -1 || time.Since(began) > time.Minute {
			t.Fatalf("again, at once: exit code %d: %s", r.code, r.stderr)
		}
	}
}

// runAgain repeats the command if it failed.
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
		return // killed at the very end: the table and its cells exist
	}
	if again.code != 0 {
		t.Fatalf("again, with %d chunks committed: exit code %d: %s", committed, again.code, again.stderr)
	}
	if tr.scenario.unlogged && tr.server != nil {
		return // rows that a crash lost are copied again
	}

	if sum := again.summary(t); sum.ChunksResumed != committed || sum.ChunksCopied != sum.Chunks-committed {
		t.Errorf("of %d chunks %d were committed, %d resumed, %d copied", sum.Chunks, committed, sum.ChunksResumed, sum.ChunksCopied)
	}
}

// isPublished reports whether the newest run in the ledger is published.
func (tr *trial) isPublished() bool {
	tr.t.Helper()
	return queryOne[bool](tr.t, tr.pool, "select coalesce((select state = 'published' from "+tr.name("runs")+" order by id desc limit 1), false)")
}

// publishedBeforeTheStart reports whether the newest run was published before the last start of the
// server.
func (tr *trial) publishedBeforeTheStart() bool {
	tr.t.Helper()
	return queryOne[bool](tr.t, tr.pool, "select coalesce((select state = 'published' and finished_at < pg_postmaster_start_time() from "+
		tr.name("runs")+" order by id desc limit 1), false)")
}

// newTrial makes a trial with a database of its own, on the shared server or on one that the test may
// damage.
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

// forEach runs a trial in parallel for each place of each of these scenarios; choose returns the fault
// for the number of the trial. With -short, it runs one place of each stage.
func forEach(t *testing.T, names []string, choose func(n int) fault) {
	t.Helper()
	all, n := scenarios(), 0
	hits, chosen := map[loader.Stage]int{}, onePlaceOfEachStage(names)
	for _, name := range names {
		w, ok := all[name]
		if !ok {
			t.Fatalf("there is no scenario %q", name)
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

// onePlaceOfEachStage chooses a place for each stage, taking turns among the scenarios. It returns the
// scenarios' names by place.
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
