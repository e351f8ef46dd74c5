package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Neighbouring areas that are loaded one after the other share the cells on their border.
func TestNeighboursShareBorderCells(t *testing.T) {
	s := newSandbox(t)
	norway, sweden := countryNamed(t, "Norway"), countryNamed(t, "Sweden")
	args := func(c country, more ...string) []string {
		return s.load("nordic", append([]string{"--cell-size", "0.1", "--srid", "4326", "--aoi", c.file, "--coverage", "--set", "country=" + c.name}, more...)...)
	}
	mustCLI(t, s.dsn, args(norway)...)
	first := queryOne[int64](t, s.pool, "select count(*) from "+s.name("nordic"))
	sum := queryOne[float64](t, s.pool, "select sum(coverage::float8) from "+s.name("nordic"))

	const selected = "select count(*) from st_setsrid(st_geomfromgeojson($1), 4326) a, st_squaregrid(0.1, a) g where st_intersects(a, g.geom)"
	both := queryOne[int64](t, s.pool, selected+" and exists (select from "+s.name("nordic")+" t where (t.col, t.row) = (g.i, g.j))", sweden.geometry)
	second := queryOne[int64](t, s.pool, selected, sweden.geometry)
	if both == 0 {
		t.Fatal("the two share no cells")
	}

	// An append is refused before anything is loaded, with the count, and the error suggests skip.
	cli(t, s.dsn, args(sweden, "--if-exists", "append")...).expect(t, 2,
		"holds "+grouped(both)+" of the "+grouped(second)+" cells already", "on-conflict skip")
	out := mustCLI(t, s.dsn, "plan", "--table", s.schema+".nordic", "--ledger-schema", s.schema, "--if-exists", "append", "--on-conflict", "skip",
		"--cell-size", "0.1", "--srid", "4326", "--aoi", sweden.file, "--coverage", "--set", "country=Sweden")
	if want := groupedCommas(both) + " of the cells are already there"; !strings.Contains(out, want) {
		t.Errorf("plan does not say %q:\n%s", want, out)
	}

	r := cli(t, s.dsn, args(sweden, "--if-exists", "append", "--on-conflict", "skip", "--progress", "json")...)
	if r.code != 0 {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}

	if got := r.summary(t); got.RowsSkipped != both || got.Rows != second {
		t.Errorf("%d of %d rows skipped, want %d of %d", got.RowsSkipped, got.Rows, both, second)
	}
	if !strings.Contains(r.stderr, "keep their coverage") {
		t.Errorf("no warning explains whose share remains:\n%s", r.stderr)
	}

	s.checkCells("nordic", first+second-both)
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("nordic")+" where country = 'Norway'"); n != first {
		t.Errorf("Norway has %d cells, had %d", n, first)
	}
	if got := queryOne[float64](t, s.pool, "select sum(coverage::float8) from "+s.name("nordic")+" where country = 'Norway'"); got != sum {
		t.Errorf("Norway's coverage is %v, was %v", got, sum)
	}

	// All of them exist already.
	if sum := mustSummary(t, s.dsn, args(sweden, "--if-exists", "append", "--on-conflict", "skip")...); sum.RowsSkipped != second {
		t.Errorf("all cells existed, but %d of %d rows were skipped", sum.RowsSkipped, second)
	}

	s.checkCells("nordic", first+second-both)
}

