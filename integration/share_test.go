package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/attempts"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader"
)

// processes are processes that share a job file, in order.
type processes struct {
	s    sandbox
	args []string
	all  []*process
}

func newProcesses(s sandbox, args ...string) *processes { return &processes{s: s, args: args} }

// start starts another process.
func (c *processes) start() *process {
	c.s.t.Helper()
	p := start(c.s.t, c.s.inSchema(), c.args...)
	c.all = append(c.all, p)
	return p
}

// accountOf is what a process reports about a job when it ends.
type accountOf struct {
	Time         time.Time
	Msg          string
	Job, Outcome string
	Here         bool
	By           string
	Run          int64
	Error        string
}

// lines returns the lines of a process's log whose message begins with these words.
func (p *process) lines(begins string) (found []accountOf) {
	p.t.Helper()
	for line := range strings.Lines(p.stderr.String()) {
		var a accountOf
		if err := json.Unmarshal([]byte(line), &a); err == nil && strings.HasPrefix(a.Msg, begins) {
			found = append(found, a)
		}
	}
	return found
}

const accountMessage = "result of the job"

// sharedJobs writes a file of n jobs. Each loads a table, and records this in the transaction that
// publishes it.
func (s sandbox) sharedJobs(n int, more string) string {
	s.t.Helper()
	s.exec("create table " + s.name("published") + " (name text, process int default pg_backend_pid())")
	text := fmt.Sprintf("defaults:\n  cell-size: 1\n  cols: 40\n  rows: 50\n  chunk-rows: 500\n  streams: 2\n  if-exists: replace\n  log-format: json\n"+
		"  ledger-schema: %s\n  after: insert into %s values ('{{table}}'); select pg_sleep(0.05)\njobs:\n", s.schema, s.name("published"))
	for i := range n {
		text += fmt.Sprintf("  - {name: job %d, table: t%d}\n", i, i)
	}
	return s.write(text + more)
}

// checkEachOnce fails unless each of n tables has its rows and was published by one run, with this many
// publishing transactions in total.
func (s sandbox) checkEachOnce(n, times int) {
	s.t.Helper()
	for i := range n {
		s.checkBoxes(fmt.Sprint("t", i), 40, 50)
	}
	for sql, want := range map[string]int{
		"select count(*) from " + s.name("published"):                                                                           n * times,
		"select count(distinct name) from " + s.name("published"):                                                               n,
		"select count(*) from " + s.name("runs") + " where state = 'published'":                                                 n * times,
		"select count(distinct table_name) from " + s.name("runs"):                                                              n,
		"select count(*) from " + s.name("runs") + " where state <> 'published'":                                                0,
		"select coalesce(sum(c.rows), 0)::int from " + s.name("chunks") + " c join " + s.name("runs") + " r on r.id = c.run_id": n * times * 2000,
	} {
		if got := queryOne[int](s.t, s.pool, sql); got != want {
			s.t.Errorf("%d, want %d: %s", got, want, sql)
		}
	}
}

// checkNeverIdle fails if a process waited while a table was free. Each table that the process does not
// list as held must already have been published.
func (c *processes) checkNeverIdle() {
	c.s.t.Helper()
	for n, p := range c.all {
		for _, line := range p.lines("waiting for jobs whose tables other processes hold: ") {
			held := strings.Split(strings.TrimPrefix(line.Msg, "waiting for jobs whose tables other processes hold: "), ", ")
			free := queryOne[[]string](c.s.t, c.s.pool, "select coalesce(array_agg(job_name), '{}') from "+c.s.name("runs")+
				" where job_name <> all($1) and (finished_at is null or finished_at > $2)", held, line.Time)
			if len(free) > 0 || len(held) == 0 {
				c.s.t.Errorf("process %d waited at %s for %q, while %q were free", n, line.Time, held, free)
			}
		}
	}
}

