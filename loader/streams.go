package loader

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/plan"
	"go.opentelemetry.io/otel/attribute"
	"golang.org/x/sync/errgroup"
)

// copyChunks copies the chunks that are not committed yet, over as many
// connections as the job has streams.
func (l *load) copyChunks(ctx context.Context) error {
	var next atomic.Int64 // the chunk that the next free stream takes
	g, ctx := errgroup.WithContext(ctx)
	for range min(int64(l.plan.Streams), l.plan.Chunks-int64(len(l.done))) {
		g.Go(func() error {
			s := stream{load: l}
			defer s.close()
			for {
				no := next.Add(1) - 1
				if no >= l.plan.Chunks {
					return nil
				}
				if l.done[no] {
					continue
				}
				if err := s.copy(ctx, l.plan.Chunk(no)); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// stream is one connection that copies chunk after chunk. It is kept from one
// chunk to the next, and made anew when it broke.
type stream struct {
	load *load
	conn *pgxpool.Conn
}

// copy copies a chunk, and tries again where the error may pass.
func (s *stream) copy(ctx context.Context, c plan.Chunk) error {
	ctx, end := s.load.span(ctx, "chunk", attribute.Int64("loadgrid.chunk", c.No), attribute.Int64("loadgrid.rows", c.Rows))
	err := s.load.retry(ctx, retryFor, "copy", func() error {
		if s.conn == nil {
			conn, err := s.load.pool.Acquire(ctx)
			if err != nil {
				return pg.Wrap(err, "connecting a stream")
			}
			s.conn = conn
		}
		copied, err := s.load.copyChunk(ctx, s.conn, c)
		if err != nil {
			if s.conn.Conn().IsClosed() {
				s.close()
			}
			return err
		}
		s.load.chunkDone(ctx, c, copied)
		return nil
	}, "chunk", c.No)
	end(err)
	return err
}

func (s *stream) close() {
	if s.conn != nil {
		s.conn.Release()
		s.conn = nil
	}
}

// chunkDone counts a chunk that is committed: by this attempt, or by an earlier
// one of this run whose answer was lost.
func (l *load) chunkDone(ctx context.Context, c plan.Chunk, copied bool) {
	told := c.Rows / l.copyShare()
	if !copied {
		l.log.Info("the lost answer was a commit", "chunk", c.No)
		told = 0
	}
	l.progress.Add(c.Rows - told)
	l.chunksCopied.Add(1)
	l.rowsCopied.Add(c.Rows)
	l.log.Log(ctx, LevelEvent, "chunk is committed", "chunk", c.No, "rows", c.Rows)
}
