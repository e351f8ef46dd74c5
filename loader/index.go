package loader

import (
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/loader/job"
)

// indexDef is an index that a table gets.
type indexDef struct {
	name   string
	unique bool
	am     string // access method
	using  string // the rest of the statement
	sorted int64  // bytes of an entry while the build sorts: see sortMemory
}

func (d indexDef) create(t job.Table) string {
	kind := "index "
	if d.unique {
		kind = "unique index "
	}
	if d.name != "" { // else PostgreSQL names it after the table
		kind += pgx.Identifier{d.name}.Sanitize() + " "
	}
	return "create " + kind + "on " + tableSQL(t) + " using " + d.am + " " + d.using
}

// keyIndex returns the name of the primary key's index: while the table is
// staged after the staging table's name, and from publish on after its own.
func keyIndex(t job.Table) string { return objectName(t.Name, "", "pkey") }

func keyDef(t job.Table, job job.Job) indexDef {
	return indexDef{name: keyIndex(t), unique: true, am: "btree", using: "(" + pgx.Identifier{job.IDColumn}.Sanitize() + ")", sorted: sortedKey}
}

// codeDefs returns the unique index on the code, where the job asks for it.
func codeDefs(t job.Table, j job.Job) []indexDef {
	if !j.CodeIndex {
		return nil
	}
	return []indexDef{{name: objectName(t.Name, job.CodeColumn, "key"), unique: true, am: "btree",
		using: "(" + pgx.Identifier{job.CodeColumn}.Sanitize() + ")", sorted: sortedCode}}
}

// spatialDefs returns the spatial indexes that the job asks for.
func spatialDefs(t job.Table, j job.Job, index job.Index) []indexDef {
	column := pgx.Identifier{j.GeomColumn}.Sanitize()
	// PostgreSQL 15 with PostGIS 3.3 sorts the boxes and packs them. Older ones
	// insert one after the other, which in the order of the curve touches a few
	// pages at a time; but once the index outgrows effective_cache_size they buffer
	// the build, which takes several times as long. This keeps them from that, and
	// changes nothing for the newer: see docs/benchmarks.md.
	gist := indexDef{name: objectName(t.Name, j.GeomColumn, "idx"), am: "gist", using: "(" + column + ") with (buffering = off)", sorted: sortedBox}
	brin := indexDef{name: objectName(t.Name, j.GeomColumn, "brin_idx"), am: "brin",
		using: fmt.Sprintf("(%s) with (pages_per_range = %d)", column, job.BRINPages)}
	switch index {
	case job.IndexGiST:
		return []indexDef{gist}
	case job.IndexBRIN:
		return []indexDef{brin}
	case job.IndexBoth:
		return []indexDef{gist, brin}
	}
	return nil
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
