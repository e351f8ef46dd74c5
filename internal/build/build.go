// Package build owns the steps that make a filled table ready to query: freezing pages, and
// building keys, indexes and statistics.
package build

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/setting"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Conns is the number of connections that Index uses at a time: one for the slow spatial index, one
// for the others.
const Conns = 2

// ErrUnloggedLost reports an unlogged table that a server crash has emptied.
var ErrUnloggedLost = errors.New("a crash of the server has emptied the unlogged staging table: run the same command again")

// Work is the work that is left on a filled staging table. The zero value only counts the rows.
type Work struct {
	// Freeze marks the rows in the pages as permanently visible to all.
	Freeze bool
	// Key builds the primary key. The Indexes are built at the same time.
	Key     bool
	Indexes []catalog.IndexDef
	// Counted means that the rows were counted when the table was filled.
	Counted bool
	// Analyze gathers the statistics of the table. For a partitioned table it gathers only those of
	// the whole, because the partitions already have theirs.
	Analyze, Partitioned bool
}

// Builder builds what a staging table lacks.
type Builder struct {
	Pool     *pgxpool.Pool
	Observer *observe.Observer
	Ledger   ledger.Ledger
	Settings setting.Server
	Plan     *plan.Plan
	Run      int64
	Staging  catalog.Relation
	Work     Work
	// Settle waits until all nodes of a cluster have all committed data: an unfinished commit on a
	// node locks its shards.
	Settle func(context.Context) error
}

// Freeze freezes the pages of the table or its partitions, and removes the rows of interrupted
// chunks. It runs before the indexes are built, because it would have to read those, too.
func (b Builder) Freeze(ctx context.Context) error {
	if !b.Work.Freeze {
		return nil
	}

	defer b.watch(ctx, vacuumShareSQL)()

	return b.Observer.Retry(ctx, observe.RetryFor, "freeze", func() error {
		err := exec(ctx, b.Pool, "vacuum (freeze, index_cleanup off, truncate off) "+b.Staging.SQL())
		return pg.Wrap(err, "freezing %s", b.Staging.Table)
	})
}

// Analyze gathers the table's statistics, so that they exist before readers come.
func (b Builder) Analyze(ctx context.Context) error {
	if !b.Work.Analyze {
		return nil
	}

	return b.Observer.Retry(ctx, observe.RetryFor, "analyze", func() error {
		if b.Work.Partitioned {
			return AnalyzePartitioned(ctx, b.Pool, b.Staging)
		}

		return Analyze(ctx, b.Pool, b.Staging)
	})
}

// Analyze gathers the statistics of a table and its partitions.
func Analyze(ctx context.Context, pool *pgxpool.Pool, t catalog.Relation) error {
	return pg.Wrap(exec(ctx, pool, "analyze "+t.SQL()), "analyzing %s", t.Table)
}

// AnalyzePartitioned gathers the statistics of a partitioned table as a whole. Plain ANALYZE would
// analyze each partition again. ANALYZE skips locked tables, so this function locks the partitions
// for a moment that readers and writers do not notice. The server still reads the partitions for
// the sample.
func AnalyzePartitioned(ctx context.Context, pool *pgxpool.Pool, t catalog.Relation) error {
	parts, err := t.Partitions(ctx, pool)
	if err != nil {
		return err
	}

	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		lock := "lock table "
		for i, p := range parts {
			if i > 0 {
				lock += ", "
			}
			lock += "only " + p.SQL()
		}

		if _, err := tx.Exec(ctx, lock+" in share update exclusive mode"); err != nil {
			return err
		}

		return exec(ctx, pool, "analyze (skip_locked) "+t.SQL())
	})

	return pg.Wrap(err, "analyzing %s", t.Table)
}

// exec runs a statement that may take long, on its own connection.
func exec(ctx context.Context, pool *pgxpool.Pool, sql string) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()

	_, err = conn.Exec(ctx, sql)

	return pg.MarkConnClosed(conn.Conn(), err)
}

// execWith runs a statement in a transaction with its own settings.
func execWith(ctx context.Context, pool *pgxpool.Pool, settings []setting.Parameter, sql string) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()

	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := setting.SetLocal(ctx, tx, settings...); err != nil {
			return err
		}

		_, err := tx.Exec(ctx, sql)

		return err
	})

	return pg.MarkConnClosed(conn.Conn(), err)
}

const vacuumShareSQL = `
	select coalesce(max(heap_blks_scanned::float8 / nullif(heap_blks_total, 0)), 0)
	from pg_stat_progress_vacuum where relid = $1 and datname = current_database()`

// watch asks the server every second how much of the stage is done, between 0 and 1, until the
// returned function is called. $1 of the query is the staging table.
func (b Builder) watch(ctx context.Context, sql string, args ...any) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)

	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()

		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}

			var share float64
			if err := b.Pool.QueryRow(ctx, sql, append([]any{b.Staging.OID}, args...)...).Scan(&share); err == nil {
				b.Observer.Progress.Set(int64(share * float64(b.Plan.Rows)))
			}
		}
	})

	return func() {
		cancel()
		watching.Wait()
	}
}

// builtByAnother reports whether the build of an index failed because the index exists by now. An
// earlier try built it, or an earlier attempt whose backend continued after its client was killed.
func builtByAnother(err error) bool {
	var pgErr *pgconn.PgError

	return errors.As(err, &pgErr) && (pgErr.Code == pgerrcode.DuplicateTable ||
		pgErr.Code == pgerrcode.UniqueViolation && pgErr.ConstraintName == "pg_class_relname_nsp_index")
}

// lostRows reports a staging table whose number of rows differs from the ledger.
func (b Builder) lostRows(rows int64) error {
	if b.Plan.Job.Unlogged {
		return ErrUnloggedLost
	}

	return &ledger.UnfinishedError{Run: b.Run, Schema: b.Ledger.Schema,
		Err: fmt.Errorf("staging table %s holds %d rows, but the ledger has %d: somebody changed it, so its run cannot be finished", b.Staging.Table, rows, b.Plan.Rows)}
}
