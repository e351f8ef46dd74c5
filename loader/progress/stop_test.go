package progress

import (
	"testing"
	"time"
)

// A run that stops finishes no further stage, and the time of its last stage stops.
func TestStop(t *testing.T) {
	var p Progress
	if p.Stop(EndFailed); p.Snapshot() != (Snapshot{}) {
		t.Errorf("before the first stage: %+v", p.Snapshot())
	}

	p.Begin(StageLoad, 100)
	p.Add(30)
	p.Stop(EndStopped)
	p.Stop(EndFailed) // only the first reason counts

	first, seconds := p.Snapshot(), p.Seconds()
	time.Sleep(2 * time.Millisecond)

	if s := p.Snapshot(); s != first || s.Stage != StageLoad || s.Done != 30 || s.End != EndStopped {
		t.Errorf("it was %+v and is %+v", first, s)
	}
	if now := p.Seconds(); len(now) != 1 || now[StageLoad] != seconds[StageLoad] {
		t.Errorf("the stages took %v, and now %v", seconds, now)
	}

	// The answer to a commit was lost, but the run was published.
	p.Begin("", 0)
	if s := p.Snapshot(); s.End != "" || s.Stage != "" {
		t.Errorf("after the run: %+v", s)
	}
	if now := p.Seconds(); len(now) != 1 || now[StageLoad] != seconds[StageLoad] {
		t.Errorf("after the run the stages took %v, not %v", now, seconds)
	}
}
