package integration

import (
	"strings"
	"testing"
)

// Names that are truncated at PostgreSQL's limit remain distinct.
func TestPartitionsWithLongNames(t *testing.T) {
	s := newSandbox(t)
	for _, lengths := range [][2]int{{63, 63}, {5, 25}, {5, 63}, {55, 30}, {63, 1}} {
		table, column := strings.Repeat("t", lengths[0]), strings.Repeat("g", lengths[1])
		load := func(args ...string) {
			t.Helper()
			mustCLI(t, s.dsn, s.load(table, append([]string{"--cell-size", "1", "--geom-column", column, "--partitions", "3", "--index", "both"}, args...)...)...)
		}

		load("--cols", "8", "--rows", "8")
		load("--cols", "8", "--rows", "8", "--if-exists", "replace", "--keep", "1")
		load("--cols", "8", "--rows", "8", "--if-exists", "replace", "--keep", "1")
		load("--extent", "8,0,16,8", "--if-exists", "append")
		if n := queryOne[int64](t, s.pool, "select count(distinct cell_id) from "+s.name(table)); n != 128 {
			t.Errorf("%v: %d cells, want 128", lengths, n)
		}

		// Each partition has the primary key and both spatial indexes.
		if n := queryOne[int64](t, s.pool, `select count(*) from pg_inherits i join pg_index x on x.indrelid = i.inhrelid where i.inhparent = $1::regclass and x.indisvalid`, s.name(table)); n != 3*6 {
			t.Errorf("%v: %d indexes of 6 partitions, want 18", lengths, n)
		}

		s.exec("drop table " + s.name(table))
	}

	s.checkNothingLeft()
}
