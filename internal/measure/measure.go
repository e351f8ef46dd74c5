// Package measure owns the numbers of a finished load: the size of its table, and the WAL that the
// server wrote meanwhile.
package measure

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// Size is the size of a table. Unknown numbers are 0.
type Size struct {
	Rows, HeapBytes, IndexBytes int64
}

// Table returns the size of a published table with its partitions. It is best effort: log gets the
// reasons for unknown numbers.
func Table(ctx context.Context, pool *pgxpool.Pool, l ledger.Ledger, cluster citus.Cluster, name job.Table, log *slog.Logger) (s Size) {
	var err error
	if s.Rows, err = l.RowsShown(ctx, pool, name); err != nil {
		log.Warn("the table is published, but its number of rows is unknown", "error", pg.Message(err))
	}

	s.HeapBytes, s.IndexBytes, err = distribution.Size(ctx, pool, cluster, name)
	if err != nil {
		log.Warn("the table is published, but its size is unknown", "error", pg.Message(err))
	}

	return s
}

// WAL returns how many bytes of WAL the server has written in its life, 0 if it does not report
// them.
func WAL(ctx context.Context, pool *pgxpool.Pool) int64 {
	var n int64
	if err := pool.QueryRow(ctx, "select (pg_current_wal_insert_lsn() - '0/0')::bigint").Scan(&n); err != nil {
		return 0
	}

	return n
}