// Skip with rows that go into existing partitions, and rows that cannot.
func TestSkipWithPartitions(t *testing.T) {
	s := newSandbox(t)
	load := func(extent string, more ...string) []string {
		return s.load("grid", append([]string{"--cell-size", "1", "--extent", extent}, more...)...)
	}
	mustCLI(t, s.dsn, load("0,0,64,64", "--partitions", "4")...)
	cli(t, s.dsn, load("0,0,64,64", "--partitions", "2", "--if-exists", "append", "--on-conflict", "skip")...).expect(t, 2, "--on-conflict", "partitions")
	cli(t, s.dsn, load("0,0,9,9", "--on-conflict", "skip")...).expect(t, 2, "--on-conflict", "needs if-exists append")
	cli(t, s.dsn, load("0,0,9,9", "--if-exists", "append", "--on-conflict", "replace")...).expect(t, 2, "--on-conflict", "error or skip")
	if sum := mustSummary(t, s.dsn, load("60,60,70,70", "--if-exists", "append", "--on-conflict", "skip")...); sum.Rows != 100 || sum.RowsSkipped != 16 {
		t.Errorf("%d of %d rows were skipped, want 16 of 100", sum.RowsSkipped, sum.Rows)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != 64*64+84 {
		t.Errorf("%d cells", n)
	}

	s.checkNothingLeft()
}

// rowsOf returns the full contents of a load's rows and their physical places: an update would change the
// place.
func (s sandbox) rowsOf(table, by string) string {
	s.t.Helper()
	return queryOne[string](s.t, s.pool, "select count(*) || ' ' || md5(string_agg(concat_ws(' ', t.ctid, t.xmin, t.*), E'\n' order by cell_id)) from "+
		s.name(table)+" t where by = $1", by)
}

// addCell adds a cell as another program would.
func (s sandbox) addCell(table string, col, row int) string {
	return fmt.Sprintf("insert into %s (cell_id, col, row, geom, by) values (%s(%[3]d, %[4]d), %[3]d, %[4]d, st_makeenvelope(%[3]d, %[4]d, %[3]d + 1, %[4]d + 1), 'another')",
		s.name(table), s.name("cell_id"), col, row)
}

// The extents overlap. The rows of the first load are not touched, and the table contains the cells of
// both, with its key.
func TestSkipLeavesTheFirstRows(t *testing.T) {
	s := newSandbox(t)
	load := func(by, extent string, more ...string) []string {
		return s.load("grid", append([]string{"--cell-size", "1", "--extent", extent, "--set", "by=" + by}, more...)...)
	}
	mustCLI(t, s.dsn, load("first", "0,0,30,20")...)
	before := s.rowsOf("grid", "first")
	second := func(more ...string) []string {
		return load("second", "20,10,50,40", append(more, "--if-exists", "append")...)
	}
	for _, args := range [][]string{second(), second("--on-conflict", "error")} {
		cli(t, s.dsn, args...).expect(t, 2, "holds 100 of the 900 cells already", "on-conflict skip")
	}

	s.checkCells("grid", 600)
	for _, args := range [][]string{{}, {"--chunk-rows", "100"}} { // the second time, all cells exist
		r := cli(t, s.dsn, second(append(args, "--on-conflict", "skip", "--log-format", "json")...)...)
		if r.code != 0 {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}

		want := int64(100)
		if len(args) > 0 {
			want = 900
		}
		if sum := r.summary(t); sum.Rows != 900 || sum.RowsSkipped != want {
			t.Errorf("%d of %d rows skipped, want %d of 900", sum.RowsSkipped, sum.Rows, want)
		}
		if w := r.warnings(t); len(w) != 0 {
			t.Errorf("warnings, although there is no area whose shares could differ: %q", w)
		}
		s.checkCells("grid", 1400)
	}

	if after := s.rowsOf("grid", "first"); after != before {
		t.Errorf("the first rows were %s and are %s", before, after)
	}
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")+" where by = 'second' and (col >= 30 or row >= 20)"); n != 800 {
		t.Errorf("%d cells of the second outside the first, want 800", n)
	}
}

// Another program adds cells of the load while it runs: either before publish, or in an open transaction
// that publish must wait for.
func TestSkipOfCellsAddedMeanwhile(t *testing.T) {
	for name, inWork := range map[string]bool{"before publish": false, "during publish": true} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--extent", "0,200,8,208", "--set", "by=first")...)
			b := s.pauseAtChunk(1)
			p := start(t, s.dsn, s.load("grid", append(smallGrid(), "--set", "by=second", "--if-exists", "append", "--on-conflict", "skip", "--progress", "json")...)...)
			b.waitUntilReached() // after the check before loading

			if inWork {
				ctx, other := context.Background(), s.connect()
				if _, err := other.Exec(ctx, "begin; "+s.addCell("grid", 7, 7)); err != nil {
					t.Fatal(err)
				}

				b.resume()
				s.waitFor("publish to wait for the other's transaction", `select exists (select from pg_locks l join pg_stat_activity a using (pid)
					where not l.granted and l.locktype = 'transactionid' and a.application_name = $1 and a.query like 'insert into%')`, s.application())
				if _, err := other.Exec(ctx, "commit"); err != nil {
					t.Fatal(err)
				}
			} else {
				s.exec(s.addCell("grid", 7, 7))
				b.resume()
			}

			r := p.wait()
			if r.code != 0 {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}

			if sum := r.summary(t); sum.RowsSkipped != 1 || sum.Rows != smallCols*smallRows {
				t.Errorf("%d of %d rows skipped, want 1 of %d", sum.RowsSkipped, sum.Rows, smallCols*smallRows)
			}
			b.remove()
			s.checkCells("grid", 64+smallCols*smallRows)
			if by := queryOne[string](t, s.pool, "select by from "+s.name("grid")+" where (col, row) = (7, 7)"); by != "another" {
				t.Errorf("the cell belongs to %s", by)
			}
		})
	}
}

