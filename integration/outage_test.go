package integration

import (
	"fmt"
	"testing"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// Ended backends are replaced and the load continues. A cancelled statement ends the load, because
// somebody wants that.
func TestBackendsEndedInEachStage(t *testing.T) {
	faults := endings()
	forEach(t, []string{"chunks, replace", "partitions"}, func(n int) fault { return faults[n%len(faults)] })
}

// The server is killed or stopped, then restarted: loads wait for it and continue. Commits that did not
// wait for the disk are lost here.
func TestServerAway(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, map[string]string{"wal_writer_delay": "10s"})
	faults, all := outages(), moreScenarios(t)
	for n, met := range []struct {
		scenario, place string
		fault           int
	}{
		{"chunks, replace", "load", 0},
		{"frozen", "index", 0},
		{"partitions", "attach", 1},
		{"chunks, unlogged", "load", 0},
		{"frozen, replace, unlogged", "analyze", 0},
		{"partitions, replace", "publish of partitions", 0},
		{"chunks, append", "publish of rows", 2},
		{"chunks, replace, unlogged", "index", 2},
	} {
		f := faults[met.fault]
		t.Run(fmt.Sprintf("%s: %s: %s", met.scenario, met.place, f.name), func(t *testing.T) {
			newTrial(t, server, all[met.scenario], met.place, uint64(n)).run(f)
		})
	}
}

// A client is killed while it fills an unlogged table. Then the server is killed before it has written to
// disk that the transaction was rolled back; it restarts at once. If the transaction that fills the table
// also made it, PostgreSQL's first start fails: see StartOnceMore.
func TestServerKilledAfterAnUnloggedLoadWas(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, map[string]string{"wal_writer_delay": "10s"})

	f := fault{name: "client SIGKILL, server SIGKILL and start", inject: func(tr *trial) {
		tr.exec("create table written (); drop table written") // flushes what the load has logged so far
		_ = tr.p.cmd.Process.Kill()
		tr.p.wait()
		tr.exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and datname = current_database()", tr.application())
		tr.waitForEnd()
		tr.server.Kill()
		tr.b.markServerGone()
		tr.server.Start()
	}, exitCodes: always(-1)}

	for scenario, place := range map[string]string{"frozen, unlogged": "load", "partitions, unlogged": "load of a partition"} {
		t.Run(scenario, func(t *testing.T) {
			w := moreScenarios(t)[scenario]
			w.load = appendArgs(w.load, "--streams", "1") // another stream may be building an index that is not committed

			newTrial(t, server, w, place, 0).run(f)
		})
	}
}
