package catalog

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/loader/job"
)

// IndexDef is an index that a table gets.
type IndexDef struct {
	Name      string
	unique    bool
	Method    string // access method
	Using     string // the rest of the statement
	SortBytes int64  // bytes of an entry while the build sorts: see setting.Server.SortMemory
	// Owner is another role that owns the table which the index is like, "" for none. The
	// server runs the index's expressions as the owner of the table that it is built on.
	Owner string
}

// CreateSQL returns the statement that makes the index on a table.
func (d IndexDef) CreateSQL(t job.Table) string {
	kind := "index "
	if d.unique {
		kind = "unique index "
	}

	if d.Name != "" { // else PostgreSQL names it after the table
		kind += pgx.Identifier{d.Name}.Sanitize() + " "
	}

	return "create " + kind + "on " + QuoteTable(t) + " using " + d.Method + " " + d.Using
}

// keyName returns the name of the primary key's index: while the table is
// staged after the staging table's name, and from publish on after its own.
func keyName(t job.Table) string { return ObjectName(t.Name, "", "pkey") }

// KeyIndex is the unique index of the primary key.
func KeyIndex(t job.Table, job job.Job) IndexDef {
	return IndexDef{Name: keyName(t), unique: true, Method: "btree", Using: "(" + ColumnList(job.KeyColumns()) + ")", SortBytes: sortedKey}
}

// CodeIndexes returns the unique index on the code, where the job asks for it.
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
	// PostgreSQL 15 with PostGIS 3.3 sorts the boxes and packs them. Older ones
	// insert one after the other, which in the order of the curve touches a few
	// pages at a time; but once the index outgrows effective_cache_size they buffer
	// the build, which takes several times as long. This keeps them from that, and
	// changes nothing for the newer: see docs/benchmarks.md.
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

// Memory in bytes that the sort of an index build takes for an entry: 24 for its
// slot, the entry, and the allocator's share. 3.2 million boxes take 237 MB, as
// trace_sort tells. PostgreSQL sorts for GiST from PostgreSQL 15 with PostGIS 3.3
// on, and takes a tenth longer where it has to do that on disk.
const (
	sortedKey  = 48
	SortedBox  = 80
	sortedCode = 96 // a key and a text of up to 48 bytes beside it
)
