// Package progress reports the progress of a run: its stages, counters and snapshots.
package progress

import (
	"sync"
	"time"
)

// Stage is a part of a run. The constants are in order.
type Stage string

// Values of Stage.
const (
	StagePlan    Stage = "plan"    // check, lock, ledger, staging table
	StageLoad    Stage = "load"    // COPY; for partitions also indexes and statistics
	StageFreeze  Stage = "freeze"  // VACUUM FREEZE of rows that COPY could not freeze
	StageIndex   Stage = "index"   // primary key and spatial index; StageLoad builds those of partitions
	StageAnalyze Stage = "analyze" // statistics
	StagePublish Stage = "publish" // making the table visible
)

// Stages returns all stages in order.
func Stages() []Stage {
	return []Stage{StagePlan, StageLoad, StageFreeze, StageIndex, StageAnalyze, StagePublish}
}

// Snapshot is the progress of a run at one moment.
type Snapshot struct {
	Job     string // name of the job
	Run     int64  // number in the ledger; 0 until it has one
	Stage   Stage
	Done    int64         // rows done in this stage; in StageIndex, the average over both indexes
	Skipped int64         // rows in Done that an earlier attempt committed
	Total   int64         // rows of this stage; 0 if unknown
	Elapsed time.Duration // since the start of the stage
	// Moved is the part of Elapsed until Done last changed: the server reports progress in steps.
	Moved time.Duration
	// End is set if the run ended in this stage without finishing it.
	End End
}

// End is how an unpublished run ended. It is empty for a run that is in progress or finished.
type End string

// Values of End.
const (
	EndStopped End = "stopped" // by a signal, or because the caller ended its context
	EndFailed  End = "failed"
)

// Progress holds the progress of a run. The zero value is ready to use. Any goroutine may call Snapshot at any
// time.
type Progress struct {
	mu                   sync.Mutex
	job                  string
	run                  int64
	stage                Stage
	done, skipped, total int64
	began, moved         time.Time
	took                 map[Stage]time.Duration
	end                  End
	elapsed              time.Duration // of the stage, if the run ended in it
}

// Snapshot returns the present progress. Its stage is empty before the run begins.
func (p *Progress) Snapshot() Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Snapshot{Job: p.job, Run: p.run, Stage: p.stage, Done: p.done, Skipped: p.skipped, Total: p.total, End: p.end}
	if p.stage != "" {
		s.Elapsed, s.Moved = p.sinceBegin(), p.moved.Sub(p.began)
	}

	return s
}

// About sets the job and the run.
func (p *Progress) About(job string, run int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.job, p.run = job, run
}

// Begin ends the present stage and starts the next one. Stage "" only ends the last one.
func (p *Progress) Begin(stage Stage, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endStage()
	now := time.Now()
	p.stage, p.done, p.skipped, p.total, p.began, p.moved, p.end = stage, 0, 0, total, now, now, ""
}

// Stop ends the run in its present stage, which stays unfinished. It does nothing before the first stage and
// after the last one.
func (p *Progress) Stop(end End) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.stage == "" || p.end != "" {
		return
	}

	p.endStage()
	p.elapsed, p.end = time.Since(p.began), end
}

// sinceBegin returns how long the stage has taken.
func (p *Progress) sinceBegin() time.Duration {
	if p.end != "" {
		return p.elapsed
	}

	return time.Since(p.began)
}

// Restart resets the start of the stage to now.
func (p *Progress) Restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = time.Now()
	p.moved = p.began
}

// endStage adds the time of the stage to earlier times of the same stage.
func (p *Progress) endStage() {
	if p.stage == "" || p.end != "" {
		return
	}

	if p.took == nil {
		p.took = make(map[Stage]time.Duration)
	}

	p.took[p.stage] += time.Since(p.began)
}

// Expect sets the total rows of the stage once they are known.
func (p *Progress) Expect(total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = total
}

// Skip counts rows that an earlier attempt committed.
func (p *Progress) Skip(rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += rows
	p.skipped += rows
	p.moved = time.Now()
}

// Add counts finished rows. Negative rows are subtracted.
func (p *Progress) Add(rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += rows
	p.moved = time.Now()
}

// Set raises the finished rows to a number, at most to the total.
func (p *Progress) Set(rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if done := min(rows, p.total); done > p.done {
		p.done, p.moved = done, time.Now()
	}
}

// Seconds returns how long each stage took, including the present one.
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
