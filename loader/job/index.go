package job

// Index chooses the spatial indexes of a table.
type Index string

// Values of Index.
const (
	IndexGiST Index = "gist" // serves all queries, including nearest neighbours
	IndexBRIN Index = "brin" // about 1/350 of the size, for windows of many cells
	IndexBoth Index = "both"
	IndexNone Index = "none"
)

// BRINPages is the number of heap pages that one range of a BRIN index summarizes. Measured on 3.2 million boxes:
// with more pages, a window query reads more of the heap. With fewer, the index grows, and each query reads all
// of it. See docs/benchmarks.md.
const BRINPages = 8
