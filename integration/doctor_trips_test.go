package integration

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/loader"
)

// tripCounter counts the round trips of a connection: how often it sends something after it received
// something.
type tripCounter struct {
	net.Conn
	trips *atomic.Int64
	asked atomic.Bool
}

func (c *tripCounter) Write(p []byte) (int, error) {
	if !c.asked.Swap(true) {
		c.trips.Add(1)
	}
	return c.Conn.Write(p)
}

func (c *tripCounter) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.asked.Store(false)
	}
	return n, err
}

// tripsOf returns how many round trips a load takes, on all of its connections.
func (s sandbox) tripsOf(change func(*loader.Job)) int64 {
	s.t.Helper()

	var trips atomic.Int64
	pool := openPool(s.t, s.dsn, func(c *pgxpool.Config) {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return &tripCounter{Conn: conn, trips: &trips}, err
		}
	})

	job := s.smallJob(0)
	change(&job)
	if _, err := loader.Run(context.Background(), pool, job, loader.Options{}); err != nil {
		s.t.Fatal(err)
	}

	return trips.Load()
}

// The round trips that doctor reports for latency: of a load, and of each chunk and partition.
func TestRoundTripsOfALoad(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)

	plain := s.tripsOf(func(*loader.Job) {})
	chunks := func(n int64) int64 {
		return s.tripsOf(func(j *loader.Job) {
			j.Streams, j.ChunkRows, j.Table.Name = 1, smallCols*smallRows/n, fmt.Sprint("in_chunks_", n)
		})
	}
	partitions := func(n int) int64 {
		return s.tripsOf(func(j *loader.Job) { j.Partitions, j.Table.Name = n, fmt.Sprint("in_partitions_", n) })
	}

	chunk := float64(chunks(20)-chunks(10)) / 10
	partition := float64(partitions(32)-partitions(16)) / 16
	t.Logf("%d round trips, %.1f more for a chunk, %.1f for a partition", plain, chunk, partition)

	// The numbers of the finding "latency". Some round trips depend on how long a load takes.
	if plain < 150 || plain > 210 || chunk < 7 || chunk > 9 || partition < 11 || partition > 13 {
		t.Error("internal/doctor and docs/doctor.md say 180, 8 and 12")
	}
}
