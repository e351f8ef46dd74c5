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
}

func (d indexDef) create(t Table) string {
	kind := "index "
	if d.unique {
		kind = "unique index "
	}
	return "create " + kind + pgx.Identifier{d.name}.Sanitize() + " on " + t.sql() + " using " + d.am + " " + d.using
}

// keyIndex returns the name of the primary key's index: while the table is
// staged after the staging table's name, and from publish on after its own.
func keyIndex(t Table) string { return objectName(t.Name, "", "pkey") }

func keyDef(t Table, job Job) indexDef {
	return indexDef{name: keyIndex(t), unique: true, am: "btree", using: "(" + pgx.Identifier{job.IDColumn}.Sanitize() + ")"}
}

// spatialDefs returns the spatial indexes that the job asks for.
func spatialDefs(t Table, job Job, index Index) []indexDef {
	column := pgx.Identifier{job.GeomColumn}.Sanitize()
	// Rows in the order of the curve touch a few pages of the index at a time. By
	// itself PostgreSQL buffers the build once the index outgrows
	// effective_cache_size, which takes four to five times as long in this order.
	gist := indexDef{name: objectName(t.Name, job.GeomColumn, "idx"), am: "gist", using: "(" + column + ") with (buffering = off)"}
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
