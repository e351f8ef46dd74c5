package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader"
)

// soakVariable sets how long the soak tries faults, for example 2h or 20m. The variable of package
// testrand names the one trial to repeat.
const soakVariable = "LOADGRID_SOAK"

// soak counts trials by fault and by the stage that the fault hit.
type soak struct {
	mu     sync.Mutex
	faults map[string]*tally
	stages map[loader.Stage]int
}

type tally struct {
	tries  int
	failed []uint64 // the seeds that repeat the trials
}

func (k *soak) count(fault string, stage loader.Stage, seed uint64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.faults[fault] == nil {
		k.faults[fault] = &tally{}
	}

	k.faults[fault].tries++
	if !ok {
		k.faults[fault].failed = append(k.faults[fault].failed, seed)
	}

	k.stages[stage]++
}

// table returns the final report of a soak.
func (k *soak) table() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	line := func(columns ...any) {
		fmt.Fprintln(w, fmt.Sprintf(strings.Repeat("%v\t", len(columns)-1)+"%v", columns...))
	}
	line("FAULT", "TRIES", "FAILURES", "SEEDS")
	var names []string
	for name := range k.faults {
		names = append(names, name)
	}

	slices.Sort(names)
	tries, failures := 0, 0
	for _, name := range names {
		t := k.faults[name]
		tries, failures = tries+t.tries, failures+len(t.failed)
		line(name, t.tries, len(t.failed), strings.Trim(fmt.Sprint(t.failed), "[]"))
	}

	line("all", tries, failures, "")
	line("", "", "", "")
	line("STAGE", "HITS", "", "")
	for _, stage := range loader.Stages() {
		line(stage, k.stages[stage], "", "")
	}

	_ = w.Flush()
	return out.String()
}

// clientFaults are faults for which any number of trials may run side by side on a server.
func clientFaults() []fault {
	return slices.Concat([]fault{killClient, killClientLater, killClientLater, endedAgainAndAgain}, signals(), endings())
}

// endedAgainAndAgain ends one backend of the load after another, whatever the backend is doing.
var endedAgainAndAgain = fault{name: "backends ended again and again (57P01)", inject: func(tr *trial) {
	tr.t.Helper()
	tr.b.release()
	for range 5 {
		time.Sleep(time.Duration(tr.rng.IntN(150)) * time.Millisecond)
		tr.exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and datname = current_database() order by random() limit 1", tr.application())
	}
}, exitCodes: always(0)}

const twice = "two loads at once"

// try runs the trial of a seed. Odd seeds need a server that the test may damage; for even seeds it is
// nil.
func (k *soak) try(t *testing.T, server *pgtest.Server, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 20))
	faults := clientFaults()
	if server != nil {
		faults = outages()
	} else if rng.IntN(len(faults)+1) == 0 {
		ok := t.Run(fmt.Sprintf("seed %d: %s", seed, twice), func(t *testing.T) {
			s := sandboxIn(t, pgtest.Database(t), "public")
			s.startTwice(appendArgs(boxes(60, 50), "--chunk-rows", "500", "--progress", "json"), 60, 50)
		})
		k.count(twice, loader.StagePlan, seed, ok)
		return
	}

	f := faults[rng.IntN(len(faults))]
	// Choose a stage first: most places are in the stages load and index.
	stages := loader.Stages()
	name, w, where := anyPlace(t, rng, stages[rng.IntN(len(stages))])
	ok := t.Run(fmt.Sprintf("seed %d: %s: %s: %s", seed, name, where, f.name), func(t *testing.T) {
		newTrial(t, server, w, where, seed).run(f)
	})
	k.count(f.name, places()[where].stage, seed, ok)
}

// The soak tries random faults until its time is over. It reports how many of each it tried and which
// failed. Without LOADGRID_SOAK, it runs some trials of each kind, to check that the soak works.
func TestSoak(t *testing.T) {
	k := &soak{faults: map[string]*tally{}, stages: map[loader.Stage]int{}}
	newServer := func() *pgtest.Server { return pgtest.NewServer(t, map[string]string{"wal_writer_delay": "10s"}) }
	if seed, ok := testrand.Given(t); ok {
		var server *pgtest.Server
		if seed%2 == 1 {
			server = newServer()
		}
		k.try(t, server, seed)
		return
	}

	text := os.Getenv(soakVariable)
	if text == "" {
		t.Parallel()
		for seed := range uint64(10) {
			k.try(t, nil, 2*seed)
		}
		t.Logf("\n%s", k.table())
		return
	}

	limit, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", soakVariable, err)
	}

	end, first := time.Now().Add(limit), rand.Uint64N(1<<40)
	var next sync.Mutex
	n := uint64(0)
	seed := func(odd uint64) uint64 {
		next.Lock()
		defer next.Unlock()
		n++
		return 2*(first+n) + odd
	}

	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			for time.Now().Before(end) {
				k.try(t, nil, seed(0))
			}
		})
	}

	server := newServer()
	for time.Now().Before(end) {
		k.try(t, server, seed(1))
		if !server.Answers() {
			// Its own trial has failed; give the others a server that works.
			t.Log("the server did not restart after a crash: see its log")
			server = newServer()
		}
	}

	workers.Wait()
	t.Logf("after %s\n%s", limit, k.table())
	checkHits(t, k.stages)
}
