package jobqueue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

// server is the state that several processes share: who holds which job, who has done it, and how
// often it has failed. Time passes only while a process pauses or works.
type server struct {
	tables   []string // of the jobs
	holder   []int    // of each job's table: a process, or -1 for nobody
	done     []int    // the process that did it, or -1 for nobody
	failures []int
	fails    map[int]int // how often each job must fail
	tries    [][]int     // for each job, the processes that tried it
	dones    []int       // how often each was done
}

func newServer(tables ...string) *server {
	s := &server{tables: tables, fails: make(map[int]int), failures: make([]int, len(tables)), tries: make([][]int, len(tables))}
	s.dones = make([]int, len(tables))
	s.holder, s.done = slices.Repeat([]int{-1}, len(tables)), slices.Repeat([]int{-1}, len(tables))
	return s
}

// held returns the process that holds the table of a job, -1 for none.
func (s *server) held(job int) int {
	for other, holder := range s.holder {
		if holder >= 0 && s.tables[other] == s.tables[job] {
			return holder
		}
	}
	return -1
}

func (s *server) look(jobs []int) (states []State) {
	for _, job := range jobs {
		states = append(states, State{Done: s.done[job] >= 0, Failed: s.failures[job] >= 2, Tried: s.failures[job] == 1, Held: s.held(job) >= 0, Table: s.tables[job]})
	}
	return states
}

// begin takes a job's table, as a run does: it reads the ledger under the lock.
func (s *server) begin(process, job int) Result {
	switch {
	case s.held(job) >= 0:
		return Locked
	case s.done[job] >= 0:
		return DoneElsewhere
	case s.failures[job] >= 2:
		return FailedElsewhere
	}

	s.holder[job] = process
	s.tries[job] = append(s.tries[job], process)
	return NotReached
}

// end releases the table.
func (s *server) end(process, job int) Result {
	s.holder[job] = -1
	if s.fails[job] > 0 {
		s.fails[job]--
		s.failures[job]++
		return FailedHere
	}

	s.done[job] = process
	s.dones[job]++
	return DoneHere
}

// single returns the queue of the only process, unless paused simulates others when it pauses.
func single(t *testing.T, s *server, paused func(n int)) (*Queue, *[]string) {
	t.Helper()
	log, pauses := []string{}, 0
	now := time.Unix(0, 0)
	q := &Queue{
		Waits: slices.Repeat([]time.Duration{-1}, len(s.tables)),
		Look:  func(_ context.Context, jobs []int) ([]State, error) { return s.look(jobs), nil },
		Do: func(_ context.Context, job int) Result {
			log = append(log, fmt.Sprint("do ", job))
			if r := s.begin(0, job); r != NotReached {
				return r
			}
			return s.end(0, job)
		},
		Pause: func(_ context.Context, d time.Duration) error {
			if d < firstPause/2 || d > maxPause {
				t.Errorf("a pause of %s", d)
			}
			now = now.Add(d)
			if pauses++; pauses > 1000 {
				t.Fatal("it waits forever")
			}
			paused(pauses)
			return nil
		},
		Waiting: func(jobs []int) { log = append(log, fmt.Sprint("wait ", jobs)) },
		Now:     func() time.Time { return now },
		Rand:    rand.New(rand.NewPCG(1, 2)),
	}
	return q, &log
}

func check(t *testing.T, q *Queue, log *[]string, want []Result, wantLog ...string) {
	t.Helper()
	got, err := q.Run(t.Context())
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("results %v (%v), want %v", got, err, want)
	}
	if !slices.Equal(*log, wantLog) {
		t.Errorf("log %q, want %q", *log, wantLog)
	}
}

func never(int) {}

func TestAlone(t *testing.T) {
	s := newServer("a", "b", "c")
	q, log := single(t, s, never)
	check(t, q, log, []Result{DoneHere, DoneHere, DoneHere}, "do 0", "do 1", "do 2")

	// Again: everything is done.
	q, log = single(t, s, never)
	check(t, q, log, []Result{DoneElsewhere, DoneElsewhere, DoneElsewhere})
}

