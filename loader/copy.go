package loader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
	"github.com/loadgrid/loadgrid/loader/progress"
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
// then the table or partition where the chunk is to make one, then COPY, then the
// check of the counts, then what a partition has beside its rows, then commit. It
// returns false when the ledger has the chunk already, since an earlier attempt
// was committed although its answer was lost.
func (l *load) copyChunk(ctx context.Context, conn *pgxpool.Conn, c plan.Chunk) (copied bool, err error) {
	rows := &countedRows{rows: l.plan.NewRows(ctx, c), progress: l.progress, share: l.copyShare(), bytes: &l.bytesCopied}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := pg.SetLocal(ctx, tx, pg.AsyncCommit()); err != nil {
			return err
		}
		if err := l.ledger.InsertChunk(ctx, tx, l.run, c); err != nil {
			return pg.Wrap(err, "writing chunk %d into the ledger", c.No)
		}
		into, sql, frozen := l.place(c)
		if sql != "" {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return pg.Wrap(err, "making table %s", into)
			}
		}
		if err := l.copyRows(ctx, tx, rows, c, copySQL(into, l.plan.Job, frozen)); err != nil {
			return err
		}
		if l.plan.Method == plan.MethodPartitions {
			return l.finishPartition(ctx, tx, into, c)
		}
		return nil
	})
	if err == nil {
		return true, nil
	}
	rows.discard()
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "23505" && pgErr.ConstraintName == "chunks_pkey" {
		return false, nil
	}
	return false, pg.Wrap(pg.MarkConnClosed(conn.Conn(), err), "committing chunk %d of %s", c.No, l.staging.Table)
}

// place returns the table that a chunk goes into, and, where the chunk's own
// transaction makes it, the statement for that: then no other can see its rows,
// and they may be frozen at once.
func (l *load) place(c plan.Chunk) (into job.Table, create string, frozen bool) {
	job := l.plan.Job
	switch l.plan.Method {
	case plan.MethodFrozen:
		return l.staging.Table, l.staging.CreateSQL(job), true
	case plan.MethodPartitions:
		from, to := l.plan.Bounds(c)
		into = l.staging.StagedPartition(c.No)
		return into, l.staging.CreatePartitionSQL(job, into, from, to), true
	}
	return l.staging.Table, "", false
}

func (l *load) copyRows(ctx context.Context, tx pgx.Tx, rows *countedRows, c plan.Chunk, sql string) error {
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, rows, sql)
	if err != nil {
		return pg.Wrap(errors.Join(pg.MarkConnClosed(tx.Conn(), err), ctx.Err()), "copying chunk %d into %s", c.No, l.staging.Table)
	}
	if n := rows.counted; n != c.Rows || tag.RowsAffected() != c.Rows {
		return &CountError{c.No, c.Rows, n, tag.RowsAffected()}
	}
	return nil
}

func copySQL(into job.Table, job job.Job, frozen bool) string {
	return copyFromSQL(into, job, "stdin", frozen)
}

// copyFromSQL takes the rows from stdin, or from a file whose name is quoted.
func copyFromSQL(into job.Table, job job.Job, source string, frozen bool) string {
	options := "format binary"
	if frozen {
		options += ", freeze"
	}
	return "copy " + catalog.QuoteTable(into) + " (" + catalog.ColumnList(job.Columns()) + ") from " + source + " (" + options + ")"
}

// copyShare is how much of a row is done when it is copied: half of it where its
// partition is then indexed in the same transaction.
func (l *load) copyShare() int64 {
	if l.plan.Method == plan.MethodPartitions {
		return 2
	}
	return 1
}

// countedRows tells the progress of what goes out. The driver may still be in a
// Read when a COPY has failed and returned, so it has a lock, one a packet.
type countedRows struct {
	mu       sync.Mutex
	rows     *plan.Rows
	progress *progress.Progress
	share    int64 // so many rows that go out count as one that is done
	counted  int64 // rows that went out
	bytes    *atomic.Int64
	over     bool // the attempt has failed
}

func (r *countedRows) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return 0, errAttemptOver
	}
	n, err := r.rows.Read(p)
	r.bytes.Add(int64(n))
	r.progress.Add(r.rows.Generated()/r.share - r.counted/r.share)
	r.counted = r.rows.Generated()
	return n, err
}

var errAttemptOver = errors.New("this attempt at the chunk is over")

// discard makes what a failed attempt told unsaid, and ends it.
func (r *countedRows) discard() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Add(-(r.counted / r.share))
	r.counted, r.over = 0, true
}
