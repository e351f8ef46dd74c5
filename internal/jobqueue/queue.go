// Package jobqueue owns the order in which each of several processes that share a list of jobs does
// them, and when it has finished. It does not depend on a server: functions tell it who holds a
// job, and who has done it.
package jobqueue

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// State is the state of a job at one moment. In the zero value the job is free.
type State struct {
	Done   bool // by any process
	Failed bool // all processes together have reached the maximum number of failures
	Tried  bool // it has failed, but may be tried again
	Held   bool // a process is doing it
	// Table names the table that the job fills. Jobs with the same table are done in their order.
	// Empty if it is unknown.
	Table string
}

// Result is the outcome of a job.
type Result int

// The results. Zero means that the job was not reached.
const (
	NotReached      Result = iota
	DoneHere               // by this process
	DoneElsewhere          // by another one
	FailedHere             // by this process, and no other process has done it since
	FailedElsewhere        // too often, by other processes too
	Locked                 // by another process: for Do at the moment, for Run longer than the job waits
	Blocked                // an earlier job with the same table failed here, and may be done elsewhere
)

// Queue does jobs, which are numbered from 0.
type Queue struct {
	// Waits has, for each job, how long this process waits for another process that holds the
	// table, when it has nothing else to do. Negative means forever.
	Waits []time.Duration
	// Look returns the states of jobs, in their order. If it fails, the jobs are treated as free,
	// and Do reports what is wrong.
	Look func(ctx context.Context, jobs []int) ([]State, error)
	// Do does a job, unless another process has done it or holds it. It does not wait.
	Do func(ctx context.Context, job int) Result
	// Pause waits.
	Pause func(ctx context.Context, d time.Duration) error
	// Waiting is called before the process first waits for jobs that others hold, and again after
	// it has done something.
	Waiting func(jobs []int)
	// Rand desynchronizes processes that start at the same moment.
	Rand *rand.Rand
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time

	open       []int        // unsettled jobs, with those last that another process held
	results    []Result     // of all jobs
	here       map[int]bool // the open jobs that failed here
	collisions int          // how often in a row another process was faster
	refused    map[int]bool // the jobs for which it was, since the last pause
	others     bool         // another process was seen
	idle       time.Time    // the time since which there is nothing to do, zero if there is
	pauses     int          // number of pauses since then
	quiet      int          // number of looks in a row that found nothing held
}

// Pauses between looks at jobs that others hold. A look is two statements. A table that becomes
// free is taken within the last of these times.
const (
	firstPause = 200 * time.Millisecond
	maxPause   = 5 * time.Second
)

// lastLooks is how often a process looks again whether others take over a job that failed here,
// when it has nothing else to do.
const lastLooks = 4

// Run does the jobs until each is done by some process or has failed, and returns the result of
// each. The error is the error of ctx.
func (q *Queue) Run(ctx context.Context) ([]Result, error) {
	q.results, q.here, q.refused = make([]Result, len(q.Waits)), make(map[int]bool), make(map[int]bool)
	for i := range q.Waits {
		q.open = append(q.open, i)
	}

	if q.Now == nil {
		q.Now = time.Now
	}

	for len(q.open) > 0 && ctx.Err() == nil {
		ready, held := q.sort(q.look(ctx))

		switch {
		case len(ready) > 0:
			q.do(ctx, ready, held)
		case len(held) > 0:
			q.wait(ctx, held)
		case q.others && q.quiet < lastLooks:
			q.quiet++
			q.pause(ctx)
		default:
			q.end()
		}
	}

	return q.results, context.Cause(ctx)
}

// look gets the states of the open jobs.
func (q *Queue) look(ctx context.Context) map[int]State {
	states := make(map[int]State)

	found, err := q.Look(ctx, q.open)
	if err == nil {
		for i, job := range q.open {
			states[job] = found[i]
		}
	}

	return states
}

// sort settles the jobs that others have done, and returns which of the rest are free, and which
// are held. Jobs that failed elsewhere come last, because the cause may disappear.
func (q *Queue) sort(states map[int]State) (ready, held []int) {
	for _, job := range slices.Clone(q.open) {
		switch s := states[job]; {
		case s.Done:
			q.settle(job, DoneElsewhere)
		case s.Failed && q.here[job]:
			q.settle(job, FailedHere)
		case s.Failed:
			q.settle(job, FailedElsewhere)
		}
	}

	var again []int
	for _, job := range q.open {
		switch s := states[job]; {
		case s.Held:
			q.others = true
			held = append(held, job)
		case q.here[job], q.blocked(job, states):
		case s.Tried:
			again = append(again, job)
		default:
			ready = append(ready, job)
		}
	}

	return append(ready, again...), held
}

// blocked reports whether an earlier job that fills the same table is not settled.
func (q *Queue) blocked(job int, states map[int]State) bool {
	table := states[job].Table

	return table != "" && slices.ContainsFunc(q.open, func(other int) bool { return other < job && states[other].Table == table })
}

// do does one of the free jobs. It takes the first or, if others were faster, one of the next two,
// four and so on, so that processes do not collide at each job. held are the jobs that are not
// free.
func (q *Queue) do(ctx context.Context, ready, held []int) {
	window := len(ready)
	if q.collisions < 20 {
		window = min(window, 1<<q.collisions)
	}
	job := ready[q.Rand.IntN(window)]

	result := q.Do(ctx, job)
	if result != Locked {
		q.collisions, q.refused = 0, make(map[int]bool)
		q.idle, q.pauses, q.quiet = time.Time{}, 0, 0
	}

	switch {
	case ctx.Err() != nil && result != DoneHere && result != DoneElsewhere:
	case result == Locked:
		q.others = true
		q.collisions++
		q.open = append(slices.DeleteFunc(q.open, func(j int) bool { return j == job }), job)
		q.refused[job] = true

		// If looks do not show who holds a job, only a try does.
		if !slices.ContainsFunc(ready, func(j int) bool { return !q.refused[j] }) {
			known := slices.DeleteFunc(slices.Clone(q.open), func(j int) bool { return q.here[j] || !q.refused[j] && !slices.Contains(held, j) })
			q.refused = make(map[int]bool)
			q.wait(ctx, known)
		}
	case result == FailedHere:
		q.here[job] = true
	default:
		q.settle(job, result)
	}
}

// wait waits a moment for jobs that others hold.
func (q *Queue) wait(ctx context.Context, held []int) {
	q.quiet = 0
	if q.idle.IsZero() {
		q.idle = q.Now()
		q.Waiting(held)
	}

	waited, left := q.Now().Sub(q.idle), len(q.open)
	for _, job := range held {
		if limit := q.Waits[job]; limit >= 0 && waited >= limit {
			q.settle(job, Locked)
		}
	}

	if len(q.open) == left {
		q.pause(ctx)
	}
}

// pause waits before the next look. Each pause is longer than the last, and differs from those of
// other processes.
func (q *Queue) pause(ctx context.Context) {
	d := min(maxPause, firstPause<<min(q.pauses, 10))
	q.pauses++

	_ = q.Pause(ctx, d/2+time.Duration(q.Rand.Int64N(int64(d/2)))) // ctx has the reason for an early end
}

// end settles the jobs that nobody will do.
func (q *Queue) end() {
	for _, job := range slices.Clone(q.open) {
		if q.here[job] {
			q.settle(job, FailedHere)
		} else {
			q.settle(job, Blocked)
		}
	}
}

func (q *Queue) settle(job int, r Result) {
	q.results[job] = r
	q.open = slices.DeleteFunc(q.open, func(j int) bool { return j == job })
	q.others = q.others || r == DoneElsewhere
}