// Without skip, such a cell stops the load at publish: nothing is added, and the run is removed. A run
// that was killed earlier can be resumed with skip, and a run that began with skip is resumed with it.
func TestConflictAndResume(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--extent", "0,200,8,208", "--set", "by=first")...)
	args := s.load("grid", append(smallGrid(), "--set", "by=second", "--if-exists", "append")...)
	b := s.pauseAtChunk(1)
	p := start(t, s.dsn, args...)
	b.waitUntilReached()
	s.exec(s.addCell("grid", 7, 7))
	b.resume()
	p.wait().expect(t, 1, "1 of 20000 cells are in the table already, nothing was added", "on-conflict skip")
	b.remove()
	s.checkCells("grid", 65)

	s.exec("delete from " + s.name("grid") + " where by = 'another'")
	s.killAfter(3, args...)
	s.exec(s.addCell("grid", 7, 7))
	cli(t, s.dsn, args...).expect(t, 2, "holds 1 of the 20000 cells already", "on-conflict skip")
	s.killAfter(5, append(args, "--on-conflict", "skip")...)
	r := cli(t, s.dsn, append(args, "--on-conflict", "skip", "--progress", "json")...)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}

	if sum := r.summary(t); sum.ChunksResumed != 5 || sum.RowsSkipped != 1 {
		t.Errorf("%d chunks resumed, %d rows skipped, want 5 and 1", sum.ChunksResumed, sum.RowsSkipped)
	}
	s.checkCells("grid", 64+smallCols*smallRows)

	s.killAfter(3, append(args, "--on-conflict", "skip")...)
	id := fmt.Sprint(queryOne[int64](t, s.pool, "select id from "+s.name("runs")+" where state = 'loading'"))
	if out := mustCLI(t, s.dsn, "runs", "show", id, "--ledger-schema", s.schema); !regexp.MustCompile(`(?m)^on conflict +skip$`).MatchString(out) {
		t.Errorf("the run does not show its choice:\n%s", out)
	}
	if sum := mustSummary(t, s.dsn, "runs", "resume", id, "--ledger-schema", s.schema); sum.Rows != 20_000 || sum.RowsSkipped != 20_000 {
		t.Errorf("the resumed run skipped %d of %d rows", sum.RowsSkipped, sum.Rows)
	}

	s.checkCells("grid", 64+smallCols*smallRows)
}

// If no key lets the server detect existing cells, loadgrid reports this before the load.
func TestSkipNeedsAKey(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(10, 10)...)...)
	args := []string{"--cell-size", "1", "--extent", "5,0,15,10", "--on-conflict", "skip"}
	load := s.load("grid", appendArgs(args, "--if-exists", "append")...)
	key := "alter table " + s.name("grid") + " drop constraint if exists grid_pkey; drop index if exists " + s.name("key") + "; "

	for name, sql := range map[string]string{
		"none":              "",
		"not unique":        "create index key on " + s.name("grid") + " (cell_id)",
		"of a part":         "create unique index key on " + s.name("grid") + " (cell_id) where col > 3",
		"with a column":     "create unique index key on " + s.name("grid") + " (cell_id, col)",
		"of another column": "create unique index key on " + s.name("grid") + " (col, cell_id)",
		"deferrable":        "alter table " + s.name("grid") + " add constraint grid_pkey primary key (cell_id) deferrable",
	} {
		s.exec(key + sql)
		for _, command := range [][]string{load, s.plan("grid", args...)} {
			t.Logf("key: %s", name)
			cli(t, s.dsn, command...).expect(t, 2, "has no primary key or unique index on only cell_id")
		}
	}

	s.checkNothingLeft()
	s.exec(key + "create unique index key on " + s.name("grid") + " (cell_id) include (col)")
	if sum := mustSummary(t, s.dsn, load...); sum.Rows != 100 || sum.RowsSkipped != 50 {
		t.Errorf("with a unique index, %d of %d rows were skipped", sum.RowsSkipped, sum.Rows)
	}
}

