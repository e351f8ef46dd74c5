package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/internal/testrand"
)

const (
	// citusContainersVariable names the containers of the cluster's nodes, the coordinator's first. The
	// test kills and restarts them; each must keep its address.
	citusContainersVariable = "LOADGRID_TEST_CITUS_CONTAINERS"
	// citusTriesVariable is how often each node is killed in each place. Defaults to 1.
	citusTriesVariable = "LOADGRID_TEST_CITUS_TRIES"
)

// The places where a node is killed.
const (
	killedInBegin   = "between PREPARE and COMMIT PREPARED of the staging table"
	killedInLoad    = "load"
	killedInIndex   = "index"
	killedInAnalyze = "analyze"
	killedInPublish = "publish"
	killedInCommit  = "between PREPARE and COMMIT PREPARED of a chunk"
	killedInSwap    = "between PREPARE and COMMIT PREPARED of publish"
)

// A killed node neither loses nor duplicates a row: either loadgrid ends with the right table, or the
// same command completes it.
func TestCitusNodesKilled(t *testing.T) {
	dsn, nodes := os.Getenv(citusVariable), strings.Fields(os.Getenv(citusContainersVariable))
	if dsn == "" || len(nodes) < 2 {
		t.Skip(citusVariable + " and " + citusContainersVariable + " do not name nodes of a Citus cluster that the test may kill, so this was not tested")
	}

	tries := 1
	if n, err := strconv.Atoi(os.Getenv(citusTriesVariable)); err == nil {
		tries = n
	}

	places := []string{killedInBegin, killedInLoad, killedInIndex, killedInAnalyze, killedInPublish, killedInCommit, killedInSwap}
	rng := testrand.New(t, 13)

	for _, place := range places {
		for _, node := range nodes {
			t.Run(place+"/"+node, func(t *testing.T) {
				k := nodeKill{coordinator: newCoordinator(t, dsn), node: node, first: node == nodes[0], place: place}
				k.load(0)

				for try := range tries {
					k.try(try, time.Duration(200+rng.IntN(2000))*time.Millisecond)
				}

				t.Logf("%s", k.result(tries))
			})
		}
	}
}

// nodeKill kills a node in one place.
type nodeKill struct {
	coordinator
	node  string
	first bool // whether the node is the coordinator
	place string

	lost, doubled, reruns int
	longest, part, none   time.Duration
	readerCounts          int
}

func (k *nodeKill) result(tries int) string {
	return fmt.Sprintf("%s, %s: %d kills, %d rows lost, %d doubled, %d times the same command was needed again; right after %.1f s at most; readers saw a part for %.1f s, no table for %.1f s at most (%d answers)",
		k.place, k.node, tries, k.lost, k.doubled, k.reruns, k.longest.Seconds(), k.part.Seconds(), k.none.Seconds(), k.readerCounts)
}

// cols returns the number of columns of a try's grid, which differs from the previous try's.
func (k *nodeKill) cols(try int) int { return 200 + try%2 }

const killRows = 120

func (k *nodeKill) args(try int) []string {
	return k.coordinator.load("grid", appendArgs(boxes(k.cols(try), killRows), "--distribute", "hash:4", "--chunk-rows", "5000", "--if-exists", "replace", "--progress", "json")...)
}

// load loads the table that the try replaces.
func (k *nodeKill) load(try int) { mustCLI(k.t, k.dsn, k.args(try+1)...) }