// A job that another process holds comes last. The process waits for it only when nothing else is
// free.
func TestHeldComesLast(t *testing.T) {
	s := newServer("a", "b", "c", "d")
	s.holder[0], s.holder[2] = 7, 7
	q, log := single(t, s, func(n int) {
		switch n {
		case 3: // it has ended successfully
			s.holder[0], s.done[0] = -1, 7
		case 5: // it was killed
			s.holder[2] = -1
		}
	})
	check(t, q, log, []Result{DoneElsewhere, DoneHere, DoneHere, DoneHere}, "do 1", "do 3", "wait [0 2]", "do 2")
}

// A job that somebody takes between look and lock is put last, and not tried again at once.
func TestAnotherWasFaster(t *testing.T) {
	s := newServer("a", "b", "c")
	q, log := single(t, s, never)
	fast := true
	do := q.Do
	q.Do = func(ctx context.Context, job int) Result {
		if job == 0 && fast {
			fast = false
			*log = append(*log, "late")
			return Locked
		}
		return do(ctx, job)
	}
	check(t, q, log, []Result{DoneHere, DoneHere, DoneHere}, "late", "do 1", "do 2", "do 0")

	s = newServer("a")
	q, log = single(t, s, never)
	fast, do = true, q.Do
	q.Do = func(ctx context.Context, job int) Result {
		if fast {
			fast = false
			return Locked
		}
		return do(ctx, job)
	}
	check(t, q, log, []Result{DoneHere}, "wait [0]", "do 0")
}

func TestFailures(t *testing.T) {
	// There is no other process: the job fails once, and the others continue.
	s := newServer("a", "b")
	s.fails[0] = 2
	q, log := single(t, s, func(int) { t.Error("it pauses although there is no other process") })
	check(t, q, log, []Result{FailedHere, DoneHere}, "do 0", "do 1")

	// Another process failed before: this is the second time, and nobody tries a third.
	q, log = single(t, s, never)
	check(t, q, log, []Result{FailedHere, DoneElsewhere}, "do 0")
	q, log = single(t, s, never)
	check(t, q, log, []Result{FailedElsewhere, DoneElsewhere})

	// A job that failed elsewhere comes last.
	s = newServer("a", "b", "c")
	s.failures[0] = 1
	q, log = single(t, s, never)
	check(t, q, log, []Result{DoneHere, DoneHere, DoneHere}, "do 1", "do 2", "do 0")

	// The job failed here, and another process, which looks show to be busy with another job, does
	// it.
	s = newServer("a", "b")
	s.fails[0], s.holder[1] = 1, 7
	q, log = single(t, s, func(n int) {
		switch n {
		case 2:
			s.holder[1], s.done[1] = -1, 7
		case 4:
			s.holder[0] = 7
		case 9:
			s.holder[0], s.done[0] = -1, 7
		}
	})
	check(t, q, log, []Result{DoneElsewhere, DoneElsewhere}, "do 0", "wait [1]")

	// The same, and nobody does it.
	s = newServer("a", "b")
	s.fails[0], s.holder[1] = 1, 7
	q, log = single(t, s, func(n int) {
		if n == 2 {
			s.holder[1], s.done[1] = -1, 7
		}
	})
	check(t, q, log, []Result{FailedHere, DoneElsewhere}, "do 0", "wait [1]")
}

// Jobs with the same table are done in their order: a job that replaces it must not come after
// one that appends.
func TestSameTable(t *testing.T) {
	s := newServer("a", "a", "b", "a")
	q, log := single(t, s, never)
	check(t, q, log, []Result{DoneHere, DoneHere, DoneHere, DoneHere}, "do 0", "do 1", "do 2", "do 3")

	// The first fails, and another process may still do it.
	s = newServer("a", "a", "b", "")
	s.fails[0] = 2
	q, log = single(t, s, never)
	check(t, q, log, []Result{FailedHere, Blocked, DoneHere, DoneHere}, "do 0", "do 2", "do 3")

	// The job has failed for good, and the next one is done all the same.
	q, log = single(t, s, never)
	check(t, q, log, []Result{FailedHere, DoneHere, DoneElsewhere, DoneElsewhere}, "do 0", "do 1")
}

