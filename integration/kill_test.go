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

// Whatever the method and wherever a load is killed, readers see the previous table. The same command
// then makes the whole table: with the committed chunks, or from the start if nothing was committed.
func TestKilledInEachStage(t *testing.T) {
	forEach(t, slices.Sorted(maps.Keys(scenarios())), func(int) fault { return killClient })
}

// The load is killed a moment after it reached a place, which differs each time.
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

// anyPlace chooses a scenario and a place in it: in the given stage, if there is one.
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

// When a signal stops a load, in any stage, the load ends soon with the signal's exit code and can be
// resumed.
func TestSignalsInEachStage(t *testing.T) {
	forEach(t, []string{"chunks, replace", "partitions, replace"}, func(n int) fault { return signals()[n%2] })
}

func signals() []fault {
	return []fault{signalClient(syscall.SIGINT, "SIGINT", 130), signalClient(syscall.SIGTERM, "SIGTERM", 143)}
}

// The second signal ends a load at once, while the first one waits for a server that cannot do the final
// work.
func TestSecondSignal(t *testing.T) {
	s := newSandbox(t)
	args := s.load("grid", smallGrid()...)
	b := s.pauseAtChunk(3)
	p := start(t, s.dsn, args...)
	b.waitUntilReached()
	s.waitForChunks(3)

	// The load cannot write into the ledger why it stops.
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
