package plan

import (
	"math"
	"slices"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Estimate is the estimated size and time of a load. The constants explain where the numbers come from.
type Estimate struct {
	CopyBytes  int64   `json:"copy_bytes"`  // over the connection
	HeapBytes  int64   `json:"heap_bytes"`  // table without indexes
	IndexBytes int64   `json:"index_bytes"` // primary key and spatial indexes
	WALBytes   int64   `json:"wal_bytes"`   // written by the server during the load
	Seconds    float64 `json:"seconds"`     // until the table is ready to query
}

const (
	pageBytes   = 8192
	pageHeader  = 24
	rowPointer  = 4
	rowHeader   = 24 // 23 bytes, padded to the next column's alignment
	cellColumns = 16 // bigint and two integers
	// PostGIS stores a header and a bounding box of four float4 with each polygon. A point has no box and no
	// rings: see gserialized2.txt in its source.
	storedPolygon = 40
	storedMulti   = 48
	storedPoint   = 32
	keyEntry      = 20 // B-tree of a bigint: 8 + 8 bytes and a pointer
	parentBytes   = 8  // a bigint, in the row and in the key
	sharesBytes   = 16 // two float8
	// numericShorter is how many bytes shorter a numeric is on disk than in COPY. On disk, it has a length of one
	// byte and a header of two; in COPY, four numbers of two bytes each.
	numericShorter = 5
	codeEntry      = 16   // B-tree of a text, without its letters: header, padding and a pointer
	keyFill        = 0.9  // of a B-tree that is built over all rows at once
	boxEntry       = 28   // GiST of a box of four float4: 8 + 16 bytes and a pointer
	boxFill        = 0.7  // measured on PostgreSQL 15, whose build splits pages by space
	boxInserted    = 0.54 // if rows are inserted one by one, measured on PostgreSQL 13
	brinEntry      = 44   // one summary of a range: a box of four float8, its header and pointer
	// walFreeze is the WAL that VACUUM writes per row when it freezes chunks, as measured.
	walFreeze = 30
	// walRow is the WAL of a row of COPY in addition to its columns. The WAL of indexes does not include the free
	// space of their pages.
	walRow = 8
)

// BoxRowBytes is the size in the heap of a row for a square cell, without constants.
const BoxRowBytes = rowHeader + cellColumns + storedPolygon + 5*16

// Estimate returns the estimated size and time. Sizes follow from PostgreSQL's page layout. The time is a rough
// guide for a server with two cores. A size that does not fit an int64 becomes its largest number.
func (p *Plan) Estimate() Estimate {
	row := rowHeader + p.ColumnBytes()
	perPage := max((pageBytes-pageHeader)/(row+rowPointer), 1)
	rows, pages := float64(p.Rows), float64((p.Rows-1)/perPage+1)
	e := Estimate{
		CopyBytes: WholeBytes(rows * float64(p.RowBytes())),
		HeapBytes: WholeBytes(pages * pageBytes),
		Seconds:   p.seconds(),
	}

	key := float64(keyEntry)
	if p.Job.ParentLevels > 0 {
		key += parentBytes
	}
	if p.Job.Pairs() {
		key += float64(aligned(int64(p.attributeBytes()[0] + 0.5)))
	}

	index, wal := 2*pageBytes+rows*key/keyFill, rows*(float64(row-rowHeader+walRow)+key)
	if p.Job.Index == job.IndexGiST || p.Job.Index == job.IndexBoth {
		fill := boxFill
		if server, _ := p.Server(); !server.SortsGiST {
			fill = boxInserted
		}

		index += rows * boxEntry / fill
		wal += rows * boxEntry
	}

	if p.Job.HasBRIN() {
		index += 3*pageBytes + pages/job.BRINPages*brinEntry
		wal += pages / job.BRINPages * brinEntry
	}

	if p.Job.CodeIndex {
		index += rows * float64(codeEntry+p.layout.CodeMost()) / keyFill
		wal += rows * float64(codeEntry+p.layout.CodeMost())
	}

	if p.Method == MethodChunks {
		wal += rows * walFreeze
	}

	e.IndexBytes = WholeBytes(index)
	if !p.Job.Unlogged {
		e.WALBytes = WholeBytes(wal)
	}

	return e
}

// ColumnBytes returns the size of a row in the heap in bytes, without its header.
func (p *Plan) ColumnBytes() int64 {
	columns := cellColumns + storedGeometry(p.Job)
	if p.Job.ParentLevels > 0 {
		columns += parentBytes
	}

	for _, c := range p.layout.ConstantBytes() {
		columns += c
	}

	if p.Job.Code != "" {
		columns += 1 + int64(p.layout.CodeMost())
	}

	if p.Job.Coverage {
		columns += 4
	}

	attributes := 0.0
	for _, size := range p.attributeBytes() {
		attributes += size
	}
	columns += int64(attributes + 0.5)

	if p.Job.Pairs() {
		columns = aligned(columns) + sharesBytes
	}

	return aligned(columns)
}

// aligned returns the offset of the next column of 8 bytes.
func aligned(bytes int64) int64 { return (bytes + 7) &^ 7 }

// attributeBytes returns the size of each attribute in a row of the heap, as the mean over the features.
func (p *Plan) attributeBytes() []float64 {
	sizes := slices.Clone(p.layout.AttributeBytes())
	for i, a := range p.Job.FeatureAttributes() {
		switch a.Type {
		case "text", "json", "jsonb":
			sizes[i]++ // its length
		case "numeric":
			sizes[i] -= numericShorter
		}
		sizes[i] = max(sizes[i], 0)
	}

	return sizes
}

// storedGeometry returns the size of the geometry of a whole cell in the heap.
func storedGeometry(j job.Job) int64 {
	points := int64(j.Grid.PointsLen(j.Geometry))
	switch j.Geometry {
	case geomgen.AsNone:
		return 0
	case geomgen.AsPoint:
		return storedPoint
	case geomgen.AsMultiPolygon:
		return storedMulti + points
	}

	return storedPolygon + points
}

// WholeBytes returns a size as a whole number of bytes. A size that does not fit an int64 becomes its largest
// number.
func WholeBytes(f float64) int64 {
	if f >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(f)
}
