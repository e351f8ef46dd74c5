package loader

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// serverSettings is what the server says of itself that settings of a session
// are sized from, in bytes.
type serverSettings struct {
	maintenanceMemory int64 // maintenance_work_mem, as it stands
	cache             int64 // effective_cache_size: what its administrator counts on for caching
}

func readSettings(ctx context.Context, q querier) (s serverSettings, err error) {
	err = q.QueryRow(ctx, `
		select pg_size_bytes(current_setting('maintenance_work_mem')),
		       pg_size_bytes(current_setting('effective_cache_size'))`).Scan(&s.maintenanceMemory, &s.cache)
	return s, serverError(err, "asking the server for its settings")
}

// Memory in bytes that the sort of an index build takes for an entry: 24 for its
// slot, the entry, and the allocator's share. 3.2 million boxes take 237 MB, as
// trace_sort tells. PostgreSQL sorts for GiST from PostgreSQL 15 with PostGIS 3.3
// on, and takes a tenth longer where it has to do that on disk.
const (
	sortedKey  = 48
	sortedBox  = 80
	sortedCode = 96 // a key and a text of up to 48 bytes beside it
)

// setting is a parameter of the server for one transaction. None of them needs a
// superuser.
type setting struct{ name, value string }

// setLocal sets parameters until the transaction's end: a pool that the caller
// of Run owns gets its connections back as they were.
func setLocal(ctx context.Context, tx pgx.Tx, settings ...setting) error {
	var names, values []string
	for _, s := range settings {
		names, values = append(names, s.name), append(values, s.value)
	}
	_, err := tx.Exec(ctx, "select set_config(n, v, true) from unnest($1::text[], $2::text[]) s (n, v)", names, values)
	return serverError(err, "setting %v", names)
}

// laterDurable lets a commit return before its WAL is on disk. A crash of the
// server may then take the last chunks away, each together with its row in the
// ledger, so the two agree, and the chunks are copied again. What comes after
// the load stage waits for the disk: see copyAll.
func laterDurable() setting { return setting{"synchronous_commit", "off"} }

// sortMemory gives an index build over so many rows, with so many bytes for each,
// the memory to sort in one go, if so many builds at a time take no more than a
// sixteenth of what the server caches in: an eighth in all for a plain table's key
// and spatial index, which differ in size. It never gives less than the server would.
func (s serverSettings) sortMemory(rows, entry, builds int64) setting {
	bytes := min(rows*entry+1<<20, s.cache/16/builds)
	return setting{"maintenance_work_mem", fmt.Sprintf("%dkB", max(bytes, s.maintenanceMemory)/1024)}
}

// oneWorker keeps an index build to its own process: others build beside it, and
// extra workers would take the processors from the one that is waited for.
func oneWorker() setting { return setting{"max_parallel_maintenance_workers", "0"} }
