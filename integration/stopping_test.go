package integration

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// ending is a way in which a load can end before readers see its rows.
type ending struct {
	args []string            // in addition to those of a grid in chunks
	stop func(e *endingLoad) // for a load that does not end by itself
	code int
	// last has words of the final stage of the bar; kept and next have words of the lines below the
	// error.
	last, kept, next string
	status           string // in runs list
}

// endingLoad is a load that will end.
type endingLoad struct {
	sandbox
	p *process
	b *pausepoint
}

// duringChunks stops a load when some of its chunks are committed.
func duringChunks(stop func(e *endingLoad)) func(e *endingLoad) {
	return func(e *endingLoad) {
		e.waitForChunks(3)
		e.b.waitUntilReached()
		stop(e)
	}
}

func endingsOfLoads() map[string]ending {
	signal := func(s syscall.Signal) func(e *endingLoad) {
		return duringChunks(func(e *endingLoad) { _ = e.p.cmd.Process.Signal(s) })
	}
	const allKept = "40 of 40 chunks with 20,000 of 20,000 rows"

	return map[string]ending{
		"SIGINT":  {stop: signal(syscall.SIGINT), code: 130, last: "load ", kept: "39 of 40 chunks with 19,500 of 20,000 rows", next: "run the same command again or 'loadgrid runs resume 2", status: "stopped"},
		"SIGTERM": {stop: signal(syscall.SIGTERM), code: 143, last: "load ", kept: "39 of 40 chunks", next: "runs drop 2", status: "stopped"},
		"cancelled statement": {stop: duringChunks(func(e *endingLoad) {
			e.exec("select pg_cancel_backend(pid) from pg_stat_activity where application_name = $1 and wait_event = 'advisory'", e.application())
		}), code: 4, last: "load ", kept: "39 of 40 chunks", next: "fix the cause, then run the same command again", status: "failed"},
		"failed statement": {args: []string{"--after", "select 1 / 0"}, code: 4, last: "publish ", kept: allKept, next: "fix the cause", status: "failed"},
		"time limit":       {args: []string{"--after", "select pg_sleep(600)", "--after-timeout", "200ms"}, code: 4, last: "publish ", kept: allKept, next: "fix the cause", status: "failed"},
		"wrong before":     {args: []string{"--before", "select 1 / 0"}, code: 1},
		"killed":           {stop: duringChunks(func(e *endingLoad) { _ = e.p.cmd.Process.Kill() }), code: -1, status: "killed"},
	}
}

// However an unpublished load ends, its output does not claim that readers see its rows. It reports what
// is kept and how to continue. The list of runs shows how the load ended.
func TestEndOfALoadThatIsNotPublished(t *testing.T) {
	for name, w := range endingsOfLoads() {
		t.Run(name, func(t *testing.T) {
			e := &endingLoad{sandbox: newSandbox(t)}
			mustCLI(t, e.dsn, e.load("grid", boxes(3, 3)...)...)

			args := e.load("grid", appendArgs(appendArgs(smallGrid(), "--streams", "1", "--if-exists", "replace", "--progress", "bar"), w.args...)...)
			if w.stop != nil {
				e.b = e.pauseAtChunk(smallChunks - 1)
			}

			e.p = start(t, e.dsn, args...)
			if w.stop != nil {
				w.stop(e)
			}

			r := e.p.wait()
			if e.b != nil {
				e.b.remove()
			}

			r.expect(t, w.code)
			e.checkShown(r, w)
			e.checkListed(w.status)

			if n := queryOne[int64](t, e.pool, "select count(*) from "+e.name("grid")); n != 9 {
				t.Errorf("readers see %d rows", n)
			}
		})
	}
}

// checkShown checks the final output on the terminal of a load that was not published.
func (e *endingLoad) checkShown(r result, w ending) {
	e.t.Helper()
	if done := regexp.MustCompile(`100% [^\r\n]*publish`).FindString(r.stderr); done != "" {
		e.t.Errorf("it shows %q", done)
	}
	if w.code == -1 {
		return
	}

	if w.last != "" && !regexp.MustCompile(`\| +`+w.last+`[^\r\n]*, (stopped|failed)`).MatchString(r.stderr) {
		e.t.Errorf("the bar does not end in stage %s: %q", w.last, r.stderr)
	}

	for title, words := range map[string]string{"\n  kept: ": w.kept, "\n  next: ": w.next} {
		_, text, found := strings.Cut(r.stderr, title)
		line, _, _ := strings.Cut(text, "\n")
		if found != (words != "") || !strings.Contains(line, words) {
			e.t.Errorf("%q: want %q in %q", title, words, r.stderr)
		}
	}
}