// With --clip, a cell that two areas share keeps the part of the first, and loadgrid reports it.
func TestSkipSaysWhosePartStays(t *testing.T) {
	s := newSandbox(t)
	area := func(name, ring string) []string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(`{"type":"Polygon","coordinates":[[`+ring+`]]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		return s.load("parts", "--cell-size", "1", "--srid", "4326", "--aoi", file, "--clip")
	}

	// The areas meet in the middle of the cells of column 2.
	west := area("west", "[0.5,0.5],[2.5,0.5],[2.5,3.5],[0.5,3.5],[0.5,0.5]")
	east := area("east", "[2.5,0.5],[4.5,0.5],[4.5,3.5],[2.5,3.5],[2.5,0.5]")
	mustCLI(t, s.dsn, west...)
	const shared = " where col = 2"
	before := queryOne[string](t, s.pool, "select string_agg(st_astext(geom), ' ' order by cell_id) from "+s.name("parts")+shared)
	r := cli(t, s.dsn, append(east, "--if-exists", "append", "--on-conflict", "skip", "--log-format", "json")...)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}

	if sum := r.summary(t); sum.Rows != 12 || sum.RowsSkipped != 4 {
		t.Errorf("%d of %d rows were skipped, want 4 of 12", sum.RowsSkipped, sum.Rows)
	}
	if w := r.warnings(t); len(w) != 1 || !strings.Contains(w[0], "geometry") {
		t.Errorf("want a warning about the geometry and none about coverage: %q", w)
	}
	if after := queryOne[string](t, s.pool, "select string_agg(st_astext(geom), ' ' order by cell_id) from "+s.name("parts")+shared); after != before {
		t.Errorf("the shared cells were %s and are %s", before, after)
	}

	s.checkCells("parts", 20)
}

// grouped writes a number as an error message does.
func grouped(n int64) string { return strings.ReplaceAll(groupedCommas(n), ",", "") }

// groupedCommas writes a number with its digits in groups.
func groupedCommas(n int64) string {
	s := []byte{}
	for i, d := 0, n; d > 0 || i == 0; i, d = i+1, d/10 {
		if i > 0 && i%3 == 0 {
			s = append([]byte{','}, s...)
		}
		s = append([]byte{byte('0' + d%10)}, s...)
	}
	return string(s)
}

// Appended cells must be named like the existing cells.
func TestAppendWithOtherCodes(t *testing.T) {
	s := newSandbox(t)
	load := func(extent string, more ...string) []string {
		return s.load("grid", append([]string{"--cell-size", "1000", "--srid", "3035", "--extent", extent}, more...)...)
	}
	mustCLI(t, s.dsn, load("0,0,2000,1000", "--code", "inspire", "--code-order", "ne")...)
	cli(t, s.dsn, load("2000,0,4000,1000", "--code", "inspire-short", "--if-exists", "append")...).expect(t, 2, "--code inspire-short", "has codes inspire")
	cli(t, s.dsn, load("2000,0,4000,1000", "--code", "inspire", "--code-order", "en", "--if-exists", "append")...).expect(t, 2, "--code inspire", "the same codes")
	mustCLI(t, s.dsn, load("2000,0,4000,1000", "--code", "inspire", "--if-exists", "append")...)
	if codes := queryOne[string](t, s.pool, "select string_agg(code, ' ' order by col) from "+s.name("grid")); codes !=
		"CRS3035RES1000mN0E0 CRS3035RES1000mN0E1000 CRS3035RES1000mN0E2000 CRS3035RES1000mN0E3000" {
		t.Errorf("codes %s", codes)
	}
}
