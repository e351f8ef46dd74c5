package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// scenario is a load by one method, with the table that exists before it and the expected final table.
type scenario struct {
	before     []string   // the load of the existing table, nil for none
	load       []string   // the load that meets a fault
	job        loader.Job // its cells and chunks
	cols, rows int64      // of the final table, from 0 on
	partitions int64
	unfrozen   bool     // rows inserted into another table are not frozen
	unlogged   bool     // a server crash empties the table
	area       string   // the area of interest, if there is one
	places     []string // where it meets a fault: see places
}

// scenarioArea is a triangle in the middle of the scenarios' cells.
const scenarioArea = "POLYGON((3 2, 110 10, 60 95, 3 2))"

// scenarios returns all methods: into a new table, replacing a table, and appending to it.
func scenarios() map[string]scenario {
	job := func(change loader.Job) loader.Job {
		change.Table.Name, change.Grid = "grid", geomgen.Grid{DX: 1, DY: 1}
		if change.Extent == nil {
			change.Cols, change.Rows = 120, 100
		}
		return change
	}

	whole, old := boxes(120, 100), boxes(50, 40)
	// The 64 * 64 cells with the ids after those of the first square of that size.
	east, eastern := []string{"--cell-size", "1", "--extent", "64,0,128,64", "--if-exists", "append"}, &geomgen.Box{XMin: 64, XMax: 128, YMax: 64}
	frozen := scenario{load: whole, job: job(loader.Job{}), cols: 120, rows: 100,
		places: []string{"begin", "load", "index", "key", "constraint", "analyze", "publish"}}
	chunks := scenario{load: appendArgs(whole, "--chunk-rows", "2500"), job: job(loader.Job{ChunkRows: 2500}), cols: 120, rows: 100,
		places: []string{"begin", "load", "freeze", "index", "key", "constraint", "analyze", "publish"}}
	partitions := scenario{load: appendArgs(whole, "--partitions", "4"), job: job(loader.Job{Partitions: 4}), cols: 120, rows: 100, partitions: 4,
		places: []string{"begin", "load of a partition", "index of a partition", "attach", "analyze of partitions", "publish"}}
	all := map[string]scenario{
		"frozen": frozen, "chunks": chunks, "partitions": partitions,
		"chunks, append": {before: boxes(64, 64), load: appendArgs(east, "--chunk-rows", "1000"), job: job(loader.Job{Extent: eastern, ChunkRows: 1000}),
			cols: 128, rows: 64, unfrozen: true, places: []string{"begin", "load", "key", "constraint", "analyze", "publish of rows"}},
		"partitions, append": {before: appendArgs(boxes(64, 64), "--partitions", "3"), load: appendArgs(east, "--partitions", "4"),
			job: job(loader.Job{Extent: eastern, Partitions: 4}), cols: 128, rows: 64, partitions: 7,
			places: []string{"begin", "load of a partition", "index of a partition", "attach", "publish of partitions"}},
	}

	frozen.before, frozen.load = old, appendArgs(whole, "--if-exists", "replace")
	all["frozen, replace"] = frozen
	chunks.before, chunks.load = old, appendArgs(chunks.load, "--if-exists", "replace")
	all["chunks, replace"] = chunks
	truncate := chunks
	truncate.load, truncate.unfrozen = appendArgs(chunks.load, "--publish", "truncate"), true
	truncate.places = []string{"begin", "load", "key", "constraint", "analyze", "publish of rows"}
	all["chunks, truncate"] = truncate
	partitions.before, partitions.load = appendArgs(old, "--partitions", "3"), appendArgs(partitions.load, "--if-exists", "replace")
	partitions.places = []string{"begin", "load of a partition", "index of a partition", "attach", "publish of partitions"}
	all["partitions, replace"] = partitions

	return all
}

func appendArgs(args []string, more ...string) []string {
	return append(append([]string{}, args...), more...)
}

// place is a point in a load at which a fault happens.
type place struct {
	stage            loader.Stage
	prepare          func(b *pausepoint, middle int64) // before the load starts; middle is the id of a cell in the middle of the load
	waitUntilReached func(b *pausepoint)               // waits until the load is there
}

