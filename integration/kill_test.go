package integration

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// way is a way into a table.
type way struct {
	before     []string   // the load of the table that is there, nil for none
	load       []string   // the load that is killed
	job        loader.Job // what it says of cells and chunks
	cols, rows int64      // of the table in the end, from 0 on
	partitions int64
	unfrozen   bool     // rows that are inserted into another table are not frozen
	places     []string // where it is killed: see places
}

// ways returns all methods, into a new table, in place of one and beside its rows.
func ways() map[string]way {
	job := func(change loader.Job) loader.Job {
		change.Table.Name, change.Grid = "grid", geomgen.Grid{DX: 1, DY: 1}
		if change.Extent == nil {
			change.Cols, change.Rows = 120, 100
		}
		return change
	}
	whole, old := boxes(120, 100), boxes(50, 40)
	// The 64 * 64 cells whose ids follow those of the first square of that size.
	east, eastern := []string{"--cell-size", "1", "--extent", "64,0,128,64", "--if-exists", "append"}, &geomgen.Box{XMin: 64, XMax: 128, YMax: 64}
	frozen := way{load: whole, job: job(loader.Job{}), cols: 120, rows: 100,
		places: []string{"begin", "load", "index", "key", "constraint", "analyze", "publish"}}
	chunks := way{load: with(whole, "--chunk-rows", "2500"), job: job(loader.Job{ChunkRows: 2500}), cols: 120, rows: 100,
		places: []string{"begin", "load", "freeze", "index", "key", "constraint", "analyze", "publish"}}
	partitions := way{load: with(whole, "--partitions", "4"), job: job(loader.Job{Partitions: 4}), cols: 120, rows: 100, partitions: 4,
		places: []string{"begin", "load of a partition", "index of a partition", "attach", "analyze of partitions", "publish"}}
	all := map[string]way{
		"frozen": frozen, "chunks": chunks, "partitions": partitions,
		"chunks, append": {before: boxes(64, 64), load: with(east, "--chunk-rows", "1000"), job: job(loader.Job{Extent: eastern, ChunkRows: 1000}),
			cols: 128, rows: 64, unfrozen: true, places: []string{"begin", "load", "key", "constraint", "analyze", "publish of rows"}},
		"partitions, append": {before: with(boxes(64, 64), "--partitions", "3"), load: with(east, "--partitions", "4"),
			job: job(loader.Job{Extent: eastern, Partitions: 4}), cols: 128, rows: 64, partitions: 7,
			places: []string{"begin", "load of a partition", "index of a partition", "attach", "publish of partitions"}},
	}
	frozen.before, frozen.load = old, with(whole, "--if-exists", "replace")
	all["frozen, replace"] = frozen
	chunks.before, chunks.load = old, with(chunks.load, "--if-exists", "replace")
	all["chunks, replace"] = chunks
	partitions.before, partitions.load = with(old, "--partitions", "3"), with(partitions.load, "--if-exists", "replace")
	partitions.places = []string{"begin", "load of a partition", "index of a partition", "attach", "publish of partitions"}
	all["partitions, replace"] = partitions
	return all
}

func with(args []string, more ...string) []string {
	return append(append([]string{}, args...), more...)
}

// place is where a load is killed.
type place struct {
	arm   func(b *brake, middle int64) // before the load starts; middle is the id of a cell amid it
	reach func(b *brake)               // brings the load there
}

// places returns all places by their names. They are in all stages, but for the
// statistics of a parent that are gathered after publish: nothing is left to be
// resumed then, and publish itself would wait for a lock that makes them wait.
func places() map[string]place {
	statement := func(pattern string) place {
		return place{func(b *brake, _ int64) { b.atStatement(pattern) }, (*brake).reached}
	}
	const staged, constraint, attach = `public.loadgrid\_staging\_%`, "alter table%primary key using index%", `alter table%attach partition%\_p2" for values%`
	copying := func(b *brake, middle int64) { b.atRow(staged, middle) }
	return map[string]place{
		"begin": {
			func(b *brake, _ int64) { b.lock(b.s.name("runs"), "exclusive") },
			func(b *brake) { b.blocked(b.s.name("runs"), "insert into%") },
		},
		"load": {copying, (*brake).reached},
		// The lock lets the load go on, and VACUUM not.
		"freeze": {copying, func(b *brake) {
			b.reached()
			b.lock(b.staging(), "share update exclusive")
			b.letGo()
			b.blocked(b.staging(), "vacuum%")
		}},
		"index":      statement("create index%"),
		"key":        statement("create unique index%"),
		"constraint": statement(constraint),
		// The constraint has the table for itself until it is committed. Who asks for
		// a lock meanwhile gets it then, before ANALYZE.
		"analyze": {statement(constraint).arm, func(b *brake) {
			b.reached()
			b.lock(b.staging(), "share update exclusive")
			b.letGo()
			b.blocked(b.staging(), "analyze%")
		}},
		"publish":         statement("alter table%rename to%"),
		"publish of rows": statement("drop table%"),

		"load of a partition":  {func(b *brake, middle int64) { b.atRow(staged+`\_p2`, middle) }, (*brake).reached},
		"index of a partition": statement(`create index%\_p2"%`),
		"attach":               statement(attach),
		// Two streams have come to the third partition: another is committed.
		"analyze of partitions": {statement(attach).arm, func(b *brake) {
			b.reached()
			partition := one[string](b.s.t, b.s.pool, "select min(inhrelid::regclass::text) from pg_inherits where inhparent = $1::regclass", b.staging())
			b.lock(partition, "share update exclusive")
			b.letGo()
			b.blocked(partition, "lock table%")
		}},
		"publish of partitions": statement("alter table%detach partition%"),
	}
}