// Three processes share 20 jobs and are killed in turn: each table is loaded and published once, and no
// process waits while there is work. Killed processes are started again, with the same batch.
func TestSharedJobsWhileProcessesAreKilled(t *testing.T) {
	const jobs, processes, kills = 20, 3, 6
	s := newSandbox(t)
	file := s.sharedJobs(jobs, "")
	c := newProcesses(s, "load", "--job", file, "--share=night 1")
	alive := make([]*process, processes)
	for i := range alive {
		alive[i] = c.start()
	}

	for kill := range kills {
		s.waitFor("some jobs to be done", fmt.Sprintf("select to_regclass('%s') is not null", s.name("shared_attempts")))
		s.waitFor("some jobs to be done", fmt.Sprintf("select count(*) >= %d from %s where state = 'published'", 2*kill+1, s.name("runs")))
		i := kill % processes
		_ = alive[i].cmd.Process.Kill()
		if r := alive[i].wait(); r.code != -1 && r.code != 0 { // it may have ended before
			t.Errorf("a killed process ended with %d: %s", r.code, r.stderr)
		}
		alive[i] = c.start()
	}

	for i, p := range alive {
		r := p.wait()
		if r.code != 0 {
			t.Errorf("process %d ended with %d: %s", i, r.code, r.stderr)
		}

		// Each process reports for each job who did it, and all agree.
		account := p.lines(accountMessage)
		if len(account) != jobs {
			t.Errorf("process %d reports %d jobs: %s", i, len(account), r.stderr)
		}
		for n, a := range account {
			run := queryOne[int64](t, s.pool, "select id from "+s.name("runs")+" where table_name = $1 and state = 'published'", fmt.Sprint("t", n))
			if a.Job != fmt.Sprint("job ", n) || a.Outcome != "published" || a.Run != run || a.Here != (a.By == "") {
				t.Errorf("process %d reports %+v, want run %d", i, a, run)
			}
		}
	}

	s.checkEachOnce(jobs, 1)
	c.checkNeverIdle()
	if n := queryOne[int](t, s.pool, "select count(distinct process) from "+s.name("shared_attempts")); n < 2 {
		t.Errorf("only %d processes did all the jobs", n)
	}
	s.checkBatches(file, jobs)
}

// checkBatches starts the same batch again, then another one.
func (s sandbox) checkBatches(file string, jobs int) {
	t := s.t
	runs := func() int { return queryOne[int](t, s.pool, "select count(*) from "+s.name("runs")) }
	if out := mustCLI(t, s.inSchema(), "load", "--job", file, "--share=night 1"); out != "" || runs() != jobs {
		t.Errorf("started again, the batch has %d runs and prints %s", runs(), out)
	}

	mustCLI(t, s.inSchema(), "load", "--job", file, "--share=night 2")
	s.checkEachOnce(jobs, 2)
	for batch, want := range map[string]int{"night 1": jobs, "night 2": jobs, "night 3": 0} {
		var list []struct {
			Batch   string
			History []struct{ Batch string }
		}
		out := mustCLI(t, s.dsn, "runs", "list", "--ledger-schema", s.schema, "--batch", batch, "--json")
		if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != want {
			t.Errorf("%d runs of batch %s, want %d (%v)", len(list), batch, want, err)
		}
		for _, r := range list {
			if r.Batch != batch || r.History[len(r.History)-1].Batch != batch {
				t.Errorf("batch %s contains the run %+v", batch, r)
			}
		}
	}
	out := mustCLI(t, s.dsn, "runs", "show", "1", "--ledger-schema", s.schema)
	if !strings.Contains(out, "\nbatch        night 1\n") || !strings.Contains(out, "\n  batch    night 1\n") {
		t.Errorf("the run shows\n%s", out)
	}
}

