// Package progress owns how far a run is: its stages, counters and snapshots.
package progress

import (
	"sync"
	"time"
)

// Stage is a part of a run, in this order.
type Stage string

// The stages of a run.
const (
	StagePlan    Stage = "plan"    // check, lock, ledger, staging table
	StageLoad    Stage = "load"    // COPY; of a partition, its indexes and statistics, too
	StageFreeze  Stage = "freeze"  // VACUUM FREEZE of what COPY could not freeze
	StageIndex   Stage = "index"   // primary key and spatial index; with partitions, load has it
	StageAnalyze Stage = "analyze" // statistics
	StagePublish Stage = "publish" // the swap
)

// Stages returns all stages in their order.
func Stages() []Stage {
	return []Stage{StagePlan, StageLoad, StageFreeze, StageIndex, StageAnalyze, StagePublish}
}

// Snapshot is how far a run is.
type Snapshot struct {
	Job     string // what it is called
	Run     int64  // its number in the ledger, 0 until it has one
	Stage   Stage
	Done    int64         // rows of this stage; in index, the average of both
	Skipped int64         // rows among Done that an earlier attempt had committed
	Total   int64         // rows of this stage, 0 when that is not known
	Elapsed time.Duration // since the stage began
	// Moved is the part of Elapsed after which Done has changed last: what the server reports
	// comes in steps.
	Moved time.Duration
	// End says that the run has ended in this stage, without having done it.
	End End
}

// End is how a run has ended that was not published. It is empty for one that is at work, and
// one that is done.
type End string

// Ends of a run that was not published.
const (
	EndStopped End = "stopped" // by a signal, or because the caller ended its context
	EndFailed  End = "failed"
)

// Progress tells how far a run is. The zero value is ready; Snapshot may be
// called at any time from any goroutine.
type Progress struct {
	mu                   sync.Mutex
	job                  string
	run                  int64
	stage                Stage
	done, skipped, total int64
	began, moved         time.Time
	took                 map[Stage]time.Duration
	end                  End
	elapsed              time.Duration // of the stage, where the run has ended in it
}

// Snapshot returns the state of this moment. Before the run has begun its stage
// is empty.
func (p *Progress) Snapshot() Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Snapshot{Job: p.job, Run: p.run, Stage: p.stage, Done: p.done, Skipped: p.skipped, Total: p.total, End: p.end}
	if p.stage != "" {
		s.Elapsed, s.Moved = p.sinceBegin(), p.moved.Sub(p.began)
	}

	return s
}

// About says which run it is.
func (p *Progress) About(job string, run int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.job, p.run = job, run
}

// Begin starts a stage, and ends the one before; stage "" ends the last one.
func (p *Progress) Begin(stage Stage, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endStage()
	now := time.Now()
	p.stage, p.done, p.skipped, p.total, p.began, p.moved, p.end = stage, 0, 0, total, now, now, ""
}

// Stop ends the run in the stage that it is in: that is not done, and none follows. Before the
// first stage and after the last one it does nothing.
func (p *Progress) Stop(end End) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.stage == "" || p.end != "" {
		return
	}

	p.endStage()
	p.elapsed, p.end = time.Since(p.began), end
}

// sinceBegin is how long the stage has taken.
func (p *Progress) sinceBegin() time.Duration {
	if p.end != "" {
		return p.elapsed
	}

	return time.Since(p.began)
}

// Restart has the stage begin now.
func (p *Progress) Restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = time.Now()
	p.moved = p.began
}

// endStage adds the time of the stage to that of others of its name.
func (p *Progress) endStage() {
	if p.stage == "" || p.end != "" {
		return
	}

	if p.took == nil {
		p.took = make(map[Stage]time.Duration)
	}

	p.took[p.stage] += time.Since(p.began)
}

// Expect changes the rows of the stage, once it is known how many there are.
func (p *Progress) Expect(total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = total
}

// Skip counts rows that an earlier attempt has committed.
func (p *Progress) Skip(rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += rows
	p.skipped += rows
	p.moved = time.Now()
}

// Add counts rows that are done, or takes them back where rows is negative.
func (p *Progress) Add(rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += rows
	p.moved = time.Now()
}

// Set raises the rows that are done to a number, at most to the total.
func (p *Progress) Set(rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if done := min(rows, p.total); done > p.done {
		p.done, p.moved = done, time.Now()
	}
}

// Seconds returns how long each stage took, and has taken until now.
func (p *Progress) Seconds() map[Stage]float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := make(map[Stage]float64, len(p.took)+1)

	for stage, d := range p.took {
		s[stage] = d.Round(time.Microsecond).Seconds()
	}

	if p.stage != "" && p.end == "" {
		s[p.stage] = (p.took[p.stage] + time.Since(p.began)).Round(time.Microsecond).Seconds()
	}

	return s
}