// Each job sets how long it waits for others.
func TestWaits(t *testing.T) {
	s := newServer("a", "b", "c")
	s.holder[0], s.holder[1] = 7, 8
	q, log := single(t, s, func(n int) {
		if n == 40 {
			s.holder[1], s.done[1] = -1, 8
		}
	})
	q.Waits[0] = 20 * time.Second
	check(t, q, log, []Result{Locked, DoneElsewhere, DoneHere}, "do 2", "wait [0 1]")

	// The time starts again after there was something to do.
	s = newServer("a", "b")
	s.holder[0], s.holder[1] = 7, 8
	var began time.Time
	q, log = single(t, s, func(n int) {
		if n == 6 {
			s.holder[1], began = -1, q.Now()
		}
	})
	q.Waits[0] = 20 * time.Second
	check(t, q, log, []Result{Locked, DoneHere}, "wait [0 1]", "do 1", "wait [0]")
	if waited := q.Now().Sub(began); waited < q.Waits[0] {
		t.Errorf("it waited for %s", waited)
	}

	// A job after another one of its table is not held until it was tried.
	same := newServer("a", "a")
	same.holder[0] = 7
	q, log = single(t, same, never)
	q.Look = func(_ context.Context, jobs []int) ([]State, error) {
		return slices.Repeat([]State{{Table: "a"}}, len(jobs)), nil
	}
	q.Waits[0], q.Waits[1] = 0, 0
	check(t, q, log, []Result{Locked, Locked}, "do 0", "wait [0]", "do 1")

	s.holder[0] = 7
	q, log = single(t, s, func(int) { t.Error("it pauses although it must not wait") })
	q.Waits[0] = 0
	check(t, q, log, []Result{Locked, DoneElsewhere}, "wait [0]")
}

// If the server does not answer, the job reports it.
func TestLookFails(t *testing.T) {
	s := newServer("a", "b")
	q, log := single(t, s, never)
	q.Look = func(context.Context, []int) ([]State, error) { return nil, errors.New("nobody answers") }
	check(t, q, log, []Result{DoneHere, DoneHere}, "do 0", "do 1")

	// In that case a try shows which jobs others hold, and tries are not repeated without a pause.
	s = newServer("a", "b")
	s.holder[0], s.holder[1] = 7, 8
	q, log = single(t, s, func(n int) {
		if n == 3 {
			s.holder[1] = -1
		}
	})
	q.Look = func(context.Context, []int) ([]State, error) { return nil, errors.New("nobody answers") }
	q.Waits[0] = 20 * time.Second
	got, err := q.Run(t.Context())
	if want := []Result{Locked, DoneHere}; err != nil || !slices.Equal(got, want) {
		t.Errorf("results %v (%v), want %v", got, err, want)
	}
	if n := len(*log); n > 30 {
		t.Errorf("it tried %d times", n)
	}
}

func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("stop")
	s := newServer("a", "b", "c")
	q, _ := single(t, s, never)
	do := q.Do
	q.Do = func(ctx context.Context, job int) Result {
		if job == 1 {
			cancel(cause)
			return FailedHere
		}
		return do(ctx, job)
	}
	got, err := q.Run(ctx)
	if want := []Result{DoneHere, NotReached, NotReached}; !errors.Is(err, cause) || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

// world runs processes step by step, in an order that a seed determines. Each look, and each begin
// and end of a job, is a step.
type world struct {
	*server
	rng   *rand.Rand
	yield chan yield // what a process does on its turn
}

// yield is what a process does until its next turn.
type yield struct {
	process int
	idle    bool // it pauses
	ended   bool
}

// With any number of processes, in any order of their steps, with failing jobs and killed
// processes, each job is done once, and tried at most twice if it fails.
func TestManyProcesses(t *testing.T) {
	rng := testrand.New(t, 15)
	for range 300 {
		tables := make([]string, 1+rng.IntN(12))
		for i := range tables {
			tables[i] = fmt.Sprint(rng.IntN(12))
		}

		w := &world{server: newServer(tables...), rng: rng, yield: make(chan yield)}
		for range rng.IntN(3) {
			w.fails[rng.IntN(len(tables))] = 1 + rng.IntN(3)
		}
		w.run(t, 1+rng.IntN(6))
	}
}

