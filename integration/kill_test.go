package integration

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader"
)

// Whatever the method and wherever a load is killed, readers see what was
// there before, and the same command then makes the whole table: with what was
// committed, or from the start where nothing was.
func TestKilledInEachStage(t *testing.T) {
	forEach(t, slices.Sorted(maps.Keys(scenarios())), func(int) fault { return killClient })
}

// Killed wherever it is a moment after some place, which is another one each time.
func TestKilledAtRandomMoments(t *testing.T) {
	first, trials := uint64(0), uint64(20)
	if seed, ok := testrand.Given(t); ok {
		first, trials = seed, 1
	}

	for seed := first; seed < first+trials; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 3))
			_, w, where := anyPlace(t, rng, "")
			newTrial(t, nil, w, where, seed).run(killClientLater)
		})
	}
}

// anyPlace chooses a scenario, and a place in it: in this stage, if one is given.
func anyPlace(t *testing.T, rng *rand.Rand, stage loader.Stage) (name string, w scenario, where string) {
	t.Helper()
	all := moreScenarios(t)
	names := slices.Sorted(maps.Keys(all))
	for {
		name = names[rng.IntN(len(names))]
		w = all[name]
		where = w.places[rng.IntN(len(w.places))]
		if stage == "" || places()[where].stage == stage {
			return name, w, where
		}
	}
}

// Stopped by a signal in each stage, a load ends soon, with the signal's code,
// and can be resumed.
func TestSignalsInEachStage(t *testing.T) {
	forEach(t, []string{"chunks, replace", "partitions, replace"}, func(n int) fault { return signals()[n%2] })
}

func signals() []fault {
	return []fault{signalClient(syscall.SIGINT, "SIGINT", 130), signalClient(syscall.SIGTERM, "SIGTERM", 143)}
}

// The second signal ends a load at once, while the first one waits for a server
// that cannot do what is asked of it at the end.
func TestSecondSignal(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", smallGrid()...)
	b := s.pauseAtChunk(3)
	p := start(t, s.dsn, args...)
	b.waitUntilReached()
	s.waitForChunks(3)

	// Why it stops, it cannot write into the ledger.
	b.lock(s.name("runs"), "exclusive")
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	b.waitUntilBlocked(s.name("runs"), "update%")
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	r := p.wait()
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v, not by the second signal: %s", p.cmd.ProcessState, r.stderr)
	}

	b.remove()
	mustCLI(t, s.dsn, args...)
	s.checkAfter("grid", scenario{cols: smallCols, rows: smallRows})
}
