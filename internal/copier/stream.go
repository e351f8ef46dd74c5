package copier

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// CountError reports a chunk whose counts of rows differ. It means a bug in loadgrid or in the server. The chunk
// is not committed.
type CountError struct {
	Chunk                      int64
	Planned, Generated, Copied int64
}

func (e *CountError) Error() string {
	return fmt.Sprintf("chunk %d: %d rows planned, %d generated, %d reported by COPY", e.Chunk, e.Planned, e.Generated, e.Copied)
}

// stream is one connection that copies one chunk after another. It is opened again if it breaks.
type stream struct {
	Copier
	counters *counters
	conn     *pgxpool.Conn
}

// copy copies a chunk, and tries again if the error is transient.
func (s *stream) copy(ctx context.Context, c plan.Chunk) error {
	ctx, end := s.Observer.Span(ctx, "chunk", attribute.Int64("loadgrid.chunk", c.No), attribute.Int64("loadgrid.rows", c.Rows))

	err := s.Observer.Retry(ctx, observe.RetryFor, "copy", func() error {
		if s.conn == nil {
			conn, err := s.Pool.Acquire(ctx)
			if err != nil {
				return pg.Wrap(err, "connecting a stream")
			}
			s.conn = conn
		}

		copied, err := s.copyChunk(ctx, c)
		if err != nil {
			if s.conn.Conn().IsClosed() {
				s.close()
			}
			return err
		}

		s.count(ctx, c, copied)

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

// count counts a committed chunk. This attempt committed it, or an earlier one of this run whose answer was lost.
func (s *stream) count(ctx context.Context, c plan.Chunk, copied bool) {
	reported := c.Rows / s.Loader.rowsPerDone()
	if !copied {
		s.Observer.Log.Info("the chunk of the lost answer was committed", "chunk", c.No)
		reported = 0
	}

	s.Observer.Progress.Add(c.Rows - reported)
	s.counters.chunks.Add(1)
	s.counters.rows.Add(c.Rows)
	s.Observer.Event(ctx, "chunk is committed", "chunk", c.No, "rows", c.Rows)
}

// copyChunk copies one chunk in one transaction, after its table is prepared. The transaction writes the chunk's
// row in the ledger, creates the table or partition if necessary, runs COPY, checks the counts, and completes a
// partition. copyChunk returns false if the ledger already has the chunk, because an earlier attempt was
// committed although its answer was lost.
func (s *stream) copyChunk(ctx context.Context, c plan.Chunk) (copied bool, err error) {
	if sql := s.Loader.prepare(c); sql != "" {
		if _, err := s.conn.Exec(ctx, sql); err != nil {
			return false, pg.Wrap(pg.MarkConnClosed(s.conn.Conn(), err), "creating the table of chunk %d of %s", c.No, s.Staging.Table)
		}
	}

	rows := NewCountedRows(s.Plan.NewRows(ctx, c), s.Observer.Progress, s.Loader.rowsPerDone(), &s.counters.bytes)

	err = pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
		if err := s.setLocal(ctx, tx); err != nil {
			return err
		}

		if err := s.Ledger.InsertChunk(ctx, tx, s.Run, c); err != nil {
			return pg.Wrap(err, "adding chunk %d to the ledger", c.No)
		}

		into, create, frozen := s.Loader.place(c)
		if err := s.makeTable(ctx, tx, into, create); err != nil {
			return err
		}

		if err := s.copyRows(ctx, tx, rows, c, SQL(into, s.Plan.Job, "stdin", frozen)); err != nil {
			return err
		}

		return s.Loader.finish(ctx, tx, into, c)
	})
	if err == nil {
		return true, nil
	}

	rows.discard()

	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == pgerrcode.UniqueViolation && pgErr.ConstraintName == "chunks_pkey" {
		return false, nil
	}

	return false, pg.Wrap(pg.MarkConnClosed(s.conn.Conn(), err), "committing chunk %d of %s", c.No, s.Staging.Table)
}

// setLocal sets parameters for the transaction of a chunk. A commit that spans several nodes waits for the disk.
// Otherwise, a crash of the coordinator could remove the row in the ledger, but not the rows that the other nodes
// committed.
func (s *stream) setLocal(ctx context.Context, tx pgx.Tx) error {
	if !s.Spread {
		return setting.SetLocal(ctx, tx, setting.AsyncCommit())
	}

	if s.Plan.Job.Distribute != "" {
		if err := setting.SetLocal(ctx, tx, setting.OneConnection()); err != nil {
			return err
		}
	}

	return setting.WaitForDisk(ctx, tx)
}

// makeTable creates the table of a chunk if the chunk's own transaction does that. It locks a table that existed
// before: nobody else may add code there.
func (s *stream) makeTable(ctx context.Context, tx pgx.Tx, into job.Table, create string) error {
	if create == "" {
		return s.Ledger.LockStaging(ctx, tx, s.Staging, "row exclusive")
	}

	_, err := tx.Exec(ctx, create)

	return pg.Wrap(err, "creating table %s", into)
}

func (s *stream) copyRows(ctx context.Context, tx pgx.Tx, rows *CountedRows, c plan.Chunk, sql string) error {
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, rows, sql)
	if err != nil {
		return pg.Wrap(errors.Join(pg.MarkConnClosed(tx.Conn(), err), ctx.Err()), "copying chunk %d into %s", c.No, s.Staging.Table)
	}

	if n := rows.counted; n != c.Rows || tag.RowsAffected() != c.Rows {
		return &CountError{c.No, c.Rows, n, tag.RowsAffected()}
	}

	return nil
}