// Without a batch, a job is done if a process has published it since this process began.
func TestSharedJobsWithoutABatch(t *testing.T) {
	const jobs = 4
	s := newSandbox(t)
	file := s.sharedJobs(jobs, "")
	mustCLI(t, s.inSchema(), "load", "--job", file, "--share") // does not count for processes that begin later

	// Both processes begin while all tables are held.
	hold := s.connect()
	for i := range jobs {
		if _, err := hold.Exec(t.Context(), "select pg_advisory_lock($1)", s.lockKey(fmt.Sprint("t", i))); err != nil {
			t.Fatal(err)
		}
	}

	c := newProcesses(s, "load", "--job", file, "--share=-")
	for range 2 {
		c.start().waitForOutput("waiting for jobs whose tables other processes hold: job 0, job 1, job 2, job 3", 1)
	}
	if err := hold.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	here := 0
	for _, p := range c.all {
		p.wait().expect(t, 0)
		for _, a := range p.lines(accountMessage) {
			if a.Here {
				here++
			}
		}
	}
	if here != jobs {
		t.Errorf("both together report %d jobs as their own, want %d", here, jobs)
	}
	s.checkEachOnce(jobs, 2)
	c.checkNeverIdle()

	// An unchanged job counts as done, and the log names the process.
	s.exec("truncate " + s.name("published"))
	args := []string{"load", "--job", file, "--share=quiet", "--skip-unchanged", "--log-format", "text"}
	r := cli(t, s.inSchema(), args...)
	if r.expect(t, 0); !strings.Contains(r.stderr, "job job 3: found unchanged by this process; its rows are from run ") {
		t.Error(r.stderr)
	}
	r = cli(t, s.inSchema(), args...)
	if r.expect(t, 0); r.stdout != "" || !strings.Contains(r.stderr, "job job 3: found unchanged by ") || strings.Contains(r.stderr, "this process") {
		t.Error(r.stderr)
	}
	if n := queryOne[int](t, s.pool, "select count(*) from "+s.name("published")); n != 0 {
		t.Errorf("%d tables were loaded", n)
	}
}

// A failing job is tried twice in total, by two processes, and the other jobs continue. A process that
// starts later ends with the job's exit code at once.
func TestSharedJobsThatFail(t *testing.T) {
	s := newSandbox(t)
	file := s.sharedJobs(3, "  - {name: bad, table: bad, after: select 1/0}\n  - {name: refused, table: refused, before: select 1/0}\n  - {name: last, table: t3}\n")
	c := newProcesses(s, "load", "--job", file, "--share=b")
	for range 3 {
		c.start()
	}
	for _, p := range c.all {
		p.wait().expect(t, 4, "2 of 6 jobs failed: bad, refused")
	}

	tries := func(job string) int {
		return queryOne[int](t, s.pool, "select count(*) from "+s.name("shared_attempts")+" where job_name = $1 and outcome = 'failed' and sqlstate = '22012'", job)
	}
	for job, code := range map[string]int{"bad": 4, "refused": 1} {
		if n := tries(job); n != 2 {
			t.Errorf("job %s was tried %d times", job, n)
		}
		if got := queryOne[[]int](t, s.pool, "select array_agg(exit_code) from "+s.name("shared_attempts")+" where job_name = $1", job); !slices.Equal(got, []int{code, code}) {
			t.Errorf("job %s ended with %d", job, got)
		}
		if n := queryOne[int](t, s.pool, "select count(distinct process) from "+s.name("shared_attempts")+" where job_name = $1", job); n != 2 {
			t.Errorf("job %s was tried by %d processes", job, n)
		}
	}

	late := c.start()
	late.wait().expect(t, 4, "2 of 6 jobs failed")
	if a := late.lines(accountMessage); len(a) != 6 || a[3].Here || a[3].Outcome != "failed" || !strings.Contains(a[3].Error, "it has failed 2 times, the last time for ") || !strings.Contains(a[3].Error, "22012") {
		t.Errorf("a later process reports %+v", a)
	}
	cli(t, s.inSchema(), "load", "--job", file, "--share=b", "--only", "refused").expect(t, 1, "22012") // explicitly requested
	if bad, refused := tries("bad"), tries("refused"); bad != 2 || refused != 3 {
		t.Errorf("after that, the jobs were tried %d and %d times", bad, refused)
	}

	// A corrected job is another job: its run continues where the other stopped.
	corrected := s.write(strings.Replace(readFile(t, file), "table: bad, after: select 1/0", "table: bad", 1))
	cli(t, s.inSchema(), "load", "--job", corrected, "--share=b", "--only", "bad", "--only", "last").expect(t, 0)
	s.checkBoxes("bad", 40, 50)
}

