// Package setting owns parameters of the server: those that hold for one transaction, and what
// their values follow from.
package setting

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// Server is what the server says of itself: in bytes, what settings of a session are
// sized from.
type Server struct {
	maintenanceMemory int64 // maintenance_work_mem, as it stands
	cache             int64 // effective_cache_size: what its administrator counts on for caching
	copyMarks         bool
}

// ReadServer asks the server for its settings.
func ReadServer(ctx context.Context, q pg.Querier) (s Server, err error) {
	err = q.QueryRow(ctx, `
		select pg_size_bytes(current_setting('maintenance_work_mem')),
		       pg_size_bytes(current_setting('effective_cache_size')),
		       current_setting('server_version_num')::integer >= 140000`).Scan(&s.maintenanceMemory, &s.cache, &s.copyMarks)
	return s, pg.Wrap(err, "asking the server for its settings")
}

// CopyMarksPages reports whether COPY FREEZE notes in the visibility map that all may see
// the rows of a page, as it does from PostgreSQL 14 on. Before that it freezes the rows
// alone, and queries read the table where its index would do, until VACUUM has come by.
func (s Server) CopyMarksPages() bool { return s.copyMarks }

// Parameter is a parameter of the server for one transaction. None of them needs a
// superuser.
type Parameter struct{ Name, Value string }

// SetLocal sets parameters until the transaction's end: a pool that the caller
// of loader.Run owns gets its connections back as they were.
func SetLocal(ctx context.Context, tx pgx.Tx, parameters ...Parameter) error {
	var names, values []string
	for _, s := range parameters {
		names, values = append(names, s.Name), append(values, s.Value)
	}

	_, err := tx.Exec(ctx, "select set_config(n, v, true) from unnest($1::text[], $2::text[]) s (n, v)", names, values)

	return pg.Wrap(err, "setting %v", names)
}

// AsyncCommit lets a commit return before its WAL is on disk. A crash of the
// server may then take the last chunks away, each together with its row in the
// ledger, so the two agree, and the chunks are copied again. What comes after
// the load stage waits for the disk: see package copier.
func AsyncCommit() Parameter { return Parameter{"synchronous_commit", "off"} }

// WaitForDisk has the commit of a transaction wait for the disk where the role or the server says
// otherwise: what it has on other nodes of a cluster does not go with a crash of this one.
func WaitForDisk(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'")
	return pg.Wrap(err, "setting synchronous_commit")
}

// SortMemory gives an index build over so many rows, with so many bytes for each,
// the memory to sort in one go, if so many builds at a time take no more than a
// sixteenth of what the server caches in: an eighth in all for a plain table's key
// and spatial index, which differ in size. It never gives less than the server would.
func (s Server) SortMemory(rows, entry, builds int64) Parameter {
	bytes := min(rows*entry+1<<20, s.cache/16/builds)
	return Parameter{"maintenance_work_mem", fmt.Sprintf("%dkB", max(bytes, s.maintenanceMemory)/1024)}
}

// OneWorker keeps an index build to its own process: others build beside it, and
// extra workers would take the processors from the one that is waited for.
func OneWorker() Parameter { return Parameter{"max_parallel_maintenance_workers", "0"} }

// OneConnection has Citus copy to all shards of a node over few connections. It would open one for
// each shard otherwise, which costs a chunk of 200,000 rows more than the rows do: see
// docs/citus.md. Where there is no Citus, it is a parameter that nobody reads.
func OneConnection() Parameter { return Parameter{"citus.max_adaptive_executor_pool_size", "1"} }
