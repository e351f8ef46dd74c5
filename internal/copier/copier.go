// Package copier copies the rows into the staging table: streams copy one chunk after another, each in one
// transaction with its row in the ledger.
package copier

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Copier copies the uncommitted chunks of a run.
type Copier struct {
	Pool     *pgxpool.Pool
	Observer *observe.Observer
	Ledger   ledger.Ledger
	Plan     *plan.Plan
	Loader   Loader
	Run      int64
	Staging  catalog.Relation
	Done     map[int64]bool // chunks that earlier attempts committed
	// Spread is true if rows go to other nodes of a Citus cluster.
	Spread bool
}

// Result is what this attempt copied and committed. For a failed attempt, it is what was known until then.
type Result struct {
	Chunks int64
	Rows   int64
	Bytes  int64 // sent by COPY, including retries
	// Staging is the staging table, which the first chunk may have created.
	Staging catalog.Relation
}

// counters collect the result while the streams work.
type counters struct {
	chunks, rows, bytes atomic.Int64
}

// Copy copies what earlier attempts did not. Its commits do not wait for the disk, and a server crash may have
// removed the last ones. So at the end, after a commit that does wait, it asks the ledger which commits exist.
func (c Copier) Copy(ctx context.Context) (Result, error) {
	var n counters
	err := c.copyAll(ctx, &n)
	if err == nil {
		err = c.Staging.Find(ctx, c.Pool)
	}

	return Result{Chunks: n.chunks.Load(), Rows: n.rows.Load(), Bytes: n.bytes.Load(), Staging: c.Staging}, err
}

func (c Copier) copyAll(ctx context.Context, n *counters) error {
	for {
		if err := c.copyChunks(ctx, n); err != nil {
			return err
		}

		rows, err := c.flush(ctx)
		if err != nil {
			return err
		}

		if missing := c.Plan.Chunks - int64(len(c.Done)); missing > 0 {
			c.Observer.Log.Warn("a server crash removed committed chunks: copying them again", "chunks", missing)
			c.Observer.Progress.Add(rows - c.Plan.Rows)
			n.chunks.Add(-missing)
			continue
		}

		if rows != c.Plan.Rows {
			return fmt.Errorf("%d rows planned, %d committed", c.Plan.Rows, rows)
		}

		return nil
	}
}

// flush makes the server write its commits to disk, and then reads which chunks the ledger has, and how many rows
// they are.
func (c *Copier) flush(ctx context.Context) (rows int64, err error) {
	err = c.Observer.Retry(ctx, observe.RetryFor, "ledger", func() (err error) {
		if err = c.Ledger.FlushCommits(ctx, c.Pool, c.Run); err != nil {
			return err
		}

		c.Done, rows, err = c.Ledger.CommittedChunks(ctx, c.Pool, c.Run)

		return err
	})

	return rows, err
}

// copyChunks copies the missing chunks over as many connections as the plan has streams.
func (c Copier) copyChunks(ctx context.Context, n *counters) error {
	var next atomic.Int64 // chunk for the next free stream
	g, ctx := errgroup.WithContext(ctx)

	for range min(int64(c.Plan.Streams), c.Plan.Chunks-int64(len(c.Done))) {
		g.Go(func() error {
			s := stream{Copier: c, counters: n}
			defer s.close()

			for {
				no := next.Add(1) - 1
				if no >= c.Plan.Chunks {
					return nil
				}

				if c.Done[no] {
					continue
				}

				if err := s.copy(ctx, c.Plan.Chunk(no)); err != nil {
					return err
				}
			}
		})
	}

	return g.Wait()
}
