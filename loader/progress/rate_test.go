package progress

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	for _, tt := range []struct {
		name      string
		s         Snapshot
		perSecond float64
		left      time.Duration
	}{
		{"nothing", Snapshot{}, 0, 0},
		{"no time", Snapshot{Done: 5, Total: 10}, 0, 0},
		{"half", Snapshot{Done: 50, Total: 100, Elapsed: 10 * time.Second}, 5, 10 * time.Second},
		{"all", Snapshot{Done: 100, Total: 100, Elapsed: 10 * time.Second}, 10, 0},
		{"total not known", Snapshot{Done: 100, Elapsed: 10 * time.Second}, 10, 0},
		{"skipped rows cost nothing", Snapshot{Done: 90, Skipped: 80, Total: 100, Elapsed: 10 * time.Second}, 1, 10 * time.Second},
		{"all skipped", Snapshot{Done: 80, Skipped: 80, Total: 100, Elapsed: 10 * time.Second}, 0, 0},
		{"the server is between two steps", Snapshot{Stage: StageIndex, Done: 50, Total: 100, Elapsed: 12 * time.Second, Moved: 10 * time.Second}, 5, 8 * time.Second},
		{"the server takes longer", Snapshot{Stage: StageIndex, Done: 50, Total: 100, Elapsed: 25 * time.Second, Moved: 10 * time.Second}, 5, 0},
		{"a load that waits", Snapshot{Stage: StageLoad, Done: 50, Total: 100, Elapsed: 20 * time.Second, Moved: 10 * time.Second}, 2.5, 20 * time.Second},
	} {
		if perSecond, left := tt.s.Rate(); perSecond != tt.perSecond || left != tt.left {
			t.Errorf("%s: %v rows/s and %v left, should be %v and %v", tt.name, perSecond, left, tt.perSecond, tt.left)
		}
	}
}