func (w *world) run(t *testing.T, processes int) {
	results := make([][]Result, processes)
	turns := make([]chan bool, processes) // false: the process is killed
	for p := range processes {
		turns[p] = make(chan bool)
		go func() {
			defer func() { w.yield <- yield{process: p, ended: true} }()
			step := func(idle bool) {
				w.yield <- yield{process: p, idle: idle}
				if !<-turns[p] {
					runtime.Goexit()
				}
			}
			if <-turns[p] {
				results[p], _ = w.process(t.Context(), p, step)
			}
		}()
	}

	alive := make([]int, processes)
	for p := range alive {
		alive[p] = p
	}
	for steps := 0; len(alive) > 0; steps++ {
		if steps > 100000 {
			t.Fatal("they do not end")
		}

		i := w.rng.IntN(len(alive))
		lives := len(alive) == 1 || w.rng.IntN(100) > 0
		if !lives {
			w.release(alive[i])
		}

		turns[alive[i]] <- lives
		y := <-w.yield
		if y.idle {
			w.checkIdle(t, y.process)
		}
		if y.ended {
			alive = slices.Delete(alive, i, i+1)
		}
	}

	w.check(t, results)
}

// release releases what a killed process holds.
func (w *world) release(process int) {
	for job, holder := range w.holder {
		if holder == process {
			w.holder[job] = -1
		}
	}
}

func (w *world) process(ctx context.Context, p int, step func(idle bool)) ([]Result, error) {
	q := &Queue{
		Waits: slices.Repeat([]time.Duration{-1}, len(w.tables)),
		Rand:  rand.New(rand.NewPCG(w.rng.Uint64(), 0)),
		Look: func(_ context.Context, jobs []int) ([]State, error) {
			states := w.look(jobs)
			step(false)
			return states, nil
		},
		Do: func(_ context.Context, job int) Result {
			if r := w.begin(p, job); r != NotReached {
				return r
			}
			for range w.rng.IntN(10) {
				step(false)
			}
			return w.end(p, job)
		},
		Pause:   func(context.Context, time.Duration) error { step(true); return nil },
		Waiting: func([]int) {},
	}
	return q.Run(ctx)
}

// checkIdle is called when a process pauses just after a look. The process must have nothing else
// to do, except jobs that it failed at itself, and their successors, which it leaves to others.
func (w *world) checkIdle(t *testing.T, p int) {
	t.Helper()
	for job := range w.tables {
		own := slices.ContainsFunc(w.tries[:job+1], func(tries []int) bool { return slices.Contains(tries, p) })
		if w.tries[job] == nil && w.held(job) < 0 && !own && w.first(job) {
			t.Errorf("process %d pauses while job %d is free and nobody has tried it", p, job)
		}
	}
}

// first reports whether no earlier job has this job's table.
func (w *world) first(job int) bool { return !slices.Contains(w.tables[:job], w.tables[job]) }

func (w *world) check(t *testing.T, results [][]Result) {
	t.Helper()
	for job := range w.tables {
		if w.dones[job] > 1 || w.failures[job] > 2 {
			t.Errorf("job %d was done %d times, and failed %d times", job, w.dones[job], w.failures[job])
		}

		for p, r := range results {
			if r == nil { // it was killed
				continue
			}
			switch here := w.done[job] == p; {
			case r[job] == NotReached, r[job] == Locked, here != (r[job] == DoneHere):
				t.Errorf("process %d ends with job %d at %d, which was done by %d", p, job, r[job], w.done[job])
			case r[job] == DoneElsewhere && w.done[job] < 0, r[job] == FailedElsewhere && w.failures[job] < 2:
				t.Errorf("process %d ends with job %d at %d: done by %d, failed %d times", p, job, r[job], w.done[job], w.failures[job])
			}
		}

		// The last process to end leaves no job that nobody has tried.
		if w.done[job] < 0 && w.failures[job] == 0 && w.first(job) {
			t.Errorf("job %d was not done", job)
		}
	}
}