// checkListed checks the second run's status in the list of runs; "" means that there is no such run.
func (e *endingLoad) checkListed(status string) {
	e.t.Helper()
	if status == "killed" {
		e.waitForEnd()
	}

	list := mustCLI(e.t, e.dsn, "runs", "list", "--ledger-schema", e.schema)
	line := regexp.MustCompile(`(?m)^ +2 .*$`).FindString(list)
	if !strings.Contains(line, status) || (line == "") != (status == "") || strings.Contains(list, "loading") {
		e.t.Errorf("want %q in the list of runs:\n%s", status, list)
	}

	for line := range strings.Lines(list) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 100 {
			e.t.Errorf("%d columns: %s", n, line)
		}
	}
}

// The list shows an active load. If somebody ends its backend, the load continues and is published.
func TestLoadThatGoesOn(t *testing.T) {
	s := newSandbox(t)
	b := s.pauseAtChunk(5)
	p := start(t, s.dsn, s.load("grid", append(smallGrid(), "--progress", "bar")...)...)
	b.waitUntilReached()

	if list := mustCLI(t, s.dsn, "runs", "list", "--ledger-schema", s.schema); !strings.Contains(list, "loading") {
		t.Errorf("the list of runs:\n%s", list)
	}
	if show := mustCLI(t, s.dsn, "runs", "show", "1", "--ledger-schema", s.schema); !strings.Contains(show, "not yet") || !strings.Contains(show, ", 1 attempt\n") {
		t.Errorf("the run:\n%s", show)
	}

	s.exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and wait_event = 'advisory'", s.application())
	p.waitForOutput("trying again", 1)
	b.remove()

	r := p.wait()
	r.expect(t, 0)
	if !regexp.MustCompile(`100% [^\r\n]*publish`).MatchString(r.stderr) || strings.Contains(r.stderr, "kept:") {
		t.Errorf("it shows %q", r.stderr)
	}
	s.checkBoxes("grid", smallCols, smallRows)
}

// If the network is gone, too, nobody can know what is kept.
func TestStoppedWithoutAServer(t *testing.T) {
	s := newSandbox(t)
	n := s.throughProxy(shortTimeouts)
	b := s.pauseAtChunk(0)
	p := start(t, s.dsn, s.load("grid", smallGrid()...)...)
	b.waitUntilReached()

	n.stop()
	_ = p.cmd.Process.Signal(interrupt)
	p.wait().expect(t, 130, "stopped by SIGINT")
	if !strings.Contains(p.stderr.String(), "  kept: unknown, because the ledger could not be read: run 1 may have rows") {
		t.Errorf("it says %q", p.stderr.String())
	}
}

// -v logs each stage as text; -q leaves only errors.
func TestVerboseAndQuietLoads(t *testing.T) {
	s := newSandbox(t)

	r := cli(t, s.dsn, s.load("grid", append(boxes(3, 3), "-v")...)...)
	for _, stage := range []string{"plan", "load", "freeze", "index", "analyze", "publish"} {
		if want := regexp.MustCompile(`level=INFO msg="stage is done" .* stage=` + stage); !want.MatchString(r.stderr) {
			t.Errorf("the log lacks stage %s: %s", stage, r.stderr)
		}
	}

	for _, args := range [][]string{nil, {"--progress", "bar"}, {"--progress", "json"}, {"--log-format", "json"}} {
		r = cli(t, s.dsn, s.load("grid", appendArgs(append(boxes(3, 3), "--if-exists", "replace", "-q"), args...)...)...)
		if r.code != 0 || r.stdout != "" || r.stderr != "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, r.code, r.stdout, r.stderr)
		}
	}

	r = cli(t, s.dsn, s.load("grid", append(boxes(3, 3), "-q")...)...)
	r.expect(t, 2, "table")
	if out := mustCLI(t, s.dsn, "runs", "list", "-q", "--ledger-schema", s.schema); !strings.Contains(out, "published") {
		t.Errorf("requested output: %q", out)
	}
}
