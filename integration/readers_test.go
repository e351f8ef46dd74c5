package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// readers query a table continuously, each on its own connection. They must never get an error or part of
// a version.
type readers struct {
	queries atomic.Int64
	slowest atomic.Int64 // nanoseconds
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// checkVersion queries the table once, on one snapshot: every version contains a square of cells, and
// each cell has the number of that version's columns. The query reads the window with the spatial index.
func checkVersion(ctx context.Context, conn *pgx.Conn, table string) error {
	var rows, ids, side, sides, window int64
	err := conn.QueryRow(ctx, `select count(*), count(distinct cell_id), coalesce(min(side), 0), count(distinct side),
		count(*) filter (where geom && st_makeenvelope(2.5, 2.5, 6.5, 6.5)) from `+table).Scan(&rows, &ids, &side, &sides, &window)
	if err != nil {
		return err
	}

	if rows != side*side || ids != rows || sides != 1 || window != 25 {
		return fmt.Errorf("%d rows, %d ids, %d versions, %d cells in the window of a version with %d columns", rows, ids, sides, window, side)
	}
	return nil
}

func startReaders(t *testing.T, pool *pgxpool.Pool, table string, count int) *readers {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := &readers{cancel: cancel}
	t.Cleanup(c.stop)

	for range count {
		conn, err := pgx.ConnectConfig(context.Background(), pool.Config().ConnConfig)
		if err != nil {
			t.Fatal(err)
		}

		c.wg.Go(func() {
			defer conn.Close(context.Background())
			for ctx.Err() == nil {
				began := time.Now()
				if err := checkVersion(context.Background(), conn, table); err != nil {
					t.Errorf("a reader: %v", err)
					return
				}

				c.queries.Add(1)
				for took := int64(time.Since(began)); ; {
					slowest := c.slowest.Load()
					if took <= slowest || c.slowest.CompareAndSwap(slowest, took) {
						break
					}
				}
				time.Sleep(time.Duration(rand.IntN(3000)) * time.Millisecond) // like people
			}
		})
	}

	return c
}

func (c *readers) stop() {
	c.cancel()
	c.wg.Wait()
}

// While a table is replaced again and again, a hundred readers see one version or the next, in order.
// They never see an error or part of a version.
func TestAHundredReadersOfATableThatIsReplaced(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, map[string]string{"max_connections": "130", "fsync": "off"})
	s := sandboxIn(t, server.DSN(), "public")
	for _, test := range []struct {
		name              string
		readers, replaces int64
		job               loader.Job
	}{
		{"plain", 100, 50, loader.Job{IfExists: loader.Replace, Keep: 2}},
		{"partitions", 20, 10, loader.Job{IfExists: loader.Replace, Partitions: 3, Keep: 1}},
		{"truncated", 20, 10, loader.Job{IfExists: loader.Replace, Publish: loader.PublishTruncate}},
	} {
		t.Run(test.name, func(t *testing.T) {
			name, job := test.name, test.job
			job.Table, job.LedgerSchema = loader.Table{Schema: s.schema, Name: name}, "ledger"
			job.Grid = geomgen.Grid{DX: 1, DY: 1}

			replace := func(side int64) {
				t.Helper()
				job.Cols, job.Rows = side, side
				c, err := loader.ParseConstant(fmt.Sprintf("side:integer=%d", side))
				if err != nil {
					t.Fatal(err)
				}

				job.Set = []loader.Constant{c}
				if _, err := loader.Run(context.Background(), s.pool, job, loader.Options{}); err != nil {
					t.Fatal(err)
				}
			}

			replace(10)
			c := startReaders(t, s.pool, s.name(name), int(test.readers))
			for i := range test.replaces {
				replace(10 + (i*7)%30)
			}

			c.stop()
			if n := c.queries.Load(); n < test.readers {
				t.Errorf("readers made only %d queries", n)
			}

			t.Logf("%d queries during %d replaces, the slowest took %s", c.queries.Load(), test.replaces, time.Duration(c.slowest.Load()).Round(time.Millisecond))
			s.checkNothingLeft()
		})
	}
}

// A snapshot that is older than the publish, of a transaction that has not touched the table yet, sees
// what docs/guarantees.md states: never part of a version, but possibly none of its rows.
func TestOlderSnapshots(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		rows int64
	}{
		"one transaction": {nil, 200},
		"chunks":          {[]string{"--chunk-rows", "50"}, 0},
		"partitions":      {[]string{"--partitions", "2"}, 200},
		"truncate":        {[]string{"--publish", "truncate"}, 0},
		"append":          {[]string{"--if-exists", "append"}, 100},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			first := append(boxes(10, 10), "--if-exists", "replace")
			if name == "partitions" {
				first = append(first, "--partitions", "2")
			}

			mustCLI(t, s.dsn, s.load("grid", first...)...)
			old, err := s.pool.BeginTx(context.Background(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = old.Rollback(context.Background()) }()

			// The first query takes the snapshot.
			if _, err := old.Exec(context.Background(), "select"); err != nil {
				t.Fatal(err)
			}

			second := append([]string{"--if-exists", "replace"}, boxes(20, 10)...)
			if name == "append" {
				second = []string{"--cell-size", "1", "--extent", "10,0,20,10"}
			}

			mustCLI(t, s.dsn, s.load("grid", append(second, test.args...)...)...)
			var rows int64
			if err := old.QueryRow(context.Background(), "select count(*) from "+s.name("grid")).Scan(&rows); err != nil {
				t.Fatal(err)
			}

			if rows != test.rows {
				t.Errorf("an older snapshot sees %d rows, want %d", rows, test.rows)
			}
			if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != 200 {
				t.Errorf("a new snapshot sees %d rows", n)
			}
		})
	}
}
