package loader

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// CountError reports a chunk whose number of rows is not the same everywhere.
// It means a fault in loadgrid or in the server, and the chunk is not committed.
type CountError struct {
	Chunk                      int64
	Planned, Generated, Copied int64
}

func (e *CountError) Error() string {
	return fmt.Sprintf("chunk %d: %d rows planned, %d generated, %d reported by COPY", e.Chunk, e.Planned, e.Generated, e.Copied)
}

// copyChunk copies one chunk in one transaction: its row in the ledger first,
// then COPY, then the check of the counts, then commit. It returns false when
// the ledger has the chunk already, since an earlier attempt was committed
// although its answer was lost.
func (l *load) copyChunk(ctx context.Context, conn *pgxpool.Conn, c Chunk) (copied bool, err error) {
	rows := &countedRows{rows: l.plan.NewRows(ctx, c), progress: l.progress}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := l.ledger.insertChunk(ctx, tx, l.run, c); err != nil {
			return serverError(err, "writing chunk %d into the ledger", c.No)
		}
		tag, err := tx.Conn().PgConn().CopyFrom(ctx, rows, l.copySQL())
		if err != nil {
			return serverError(errors.Join(lost(tx.Conn(), err), ctx.Err()), "copying chunk %d into %s", c.No, l.staging.Table)
		}
		if n := rows.told; n != c.Rows || tag.RowsAffected() != c.Rows {
			return &CountError{c.No, c.Rows, n, tag.RowsAffected()}
		}
		return nil
	})
	if err == nil {
		return true, nil
	}
	rows.takeBack()
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "23505" && pgErr.ConstraintName == "chunks_pkey" {
		return false, nil
	}
	return false, serverError(lost(conn.Conn(), err), "committing chunk %d of %s", c.No, l.staging.Table)
}

func (l *load) copySQL() string {
	return "copy " + l.staging.sql() + " (" + columnList(l.plan.Job.columns()) + ") from stdin (format binary)"
}

// countedRows tells the progress of what goes out. The driver may still be in a
// Read when a COPY has failed and returned, so it has a lock, one a packet.
type countedRows struct {
	mu       sync.Mutex
	rows     *Rows
	progress *Progress
	told     int64
	over     bool // the attempt has failed
}

func (r *countedRows) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return 0, errAttemptOver
	}
	n, err := r.rows.Read(p)
	r.progress.add(r.rows.Generated() - r.told)
	r.told = r.rows.Generated()
	return n, err
}

var errAttemptOver = errors.New("this attempt at the chunk is over")

// takeBack makes what a failed attempt told unsaid, and ends it.
func (r *countedRows) takeBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.add(-r.told)
	r.told, r.over = 0, true
}