// places returns all places by name. They cover all stages, except for the parent's statistics that are
// gathered after publish: then nothing can be resumed, and publish itself would wait for a lock that
// blocks them.
func places() map[string]place {
	statement := func(stage loader.Stage, pattern string) place {
		return place{stage, func(b *pausepoint, _ int64) { b.atStatement(pattern) }, (*pausepoint).waitUntilReached}
	}
	const staged, constraint, attach = `public.loadgrid\_staging\_%`, "alter table%primary key using index%", `alter table%attach partition%\_p2" for values%`
	copying := func(b *pausepoint, middle int64) { b.atRow(staged, middle) }

	return map[string]place{
		"begin": {
			loader.StagePlan,
			func(b *pausepoint, _ int64) { b.lock(b.s.name("runs"), "exclusive") },
			func(b *pausepoint) { b.waitUntilBlocked(b.s.name("runs"), "insert into%") },
		},
		"load": {loader.StageLoad, copying, (*pausepoint).waitUntilReached},
		// The lock does not block the load, but it blocks VACUUM.
		"freeze": {loader.StageFreeze, copying, func(b *pausepoint) {
			b.waitUntilReached()
			b.lock(b.staging(), "share update exclusive")
			b.resume()
			b.waitUntilBlocked(b.staging(), "vacuum%")
		}},
		"index":      statement(loader.StageIndex, "create index%"),
		"key":        statement(loader.StageIndex, "create unique index%"),
		"constraint": statement(loader.StageIndex, constraint),
		// The constraint locks the table exclusively until it is committed. A lock requested meanwhile is
		// granted then, before ANALYZE.
		"analyze": {loader.StageAnalyze, statement("", constraint).prepare, func(b *pausepoint) {
			b.waitUntilReached()
			b.lock(b.staging(), "share update exclusive")
			b.resume()
			b.waitUntilBlocked(b.staging(), "analyze%")
		}},
		"publish":         statement(loader.StagePublish, "alter table%rename to%"),
		"publish of rows": statement(loader.StagePublish, "drop table%"),

		"load of a partition":  {loader.StageLoad, func(b *pausepoint, middle int64) { b.atRow(staged+`\_p2`, middle) }, (*pausepoint).waitUntilReached},
		"index of a partition": statement(loader.StageLoad, `create index%\_p2"%`),
		"attach":               statement(loader.StageLoad, attach),
		// Two streams have reached the third partition; another partition is committed.
		"analyze of partitions": {loader.StageAnalyze, statement("", attach).prepare, func(b *pausepoint) {
			b.waitUntilReached()
			partition := queryOne[string](b.s.t, b.s.pool, "select min(inhrelid::regclass::text) from pg_inherits where inhparent = $1::regclass", b.staging())
			b.lock(partition, "share update exclusive")
			b.resume()
			b.waitUntilBlocked(partition, "%") // VACUUM comes first if pages are to be frozen, and it needs the same lock
		}},
		"publish of partitions": statement(loader.StagePublish, "alter table%detach partition%"),
	}
}

// staging returns the staging table of the unfinished run.
func (b *pausepoint) staging() string {
	b.s.t.Helper()
	return b.s.name(queryOne[string](b.s.t, b.s.pool, "select staging_name from "+b.s.name("runs")+" where state = 'loading'"))
}

// moreScenarios adds scenarios that hardly change where a fault can meet a load, but strongly change how
// the load reacts: one stream, tables that a crash empties, an area.
func moreScenarios(t *testing.T) map[string]scenario {
	t.Helper()
	all := scenarios()
	vary := func(from, name string, change func(*scenario)) {
		w := all[from]
		change(&w)
		all[name] = w
	}

	for _, from := range []string{"chunks", "chunks, replace", "partitions", "partitions, replace"} {
		vary(from, from+", one stream", func(w *scenario) { w.load, w.job.Streams = appendArgs(w.load, "--streams", "1"), 1 })
	}
	for _, from := range []string{"frozen", "frozen, replace", "chunks", "chunks, replace", "partitions"} {
		vary(from, from+", unlogged", func(w *scenario) { w.load, w.job.Unlogged, w.unlogged = appendArgs(w.load, "--unlogged"), true, true })
	}
	for _, from := range []string{"chunks, replace", "partitions, replace"} {
		vary(from, from+", keep", func(w *scenario) { w.load = appendArgs(w.load, "--keep", "1") })
	}

	file := filepath.Join(t.TempDir(), "area.wkt")
	if err := os.WriteFile(file, []byte(scenarioArea), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, from := range []string{"frozen", "chunks"} {
		vary(from, from+", area", func(w *scenario) { w.load, w.area = appendArgs(w.load, "--aoi", file, "--coverage"), scenarioArea })
	}
	return all
}

// middle is the id of a cell in the middle of the load: the middle cell of the middle chunk.
func (w scenario) middle(t *testing.T) int64 {
	t.Helper()
	if w.area != "" {
		return geomgen.CellID(geomgen.Cell{Col: 60, Row: 40})
	}

	plan, err := loader.NewPlan(t.Context(), w.job)
	if err != nil {
		t.Fatal(err)
	}

	chunk := plan.Chunk(plan.Chunks / 2)
	return (chunk.First + chunk.Last) / 2
}
