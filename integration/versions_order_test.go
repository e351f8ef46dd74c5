package integration

import (
	"fmt"
	"testing"
)

// A rollback puts a version away that is newer than the kept ones. The next night drops the version that
// was put away first, not the version with the lower run number.
func TestPruneDropsWhatWasPutAwayFirst(t *testing.T) {
	s := newSandbox(t)
	night := func(n int) {
		t.Helper()
		mustCLI(t, s.dsn, s.load("grid", append(boxes(5, 5), "--set", fmt.Sprintf("night:integer=%d", n), "--if-exists", "replace", "--keep", "2")...)...)
	}

	for n := 1; n <= 4; n++ {
		night(n)
	}
	mustCLI(t, s.dsn, "runs", "rollback", "2", "--ledger-schema", s.schema) // puts 4 away, after 3
	night(5)                                                                // puts 2 away
	if got := s.versions(); got != "grid:5 grid_run2:2 grid_run4:4" {
		t.Errorf("versions %s", got)
	}
}
