package job

// Index says which spatial indexes a table gets.
type Index string

// The choices of Index.
const (
	IndexGiST Index = "gist" // serves all queries, nearest neighbours too
	IndexBRIN Index = "brin" // about 1/350 of the size, for windows of many cells
	IndexBoth Index = "both"
	IndexNone Index = "none"
)

// BRINPages is the number of heap pages that a range of a BRIN index sums up.
// Measured on 3.2 million boxes: with more pages a window reads more of the heap,
// with fewer the index itself grows and is read whole by each query. See
// docs/benchmarks.md.
const BRINPages = 8