// Jobs with the same table run in order, each once.
func TestSharedJobsOfOneTable(t *testing.T) {
	s := newSandbox(t)
	text := "defaults: {cell-size: 1, table: t, log-format: json, ledger-schema: " + s.schema + "}\njobs:\n- {name: begin, extent: [0, 0, 10, 10], if-exists: replace}\n"
	for i := 1; i < 6; i++ {
		text += fmt.Sprintf("- {name: add %d, extent: [%d, 0, %d, 10], if-exists: append}\n", i, 10*i, 10*i+10)
	}
	file := s.write(text)

	for _, batch := range []string{"1", "2"} {
		c := newProcesses(s, "load", "--job", file, "--share="+batch)
		for range 3 {
			c.start()
		}
		for _, p := range c.all {
			p.wait().expect(t, 0)
		}

		s.checkBoxes("t", 60, 10)
		if got := queryOne[[]string](t, s.pool, "select array_agg(job_name order by r.id) from "+s.name("runs")+" r where r.id in (select run_id from "+s.name("shared_attempts")+" where batch = $1)", batch); !slices.Equal(got, []string{"begin", "add 1", "add 2", "add 3", "add 4", "add 5"}) {
			t.Errorf("in batch %s the order is %q", batch, got)
		}
	}
}

// A run that was killed in one batch and resumed in the next belongs to the next one.
func TestSharedRunOfAnotherBatch(t *testing.T) {
	s := newSandbox(t)
	file := s.sharedJobs(1, "")
	args := func(batch string) []string { return []string{"load", "--job", file, "--share=" + batch} }
	s.exec("create function " + s.name("stop") + "() returns trigger language plpgsql as 'begin if new.chunk_no = 3 then raise exception ''stopped''; end if; return new; end'")
	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	s.exec("create trigger stop before insert on " + s.name("chunks") + " for each row execute function " + s.name("stop") + "()")
	cli(t, s.inSchema(), args("first")...).expect(t, 4, "stopped")
	s.exec("drop trigger stop on " + s.name("chunks"))

	mustCLI(t, s.inSchema(), args("second")...)
	s.checkEachOnce(1, 1)
	if n := queryOne[int](t, s.pool, "select starts from "+s.name("runs")); n != 2 {
		t.Errorf("the run was started %d times", n)
	}

	mustCLI(t, s.inSchema(), args("second")...) // already done in this batch
	s.checkEachOnce(1, 1)
	mustCLI(t, s.inSchema(), args("first")...) // not done in this batch
	s.checkEachOnce(1, 2)
}

// A process with no other work waits for other processes for as long as wait allows. It does not wait
// while it has other work.
func TestSharedJobsWait(t *testing.T) {
	s := newSandbox(t)
	file := s.sharedJobs(2, "")
	hold := s.connect()
	if _, err := hold.Exec(t.Context(), "select pg_advisory_lock($1)", s.lockKey("t0")); err != nil {
		t.Fatal(err)
	}

	metrics := t.TempDir()
	c := newProcesses(s, "load", "--job", file, "--share=b", "--wait", "1s", "--metrics-textfile", filepath.Join(metrics, "{job}.prom"))
	p := c.start()
	p.wait().expect(t, 3, "1 of 2 jobs failed: job 0")
	a := p.lines(accountMessage)
	if len(a) != 2 || a[0].Outcome != "held" || !strings.Contains(a[0].Error, "another run holds table") || a[1].Outcome != "published" {
		t.Errorf("it reports %+v", a)
	}
	c.checkNeverIdle()

	// Other processes write their own metrics.
	if files, err := os.ReadDir(metrics); err != nil || len(files) != 1 || !strings.HasPrefix(files[0].Name(), "job_1") {
		t.Errorf("metrics are in %v (%v)", files, err)
	}
}

// A signal ends a process that waits for others, and its report names the remaining jobs.
func TestASignalEndsTheWaitForOthers(t *testing.T) {
	s := newSandbox(t)
	file := s.sharedJobs(2, "")
	hold := s.connect()
	if _, err := hold.Exec(t.Context(), "select pg_advisory_lock($1)", s.lockKey("t0")); err != nil {
		t.Fatal(err)
	}

	p := start(t, s.inSchema(), "load", "--job", file, "--share=b", "--log-format", "text")
	p.waitForOutput("waiting for jobs whose tables other processes hold: job 0\n", 1)
	_ = p.cmd.Process.Signal(interrupt)
	r := p.wait()
	r.expect(t, 130, "stopped by SIGINT")
	if !strings.Contains(r.stderr, "\nnot done: job 0\n") || !strings.Contains(r.stderr, "\njob job 1: done by this process, run 1\n") {
		t.Error(r.stderr)
	}
}

