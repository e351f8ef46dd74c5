// Package setting owns server parameters: those that are set for one transaction, and the settings
// that their values depend on.
package setting

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// Server has settings of the server from which parameters of a session are computed, in bytes.
type Server struct {
	maintenanceMemory int64 // maintenance_work_mem, as currently set
	cache             int64 // effective_cache_size: the memory for caching that the administrator expects
	copyMarks         bool
}

// ReadServer reads the server's settings.
func ReadServer(ctx context.Context, q pg.Querier) (s Server, err error) {
	err = q.QueryRow(ctx, `
		select pg_size_bytes(current_setting('maintenance_work_mem')),
		       pg_size_bytes(current_setting('effective_cache_size')),
		       current_setting('server_version_num')::integer >= 140000`).Scan(&s.maintenanceMemory, &s.cache, &s.copyMarks)
	return s, pg.Wrap(err, "asking the server for its settings")
}

// CopyMarksPages reports whether COPY FREEZE marks pages in the visibility map as visible to all,
// as it does from PostgreSQL 14 on. Older servers freeze only the rows, and until the next VACUUM
// queries read the table although its index would be enough.
func (s Server) CopyMarksPages() bool { return s.copyMarks }

// Parameter is a server parameter for one transaction. None of them needs a superuser.
type Parameter struct{ Name, Value string }

// SetLocal sets parameters until the end of the transaction, so that the connections of a caller's
// pool return unchanged from loader.Run.
func SetLocal(ctx context.Context, tx pgx.Tx, parameters ...Parameter) error {
	var names, values []string
	for _, s := range parameters {
		names, values = append(names, s.Name), append(values, s.Value)
	}

	_, err := tx.Exec(ctx, "select set_config(n, v, true) from unnest($1::text[], $2::text[]) s (n, v)", names, values)

	return pg.Wrap(err, "setting %v", names)
}

// AsyncCommit lets a commit return before its WAL is on disk. A crash of the server may then lose
// the last chunks, each together with its row in the ledger. The two still agree, and the chunks
// are copied again. Everything after the load stage waits for the disk: see package copier.
func AsyncCommit() Parameter { return Parameter{"synchronous_commit", "off"} }

// WaitForDisk makes the commit of a transaction wait for the disk, even if the role or the server
// has another setting: a crash of this server does not undo what the transaction did on other nodes
// of a cluster.
func WaitForDisk(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'")
	return pg.Wrap(err, "setting synchronous_commit")
}

// SortMemory gives an index build over this number of rows, with entry bytes for each, the memory
// to sort in one pass. All builds at a time together get at most a sixteenth of the server's cache
// size. A plain table's key and spatial index, which differ in size, get an eighth in total. The
// value is never less than the server's own.
func (s Server) SortMemory(rows, entry, builds int64) Parameter {
	bytes := min(rows*entry+1<<20, s.cache/16/builds)
	return Parameter{"maintenance_work_mem", fmt.Sprintf("%dkB", max(bytes, s.maintenanceMemory)/1024)}
}

// OneWorker limits an index build to its own process. Other builds run at the same time, and extra
// workers would take the processors from the slowest one.
func OneWorker() Parameter { return Parameter{"max_parallel_maintenance_workers", "0"} }

// OneConnection makes Citus copy to all shards of a node over few connections. By default it opens
// one for each shard, which takes longer for a chunk of 200,000 rows than the rows themselves: see
// docs/citus.md. Without Citus, nothing reads the parameter.
func OneConnection() Parameter { return Parameter{"citus.max_adaptive_executor_pool_size", "1"} }
