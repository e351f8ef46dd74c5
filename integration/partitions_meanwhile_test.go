package integration

import (
	"strings"
	"testing"
)

// Somebody changes the table's partitions, or its place in another partitioned table, in the middle of a
// load. Nothing of theirs is silently dropped or missed: exit code 4 names it, readers see the previous
// rows, and the same command accepts the table as it is then.
func TestPartitionsChangedInTheMeantime(t *testing.T) {
	parts := []string{"--partitions", "2"}
	replace := appendArgs(parts, "--if-exists", "replace")
	keep := appendArgs(replace, "--keep", "1")
	beside := []string{"--extent", "100,0,108,8", "--if-exists", "append"}

	for name, test := range map[string]struct {
		before, load []string
		setup        string // before the load begins
		change       string // during the load
		words        string // "" if nothing is lost
		rows, after  int64  // of the table before publish and after the same command; 0 if it fails
	}{
		"replace, made":            {parts, replace, "", "create table mine partition of grid for values from (9000) to (9999); insert into grid (cell_id) values (9001)", "partition SCHEMA.mine was attached or made", 65, 64},
		"replace, keep, attached":  {parts, keep, "create table mine (like grid including all); insert into mine (cell_id) values (9001)", "alter table grid attach partition mine for values from (9000) to (9999)", "partition SCHEMA.mine was attached or made", 65, 64},
		"replace, detached":        {parts, replace, "", "alter table grid detach partition grid_p0", "partition SCHEMA.grid_p0 was detached", 32, 64},
		"replace, dropped":         {parts, keep, "", "drop table grid_p0", "partition SCHEMA.grid_p0 was dropped", 32, 64},
		"replace, renamed":         {parts, replace, "", "alter table grid_p0 rename to mine", "partition SCHEMA.grid_p0 was renamed to SCHEMA.mine", 64, 64},
		"replace, other bounds":    {parts, replace, "create table mine partition of grid for values from (9000) to (9999)", "alter table grid detach partition mine; alter table grid attach partition mine for values from (9000) to (9900)", "partition SCHEMA.mine was attached to other bounds", 64, 64},
		"replace, of a partition":  {parts, replace, "create table sub partition of grid for values from (9000) to (9999) partition by range (cell_id)", "create table mine partition of sub for values from (9000) to (9100); insert into grid (cell_id) values (9001)", "partition SCHEMA.mine was attached or made", 65, 64},
		"replace, truncated":       {parts, replace, "", "truncate grid_p0", "", 0, 64},
		"append parts, attached":   {parts, appendArgs(beside, parts...), "create table mine (like grid including all); insert into mine (cell_id) values (90001)", "alter table grid attach partition mine for values from (90000) to (99999)", "", 0, 129},
		"append parts, detached":   {parts, appendArgs(beside, parts...), "", "alter table grid detach partition grid_p1", "partition SCHEMA.grid_p1 was detached", 32, 96},
		"append rows, detached":    {parts, beside, "", "alter table grid detach partition grid_p1", "partition SCHEMA.grid_p1 was detached", 32, 96},
		"swap, attached elsewhere": {nil, []string{"--if-exists", "replace"}, "create table above (like grid including all) partition by range (cell_id)", "alter table above attach partition grid for values from (0) to (99)", "it is a partition or a child of another table, or has children", 64, 0},
		"truncate, child":          {nil, []string{"--if-exists", "replace", "--publish", "truncate"}, "", "create table mine () inherits (grid); insert into mine (cell_id) values (9001)", "it is a partition or a child of another table, or has children", 65, 0},
		"swap, rows added":         {nil, []string{"--if-exists", "replace", "--keep", "1"}, "", "insert into grid (cell_id) values (9001)", "", 0, 64},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			in := func(sql string) string { return "set search_path to " + s.schema + ", public; " + sql }
			conn := s.connect()
			do := func(sql string) {
				t.Helper()
				if _, err := conn.Exec(t.Context(), in(sql)); err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
			}

			mustCLI(t, s.dsn, s.load("grid", appendArgs(boxes(8, 8), test.before...)...)...)
			if test.setup != "" {
				do(test.setup)
			}

			args := appendArgs([]string{"--cell-size", "1"}, test.load...)
			if !strings.Contains(strings.Join(args, " "), "--extent") {
				args = appendArgs(boxes(8, 8), test.load...)
			}
			args = s.load("grid", args...)

			b := s.pauseAtChunk(0)
			p := start(t, s.dsn, args...)
			b.waitUntilReached()
			do(test.change)
			b.release()

			if test.words == "" {
				p.wait().expect(t, 0)
			} else {
				p.wait().expect(t, 4, strings.ReplaceAll(test.words, "SCHEMA", s.schema))
				if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != test.rows {
					t.Errorf("readers see %d rows, want %d", n, test.rows)
				}

				if test.after == 0 {
					return
				}
				mustCLI(t, s.dsn, args...)
			}

			if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")); n != test.after {
				t.Errorf("%d rows, want %d", n, test.after)
			}
			s.checkNothingLeft()
		})
	}
}
