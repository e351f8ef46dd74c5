// Package appendplan estimates the work of adding a plan's rows to an existing table: the rows, each of its
// indexes, and cheaper alternatives.
package appendplan

import (
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Plan is the work of adding a plan's rows to an existing table, compared with loading them into a new one.
type Plan struct {
	Table job.Table `json:"table"`
	// Exists is false if the table does not exist: a load would create it as planned, and the rest is empty.
	Exists bool `json:"exists"`
	// Rows is the server's estimate, from its last ANALYZE or VACUUM.
	Rows      int64 `json:"rows"`
	HeapBytes int64 `json:"heap_bytes"`
	// Shards is the number of shards of a table that is distributed over a Citus cluster. Rows and bytes are sums
	// over all shards.
	Shards int `json:"shards,omitempty"`
	// Existing is how many of the plan's cells are in the table already. It is counted if they are skipped;
	// otherwise there are none, or they are an error.
	Existing int64 `json:"existing"`
	// Partitioned reports whether the table is partitioned, and Attach whether the rows become new partitions,
	// which are indexed before they are attached.
	Partitioned bool `json:"partitioned"`
	Attach      bool `json:"attach"`
	// Indexes are the indexes of the table. For a partitioned table, each has the sums over all partitions.
	// Indexes that only one partition has are not included.
	Indexes []Index `json:"indexes"`

	// Staging is the cost of loading the rows into a staging table with only the key. Move is the cost of
	// inserting them from there into the table, without its indexes, whose costs are separate. If partitions are
	// attached, Staging is the cost of creating them with their indexes, and Move is nothing.
	Staging Cost `json:"staging"`
	Move    Cost `json:"move"`
	Total   Cost `json:"total"` // both, and Indexes
	// NewTable is the cost of the same rows in a new table with the plan's indexes.
	NewTable Cost `json:"new_table"`
	// Hints name cheaper alternatives. It is often empty.
	Hints []string `json:"hints"`

	// NoPartition reports whether the table has no partition for the ids of these rows.
	NoPartition bool `json:"-"`
	// Unlogged reports whether the table is unlogged.
	Unlogged bool `json:"-"`
}

// Index is an index of the table with the cost of the new rows.
type Index struct {
	Name       string `json:"name"`
	Method     string `json:"method"` // access method: btree, gist, brin ...
	Columns    string `json:"columns"`
	Constraint bool   `json:"constraint"` // it is a key of the table, which cannot be dropped
	Bytes      int64  `json:"bytes"`
	Rows       int64  `json:"rows"` // entries, as the server estimates them
	Growth     int64  `json:"growth_bytes"`
	// Cost is the cost of inserting the rows into the index, or of building it on partitions while they are
	// attached. It is zero if partitions have the index before.
	Cost Cost `json:"cost"`
	// InOrder reports whether the rows come in the index's order.
	InOrder bool `json:"-"`
}

// Cost is a rough estimate: docs/estimates.md explains where it comes from.
type Cost struct {
	WALBytes int64   `json:"wal_bytes"`
	Seconds  float64 `json:"seconds"`
}

// plus adds costs. Bytes that do not fit an int64 become its largest number.
func (c Cost) plus(d Cost) Cost {
	return Cost{plan.WholeBytes(float64(c.WALBytes) + float64(d.WALBytes)), c.Seconds + d.Seconds}
}