// try kills the node once and starts it again after a while.
func (k *nodeKill) try(try int, down time.Duration) {
	p := start(k.t, k.dsn, k.args(try)...)
	release := k.reach(p)
	stop := k.read()

	k.docker("kill", k.node)
	killed := time.Now()

	if !k.first {
		release()
	}

	time.Sleep(down)
	k.docker("start", k.node)
	k.waitReady()

	if k.first {
		release()
	}

	r := p.wait()
	for again := 0; r.code != 0; again++ {
		if r.code != 1 && r.code != 4 || again > 3 {
			k.t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}

		k.t.Logf("exit code %d: %s", r.code, lastLine(r.stderr))
		k.reruns++
		r = cli(k.t, k.dsn, k.args(try)...)
	}

	k.longest = max(k.longest, time.Since(killed))
	stop()

	count := queryOne[int](k.t, k.pool, "select count(*) from "+k.name("grid"))
	cells := queryOne[int](k.t, k.pool, "select count(distinct cell_id) from "+k.name("grid"))
	k.lost += k.cols(try)*killRows - cells
	k.doubled += count - cells

	if n := k.prepared(); n != 0 {
		k.t.Errorf("%d transactions are prepared when loadgrid has ended", n)
	}

	k.checkGrid("grid", int64(k.cols(try)), killRows)
}

// reach waits until the load has reached the place. The returned function lets the load continue.
func (k *nodeKill) reach(p *process) (release func()) {
	active := "select exists (select from pg_stat_activity where application_name = $1 and state = 'active' and query ~* $2)"

	switch k.place {
	case killedInLoad:
		k.waitFor("a chunk to be committed", "select exists (select from "+k.name("chunks")+" c join "+k.name("runs")+" r on r.id = c.run_id where r.state = 'loading')")
	case killedInIndex:
		k.waitFor("an index to be built", active, k.application(), "^create (unique )?index")
	case killedInAnalyze:
		k.waitFor("ANALYZE", active, k.application(), "^analyze")
	case killedInPublish:
		conn := k.connect()
		for _, sql := range []string{"begin", "lock table " + k.name("grid") + " in access share mode"} {
			if _, err := conn.Exec(context.Background(), sql); err != nil {
				k.t.Fatal(err)
			}
		}
		k.waitFor("publish to wait for a reader", active+" and exists (select from pg_locks where not granted and relation = $3::text::regclass)", k.application(), "^lock table", k.name("grid"))

		return func() { _ = conn.Close(context.Background()) }
	case killedInBegin:
		k.hold(p, heldBegin, 0)
		return func() { k.setHold(false) }
	case killedInCommit:
		k.hold(p, heldChunk, 0)
		return func() { k.setHold(false) }
	case killedInSwap:
		k.hold(p, heldPublish, 0)
		return func() { k.setHold(false) }
	}

	return func() {}
}

func (k *nodeKill) docker(args ...string) {
	if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
		k.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// waitReady waits until the node takes connections, and the coordinator answers.
func (k *nodeKill) waitReady() {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := exec.Command("docker", "exec", k.node, "pg_isready", "-q", "-h", "127.0.0.1").Run()
		if err == nil {
			err = k.pool.Ping(context.Background())
		}

		if err == nil {
			return
		}

		if time.Now().After(deadline) {
			k.t.Fatalf("node %s does not restart: %v", k.node, err)
		}
	}
}

// read reads the table continuously until stop is called. It records for how long readers saw neither the
// old rows nor the new ones although the cluster answered.
func (k *nodeKill) read() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup

	reading.Go(func() {
		var part, none time.Time

		for ctx.Err() == nil {
			var n int
			asking, done := context.WithTimeout(ctx, 5*time.Second)
			err := k.pool.QueryRow(asking, "select count(*) from "+k.name("grid")).Scan(&n)
			done()

			var pgErr *pgconn.PgError
			whole := n == k.cols(0)*killRows || n == k.cols(1)*killRows
			span(&part, &k.part, err == nil && !whole)
			span(&none, &k.none, errors.As(err, &pgErr) && pgErr.Code == "42P01")

			if err == nil {
				k.readerCounts++
			}

			time.Sleep(20 * time.Millisecond)
		}
	})

	return func() {
		cancel()
		reading.Wait()
	}
}

// span keeps the longest time for which something has held without interruption.
func span(since *time.Time, longest *time.Duration, holds bool) {
	switch {
	case !holds:
		*since = time.Time{}
	case since.IsZero():
		*since = time.Now()
	default:
		*longest = max(*longest, time.Since(*since))
	}
}
