package integration

// halfDone is a run that was stopped half-way. testdata/halfdone has a dump of it.
type halfDone struct {
	name   string   // of the dump
	before []string // the load of the existing table, nil for none
	load   []string // the load that was stopped
	// at is the pattern of the statement at which it was killed; empty if some chunks were not committed.
	at string
	// built is the number of indexes that the staging table had at that time.
	built int
	// signal reports whether a signal stopped it in an orderly way; otherwise it was killed.
	signal bool

	run          int64 // its number
	chunks, done int64 // of the plan, and committed ones
	rows         int64 // of the plan
	rowsDone     int64 // of the committed chunks
	tableRows    int64 // of the finished table
	// content is the digest of the finished table: see contentOf.
	content string
}

// The staging table has all its rows, but these statements are not committed.
const (
	atKey        = "create unique index%"
	atConstraint = "alter table%primary key using index%"
	atPublish    = "alter table%rename to%"
)

// halfDones returns all cases.
func halfDones() []halfDone {
	all := append(newTables(), replacedTables()...)
	return append(append(all, appendedTables()...), areaTables()...)
}

// Two streams take the chunks in turn. The pausepoint holds all chunks except the first and the third:
// one stream waits with the second, the other with the fourth.
const doneChunks = 2

// gridContent is the digest of 16 x 12 boxes.
const gridContent = "d0992325c5fc23b77d78ae7df0418e25"

// newTables are runs that make a table.
func newTables() []halfDone {
	grid := boxes(16, 12)
	chunks := appendArgs(grid, "--chunk-rows", "32", "--streams", "2")
	some := halfDone{run: 1, chunks: 6, done: doneChunks, rows: 192, rowsDone: 64, tableRows: 192, content: gridContent}
	vary := func(name string, load []string, change func(*halfDone)) halfDone {
		h := some
		h.name, h.load = name, load
		if change != nil {
			change(&h)
		}
		return h
	}
	whole := func(at string, built int, chunks int64) func(*halfDone) {
		return func(h *halfDone) { h.at, h.built, h.chunks, h.done, h.rowsDone = at, built, chunks, chunks, 192 }
	}
	return []halfDone{
		vary("frozen", grid, whole(atKey, 1, 1)),
		vary("frozen_key", grid, whole(atConstraint, 2, 1)),
		vary("chunks", chunks, nil),
		vary("chunks_stopped", chunks, func(h *halfDone) { h.signal = true }),
		vary("chunks_whole", chunks, whole(atPublish, 2, 6)),
		vary("unlogged", appendArgs(chunks, "--unlogged"), nil),
		vary("partitions", appendArgs(grid, "--partitions", "4", "--streams", "2"), func(h *halfDone) { h.chunks, h.rowsDone = 4, 96 }),
	}
}

// replacedTables are runs whose table replaces another table.
func replacedTables() []halfDone {
	replace := appendArgs(boxes(16, 12), "--if-exists", "replace", "--streams", "2")
	some := halfDone{before: boxes(8, 8), run: 2, chunks: 6, done: doneChunks, rows: 192, rowsDone: 64, tableRows: 192, content: gridContent}
	swap, truncate, keep, partitions := some, some, some, some
	swap.name, swap.load = "replace_swap", appendArgs(replace, "--chunk-rows", "32")
	truncate.name, truncate.load = "replace_truncate", appendArgs(replace, "--chunk-rows", "32", "--publish", "truncate")
	keep.name, keep.load = "replace_keep", appendArgs(replace, "--chunk-rows", "32", "--keep", "2")
	partitions.name, partitions.load = "replace_partitions", appendArgs(replace, "--partitions", "4")
	partitions.before, partitions.chunks, partitions.rowsDone = appendArgs(boxes(8, 8), "--partitions", "2"), 4, 96
	return []halfDone{swap, truncate, keep, partitions}
}

// appendedTables are runs that add rows to another table.
func appendedTables() []halfDone {
	load := func(extent string, more ...string) []string {
		return appendArgs([]string{"--cell-size", "1", "--extent", extent, "--if-exists", "append", "--streams", "2"}, more...)
	}
	return []halfDone{
		{name: "append", before: boxes(16, 12), load: load("16,0,32,12", "--chunk-rows", "32"),
			run: 2, chunks: 6, done: doneChunks, rows: 192, rowsDone: 64, tableRows: 384, content: "c280e19afe089862a5929321c1d5ff46"},
		{name: "append_skip", before: boxes(16, 12), load: load("8,0,24,12", "--chunk-rows", "32", "--on-conflict", "skip"),
			run: 2, chunks: 6, done: doneChunks, rows: 192, rowsDone: 64, tableRows: 288, content: "fd0778e3a4c7e8a61facbc6c1e0d4f7f"},
		// The cells with the ids after those of the first square.
		{name: "append_partitions", before: appendArgs(boxes(16, 16), "--partitions", "2"), load: load("16,0,32,16", "--partitions", "4"),
			run: 2, chunks: 4, done: doneChunks, rows: 256, rowsDone: 128, tableRows: 512, content: "bee4e17bdab19587b8a5b08c3764c81c"},
	}
}

// areaTables are runs with an area of interest.
func areaTables() []halfDone {
	const query = "select 'SRID=25832;POLYGON((691000 5334000, 699500 5336250, 694000 5343125, 691000 5334000))'::geometry"
	return []halfDone{
		{name: "area", load: []string{"--cell-size", "1000", "--srid", "3035", "--aoi", "testdata/halfdone/area.wkt", "--coverage", "--clip",
			"--code", "inspire", "--code-order", "en", "--code-index", "--set", "year:integer=2026", "--set", "by=me", "--chunk-rows", "20", "--streams", "2"},
			run: 1, chunks: 8, done: doneChunks, rows: 125, rowsDone: 32, tableRows: 125, content: "c190954cd0992cf494ad977ec22b4ef3"},
		{name: "area_query", load: []string{"--shape", "hexagon", "--hexagon", "pointy", "--cell-size", "250", "--srid", "25832", "--rotate", "10",
			"--aoi-sql", query, "--aoi-rule", "centroid", "--coverage", "--id-column", "id", "--geom-column", "shape", "--partitions", "4", "--streams", "2", "--index", "both"},
			run: 1, chunks: 4, done: doneChunks, rows: 218, rowsDone: 109, tableRows: 218, content: "017457bda3e2cf1947c8c502a32d52eb"},
	}
}
