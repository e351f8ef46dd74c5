package catalog

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/loader/job"
)

// IndexDef is the definition of an index.
type IndexDef struct {
	Name      string
	unique    bool
	Method    string // access method
	Using     string // rest of the statement
	SortBytes int64  // bytes per entry while the build sorts: see setting.Server.SortMemory
	// Owner is the owner of the table that has the original index if it is another role, or "". The server runs
	// the index's expressions as the owner of the table that it is built on.
	Owner string
}

// CreateSQL returns the statement that creates the index on a table.
func (d IndexDef) CreateSQL(t job.Table) string {
	kind := "index "
	if d.unique {
		kind = "unique index "
	}

	if d.Name != "" { // otherwise, PostgreSQL names it after the table
		kind += pgx.Identifier{d.Name}.Sanitize() + " "
	}

	return "create " + kind + "on " + QuoteTable(t) + " using " + d.Method + " " + d.Using
}

// keyName returns the name of the primary key's index. It is derived from the staging table's name while the
// table is staged, and from its own name after publishing.
func keyName(t job.Table) string { return ObjectName(t.Name, "", "pkey") }

// KeyIndex returns the unique index of the primary key.
func KeyIndex(t job.Table, job job.Job) IndexDef {
	return IndexDef{Name: keyName(t), unique: true, Method: "btree", Using: "(" + ColumnList(job.KeyColumns()) + ")", SortBytes: sortedKey}
}

// CodeIndexes returns the unique index on the code if the job asks for it.
func CodeIndexes(t job.Table, j job.Job) []IndexDef {
	if !j.CodeIndex {
		return nil
	}
	return []IndexDef{{Name: ObjectName(t.Name, job.CodeColumn, "key"), unique: true, Method: "btree",
		Using: "(" + pgx.Identifier{job.CodeColumn}.Sanitize() + ")", SortBytes: sortedCode}}
}

// SpatialIndexes returns the spatial indexes that the job asks for.
func SpatialIndexes(t job.Table, j job.Job, index job.Index) []IndexDef {
	column := pgx.Identifier{j.GeomColumn}.Sanitize()
	// PostgreSQL 15 with PostGIS 3.3 sorts and packs the boxes. Older versions insert them one by one. In the
	// order of the curve, that touches few pages at a time. But once the index outgrows effective_cache_size,
	// they buffer the build, which takes several times as long. This option prevents that, and changes nothing
	// for newer versions: see docs/benchmarks.md.
	gist := IndexDef{Name: ObjectName(t.Name, j.GeomColumn, "idx"), Method: "gist", Using: "(" + column + ") with (buffering = off)", SortBytes: SortedBox}
	brin := IndexDef{Name: ObjectName(t.Name, j.GeomColumn, "brin_idx"), Method: "brin",
		Using: fmt.Sprintf("(%s) with (pages_per_range = %d)", column, job.BRINPages)}

	switch index {
	case job.IndexGiST:
		return []IndexDef{gist}
	case job.IndexBRIN:
		return []IndexDef{brin}
	case job.IndexBoth:
		return []IndexDef{gist, brin}
	}

	return nil
}

// Memory in bytes per entry in the sort of an index build: 24 for its slot, the entry, and the allocator's share.
// According to trace_sort, 3.2 million boxes take 237 MB. PostgreSQL 15 or newer with PostGIS 3.3 or newer sorts
// for GiST. If it has to sort on disk, that takes a tenth longer.
const (
	sortedKey  = 48
	SortedBox  = 80
	sortedCode = 96 // a key and a text of up to 48 bytes
)
