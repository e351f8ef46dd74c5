package main

import (
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/textfile"
	"github.com/loadgrid/loadgrid/loader"
)

func TestMetricsRecord(t *testing.T) {
	waited := loader.Summary{Chunks: 10, ChunksCopied: 3, ChunksResumed: 5, WaitSeconds: 4, StageSeconds: map[loader.Stage]float64{loader.StageLoad: 2}}
	r := newMetricsRecord(waited, 10*time.Second)
	if r.Seconds != 6 || r.Stages["wait"] != 4 || r.Stages["load"] != 2 || r.Outcome != textfile.Published {
		t.Errorf("after a wait: %+v", r)
	}
	if want := (textfile.Chunks{Committed: 3, Resumed: 5, Pending: 2}); r.Chunks != want {
		t.Errorf("chunks %+v, should be %+v", r.Chunks, want)
	}

	r = newMetricsRecord(loader.Summary{Unchanged: true}, time.Second)
	if _, ok := r.Stages["wait"]; ok || r.Outcome != textfile.Unchanged || r.Seconds != 1 {
		t.Errorf("unchanged: %+v", r)
	}
}
