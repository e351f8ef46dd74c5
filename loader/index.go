package loader

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// brinPages is the number of heap pages that a range of a BRIN index sums up.
// Measured on 3.2 million boxes: with more pages a window reads more of the heap,
// with fewer the index itself grows and is read whole by each query. See
// docs/benchmarks.md.
const brinPages = 8

// indexDef is an index that a table gets.
type indexDef struct {
	name   string
	unique bool
	am     string // access method
	using  string // the rest of the statement
	sorted int64  // bytes of an entry while the build sorts: see sortMemory
}

func (d indexDef) create(t Table) string {
	kind := "index "
	if d.unique {
		kind = "unique index "
	}
	if d.name != "" { // else PostgreSQL names it after the table
		kind += pgx.Identifier{d.name}.Sanitize() + " "
	}
	return "create " + kind + "on " + t.sql() + " using " + d.am + " " + d.using
}

// keyIndex returns the name of the primary key's index: while the table is
// staged after the staging table's name, and from publish on after its own.
func keyIndex(t Table) string { return objectName(t.Name, "", "pkey") }

func keyDef(t Table, job Job) indexDef {
	return indexDef{name: keyIndex(t), unique: true, am: "btree", using: "(" + pgx.Identifier{job.IDColumn}.Sanitize() + ")", sorted: sortedKey}
}

// codeDefs returns the unique index on the code, where the job asks for it.
func codeDefs(t Table, job Job) []indexDef {
	if !job.CodeIndex {
		return nil
	}
	return []indexDef{{name: objectName(t.Name, codeColumn, "key"), unique: true, am: "btree",
		using: "(" + pgx.Identifier{codeColumn}.Sanitize() + ")", sorted: sortedCode}}
}

// spatialDefs returns the spatial indexes that the job asks for.
func spatialDefs(t Table, job Job, index Index) []indexDef {
	column := pgx.Identifier{job.GeomColumn}.Sanitize()
	// PostgreSQL 15 with PostGIS 3.3 sorts the boxes and packs them. Older ones
	// insert one after the other, which in the order of the curve touches a few
	// pages at a time; but once the index outgrows effective_cache_size they buffer
	// the build, which takes several times as long. This keeps them from that, and
	// changes nothing for the newer: see docs/benchmarks.md.
	gist := indexDef{name: objectName(t.Name, job.GeomColumn, "idx"), am: "gist", using: "(" + column + ") with (buffering = off)", sorted: sortedBox}
	brin := indexDef{name: objectName(t.Name, job.GeomColumn, "brin_idx"), am: "brin",
		using: fmt.Sprintf("(%s) with (pages_per_range = %d)", column, brinPages)}
	switch index {
	case IndexGiST:
		return []indexDef{gist}
	case IndexBRIN:
		return []indexDef{brin}
	case IndexBoth:
		return []indexDef{gist, brin}
	}
	return nil
}