// staging returns the staging table of the unfinished run.
func (b *brake) staging() string {
	b.s.t.Helper()
	return b.s.name(one[string](b.s.t, b.s.pool, "select staging_name from "+b.s.name("runs")+" where state = 'loading'"))
}

// Whichever way the rows go and wherever a load is killed, readers see what was
// there before, and the same command then makes the whole table: with what was
// committed, or from the start where nothing was.
func TestKilledInEachStage(t *testing.T) {
	places := places()
	for name, w := range ways() {
		for _, where := range w.places {
			at, ok := places[where]
			if !ok {
				t.Fatalf("no place is called %q", where)
			}
			t.Run(name+": "+where, func(t *testing.T) { w.killAndRunAgain(t, at) })
		}
	}
}

func (w way) killAndRunAgain(t *testing.T, at place) {
	s := newDatabaseSandbox(t)
	if w.before != nil {
		mustCLI(t, s.dsn, s.load("grid", w.before...)...)
	}
	if err := loader.MigrateUp(context.Background(), s.pool, s.schema); err != nil {
		t.Fatal(err)
	}
	plan, err := loader.NewPlan(t.Context(), w.job)
	if err != nil {
		t.Fatal(err)
	}
	chunk := plan.Chunk(plan.Chunks / 2)
	before := s.readerSees("grid")
	b := s.newBrake()
	at.arm(b, (chunk.First+chunk.Last)/2)
	args := s.load("grid", with(w.load, "--progress", "json")...)
	p := start(t, s.dsn, args...)
	at.reach(b)
	// While a table or its partitions are swapped, a reader waits.
	during := make(chan string, 1)
	go func() { during <- s.readerSees("grid") }()
	_ = p.cmd.Process.Kill()
	if r := p.wait(); r.code != -1 {
		t.Fatalf("the load was not killed, but left with exit code %d: %s", r.code, r.stderr)
	}
	b.end()
	if during, after := <-during, s.readerSees("grid"); during != before || after != before {
		t.Errorf("readers saw %s before the load, %s while it was killed, %s after", before, during, after)
	}
	committed := one[int64](t, s.pool, "select count(*) from "+s.name("chunks")+" join "+s.name("runs")+" r on r.id = run_id where r.state = 'loading'")

	r := cli(t, s.dsn, args...)
	if r.code != 0 {
		t.Fatalf("again, with %d chunks committed: exit code %d: %s", committed, r.code, r.stderr)
	}
	if sum := r.summary(t); sum.ChunksResumed != committed || sum.ChunksCopied != sum.Chunks-committed {
		t.Errorf("of %d chunks %d were committed, %d resumed, %d copied", sum.Chunks, committed, sum.ChunksResumed, sum.ChunksCopied)
	}
	if w.unfrozen {
		s.checkBoxes("grid", w.cols, w.rows)
	} else {
		s.checkMade("grid", w.cols, w.rows, w.partitions, "gist", false)
	}
}

// readerSees says what a table holds, on a connection of its own.
func (s sandbox) readerSees(table string) string {
	conn, err := pgx.ConnectConfig(context.Background(), s.pool.Config().ConnConfig)
	if err != nil {
		return err.Error()
	}
	defer conn.Close(context.Background())
	var seen string
	err = conn.QueryRow(context.Background(), "select count(*) || ' rows with ids up to ' || max(cell_id) from "+s.name(table)).Scan(&seen)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "42P01" {
		return "no table"
	}
	if err != nil {
		return err.Error()
	}
	return seen
}