// A ledger from before jobs were shared can be read unchanged, and a load that shares migrates it.
func TestSharedJobsInALedgerFromBefore(t *testing.T) {
	s := newSandbox(t)
	file := s.sharedJobs(2, "")
	mustCLI(t, s.inSchema(), "load", "--job", file)
	s.migrationFile("000007_shared.down.sql")
	s.exec("update " + s.name("schema_migrations") + " set version = 6")

	for _, args := range [][]string{{"runs", "list"}, {"runs", "show", "1"}, {"runs", "list", "--batch", "b"}} {
		if out := mustCLI(t, s.dsn, append(args, "--ledger-schema", s.schema)...); len(args) < 4 && !strings.Contains(out, "t0") {
			t.Errorf("loadgrid %q: %s", args, out)
		}
	}

	mustCLI(t, s.inSchema(), "load", "--job", file, "--share=b")
	s.checkEachOnce(2, 2)
	for range 2 { // the migration may be repeated
		s.migrationFile("000007_shared.up.sql")
	}
	mustCLI(t, s.inSchema(), "load", "--job", file, "--share=b")
	s.checkEachOnce(2, 2)

	// A role that may read only the old tables can still read them.
	reader := s.newRole("reader")
	s.exec("grant usage on schema " + s.schema + " to " + reader + "; grant select on " + s.name("runs") + ", " + s.name("chunks") + ", " + s.name("attempts") + " to " + reader)
	if out := mustCLI(t, s.dsnOf(reader, "reader"), "runs", "show", "4", "--ledger-schema", s.schema); !strings.Contains(out, "attempt 1") || strings.Contains(out, "batch") {
		t.Errorf("a role that may not read table shared_attempts sees\n%s", out)
	}

	// Pruning removes old attempts together with their runs, and also attempts without a run.
	s.exec("update " + s.name("shared_attempts") + " set ended_at = ended_at - interval '1 day', run_id = null")
	mustCLI(t, s.dsn, "runs", "prune", "--older-than", "12h", "--ledger-schema", s.schema)
	if n := queryOne[int](t, s.pool, "select count(*) from "+s.name("shared_attempts")); n != 0 {
		t.Errorf("%d attempts are left", n)
	}
}

// A shared run checks the ledger under the lock of the table, because another process may have done the
// job since the last check. It waits for nobody, not even for a process that may have been killed.
func TestASharedRunAsksUnderTheLock(t *testing.T) {
	s := newSandbox(t)
	pool := openPool(t, s.dsn, nil)
	job := s.smallJob(0)
	job.IfExists = loader.Replace
	var log bytes.Buffer
	run := func(j loader.Job, again bool) (loader.Summary, error) {
		shared := &loader.Shared{Batch: "b", Job: attempts.Key("a", j), Again: again, ExitCode: func(error) int { return 7 }}
		return loader.Run(t.Context(), pool, j, loader.Options{JobName: "a", Shared: shared, Log: slog.New(slog.NewTextHandler(&log, nil))})
	}

	first, err := run(job, false)
	if err != nil || first.DoneBy != nil || first.Run != 1 {
		t.Fatalf("the first run: %+v, %v", first, err)
	}
	second, err := run(job, false)
	if by := second.DoneBy; err != nil || by == nil || by.Run != 1 || by.Outcome != loader.OutcomePublished || by.Process != int64(os.Getpid()) || second.RowsCopied != 0 {
		t.Errorf("the second run: %+v, %v", second, err)
	}

	job.After = "select 1/0"
	for range attempts.MaxFailures {
		if _, err := run(job, false); pg.SQLState(err) != "22012" {
			t.Errorf("a job that fails: %v", err)
		}
	}
	var failed *loader.SharedFailedError
	if _, err := run(job, false); !errors.As(err, &failed) || failed.ExitCode() != 7 || failed.Last.SQLState != "22012" || !strings.Contains(err.Error(), "division by zero") {
		t.Errorf("the third time: %v", err)
	}
	if _, err := run(job, true); pg.SQLState(err) != "22012" {
		t.Errorf("again: %v", err)
	}

	hold := s.connect()
	if _, err := hold.Exec(t.Context(), "select pg_advisory_lock($1)", s.lockKey(job.Table.Name)); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	if _, err := run(job, true); !errors.As(err, new(*loader.LockedError)) || strings.Contains(log.String(), "waiting") {
		t.Errorf("a table that is held: %v\n%s", err, log.String())
	}
}
