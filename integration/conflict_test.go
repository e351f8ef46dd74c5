package integration

import (
	"strings"
	"testing"
)

// Neighbours loaded one after another share the cells on their border.
func TestNeighboursShareBorderCells(t *testing.T) {
	s := newSandbox(t)
	norway, sweden := countryNamed(t, "Norway"), countryNamed(t, "Sweden")
	args := func(c country, more ...string) []string {
		return s.load("nordic", append([]string{"--cell-size", "0.1", "--srid", "4326", "--aoi", c.file, "--coverage", "--set", "country=" + c.name}, more...)...)
	}
	mustCLI(t, s.dsn, args(norway)...)
	first := one[int64](t, s.pool, "select count(*) from "+s.name("nordic"))
	sum := one[float64](t, s.pool, "select sum(coverage::float8) from "+s.name("nordic"))

	const selected = "select count(*) from st_setsrid(st_geomfromgeojson($1), 4326) a, st_squaregrid(0.1, a) g where st_intersects(a, g.geom)"
	both := one[int64](t, s.pool, selected+" and exists (select from "+s.name("nordic")+" t where (t.col, t.row) = (g.i, g.j))", sweden.geometry)
	second := one[int64](t, s.pool, selected, sweden.geometry)
	if both == 0 {
		t.Fatal("the two share no cells")
	}
	// Refused before anything is loaded, with the count, and skip is named.
	cli(t, s.dsn, args(sweden, "--if-exists", "append")...).expect(t, 2,
		"holds "+grouped(both)+" of the "+grouped(second)+" cells already", "on-conflict skip")
	out := mustCLI(t, s.dsn, "plan", "--table", s.schema+".nordic", "--ledger-schema", s.schema, "--if-exists", "append", "--on-conflict", "skip",
		"--cell-size", "0.1", "--srid", "4326", "--aoi", sweden.file, "--coverage", "--set", "country=Sweden")
	if want := groupedCommas(both) + " of the cells are there already"; !strings.Contains(out, want) {
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
		t.Errorf("nothing says whose share stays:\n%s", r.stderr)
	}
	s.checkCells("nordic", first+second-both)
	if n := one[int64](t, s.pool, "select count(*) from "+s.name("nordic")+" where country = 'Norway'"); n != first {
		t.Errorf("Norway has %d cells, had %d", n, first)
	}
	if got := one[float64](t, s.pool, "select sum(coverage::float8) from "+s.name("nordic")+" where country = 'Norway'"); got != sum {
		t.Errorf("Norway's coverage is %v, was %v", got, sum)
	}
	// All of them there already.
	out = mustCLI(t, s.dsn, args(sweden, "--if-exists", "append", "--on-conflict", "skip")...)
	if !strings.Contains(out, "0 rows were added") {
		t.Errorf("everything was there:\n%s", out)
	}
	s.checkCells("nordic", first+second-both)
}

// Into the partitions that are there, and what cannot be.
func TestSkipWithPartitions(t *testing.T) {
	s := newSandbox(t)
	load := func(extent string, more ...string) []string {
		return s.load("grid", append([]string{"--cell-size", "1", "--extent", extent}, more...)...)
	}
	mustCLI(t, s.dsn, load("0,0,64,64", "--partitions", "4")...)
	cli(t, s.dsn, load("0,0,64,64", "--partitions", "2", "--if-exists", "append", "--on-conflict", "skip")...).expect(t, 2, "--on-conflict", "partitions")
	cli(t, s.dsn, load("0,0,9,9", "--on-conflict", "skip")...).expect(t, 2, "--on-conflict", "append alone")
	cli(t, s.dsn, load("0,0,9,9", "--if-exists", "append", "--on-conflict", "replace")...).expect(t, 2, "--on-conflict", "error or skip")
	out := mustCLI(t, s.dsn, load("60,60,70,70", "--if-exists", "append", "--on-conflict", "skip")...)
	if !strings.Contains(out, "84 rows were added") || !strings.Contains(out, "16 were there already") {
		t.Errorf("the summary says\n%s", out)
	}
	if n := one[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != 64*64+84 {
		t.Errorf("%d cells", n)
	}
	s.checkNothingLeft()
}

// grouped writes a number as it stands in an error.
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
