// Package appendplan owns what it takes to add a plan's rows to a table that is there: the
// rows, each of its indexes, and what would be cheaper.
package appendplan

import (
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Plan is what it takes to add a plan's rows to a table that is there,
// beside what it would take to load them into a new one.
type Plan struct {
	Table job.Table `json:"table"`
	// Exists is false where the table is not there: a load would make it as
	// planned, and the rest is empty.
	Exists bool `json:"exists"`
	// Rows is an estimate of the server's, as of its last ANALYZE or VACUUM.
	Rows      int64 `json:"rows"`
	HeapBytes int64 `json:"heap_bytes"`
	// Shards is how many a table has that is distributed over a Citus cluster. Rows and bytes
	// are those of all of them.
	Shards int `json:"shards,omitempty"`
	// Existing is how many of the plan's cells the table holds already. Counted
	// where they are skipped; else there are none, or they are an error.
	Existing int64 `json:"existing"`
	// Partitioned says that the table is, Attach that the rows come as partitions
	// of their own: they have their indexes before they are attached.
	Partitioned bool `json:"partitioned"`
	Attach      bool `json:"attach"`
	// Indexes are those of the table; of a partitioned one its own, with the sums
	// over all partitions. One that a partition has for itself is not among them.
	Indexes []Index `json:"indexes"`

	// Staging is to load the rows into a staging table with the key alone, and
	// Move to insert them from there into the table without its indexes, each of
	// which has its own cost. Where partitions are attached, Staging is to make
	// them with the indexes that they get beforehand, and Move is nothing.
	Staging Cost `json:"staging"`
	Move    Cost `json:"move"`
	Total   Cost `json:"total"` // of both, and of Indexes
	// NewTable is the same rows in a new table with the plan's indexes.
	NewTable Cost `json:"new_table"`
	// Hints say what would be cheaper. Often there are none.
	Hints []string `json:"hints"`

	// NoPartition says that no partition of the table is for the ids of these rows.
	NoPartition bool `json:"-"`
	// Unlogged says that the table is.
	Unlogged bool `json:"-"`
}

// Index is an index of the table, and what the new rows cost in it.
type Index struct {
	Name       string `json:"name"`
	Method     string `json:"method"` // the access method: btree, gist, brin ...
	Columns    string `json:"columns"`
	Constraint bool   `json:"constraint"` // a key of the table, which it must not be without
	Bytes      int64  `json:"bytes"`
	Rows       int64  `json:"rows"` // entries, an estimate of the server's
	Growth     int64  `json:"growth_bytes"`
	// Cost is to insert the rows into it, or to build it on partitions while they
	// are attached; nothing where they have it before.
	Cost Cost `json:"cost"`
	// InOrder says that the rows come in the index's order.
	InOrder bool `json:"-"`
}

// Cost is a rough guide: see docs/estimates.md for where it comes from.
type Cost struct {
	WALBytes int64   `json:"wal_bytes"`
	Seconds  float64 `json:"seconds"`
}

// plus adds costs. Bytes beyond what an int64 holds are its largest number.
func (c Cost) plus(d Cost) Cost {
	return Cost{plan.WholeBytes(float64(c.WALBytes) + float64(d.WALBytes)), c.Seconds + d.Seconds}
}
