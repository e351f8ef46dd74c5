package integration

import (
	"fmt"
	"strings"
	"testing"
)

// A rollback restores what the runs left, or nothing: it refuses a version that was truncated, detached
// or altered while it was kept, and names the problem.
func TestRollbackToAnAlteredVersion(t *testing.T) {
	type change struct{ do, undo, words string } // no undo: the change stays. No words: the rollback succeeds
	everywhere := []change{
		{"delete from KEPT where col = 3", "insert into KEPT select * from saved where col = 3", "190 of 200 rows are there"},
		{"alter table KEPT add column mine integer", "alter table KEPT drop column mine", "it has mine int4"},
		{"alter table KEPT alter column n type bigint", "alter table KEPT alter column n type integer", "it lacks n int4, it has n int8"},
		{"alter table KEPT drop constraint KEPT_pkey", "alter table KEPT add constraint KEPT_pkey primary key (cell_id)", "it lacks the key or unique index btree unique"},
	}

	for name, test := range map[string]struct {
		extra   []string
		changes []change
	}{
		"plain, back in the end":   {nil, append(everywhere[1:2:2], change{"vacuum full KEPT", "", ""})},
		"plain, rows and type":     {nil, []change{everywhere[0], everywhere[2]}},
		"plain, key":               {nil, append(everywhere[3:], change{"alter table KEPT drop column n; alter table KEPT add column n integer", "", "a column was dropped and recreated"})},
		"plain, emptied":           {nil, []change{{"truncate KEPT", "", "0 of 200 rows are there"}, {"insert into KEPT select * from saved", "", "it was emptied or rewritten: 0 of 200 rows"}}},
		"parts, back in the end":   {[]string{"--partitions", "4"}, append(everywhere[1:2:2], change{"alter table KEPT detach partition KEPT_p1", "alter table KEPT attach partition KEPT_p1 BOUNDS", "partition SCHEMA.KEPT_p1 was detached"}, change{"vacuum full KEPT", "", ""})},
		"parts, a column":          {[]string{"--partitions", "4"}, append(everywhere[2:3:3], change{"alter table KEPT drop column n; alter table KEPT add column n integer", "", "a column was dropped and recreated"})},
		"parts, dropped":           {[]string{"--partitions", "4"}, append(everywhere[3:], change{"drop table KEPT_p1", "", "the partition that was called grid_p1 was dropped"})},
		"parts, emptied":           {[]string{"--partitions", "4"}, []change{{"truncate KEPT_p1", "", "of 200 rows are there"}, {"insert into KEPT select * from saved on conflict do nothing", "", "it was emptied or rewritten"}}},
		"parts, before it is kept": {[]string{"--partitions", "4"}, []change{{"BEFORE truncate grid_p1", "", "of 200 rows are there"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			conn := s.connect()
			args := s.load("grid", appendArgs(boxes(20, 10), append(test.extra, "--set", "n:int=1", "--if-exists", "replace", "--keep", "1")...)...)
			mustCLI(t, s.dsn, args...)
			kept := "grid_run1"

			do := func(sql string) {
				t.Helper()
				if sql == "" {
					return
				}

				var bounds string
				if strings.Contains(sql, "BOUNDS") {
					bounds = queryOne[string](t, s.pool, "select 'for values from (' || min(cell_id) || ') to (' || max(cell_id) + 1 || ')' from "+s.name(kept+"_p1"))
				}

				sql = strings.NewReplacer("KEPT", kept, "SCHEMA", s.schema, "BOUNDS", bounds).Replace(sql)
				for _, st := range append([]string{"set search_path to " + s.schema + ", public"}, strings.Split(sql, ";")...) {
					if _, err := conn.Exec(t.Context(), st); err != nil {
						t.Fatalf("%s: %v", st, err)
					}
				}
			}

			do("create table saved as select * from grid")
			if before, ok := strings.CutPrefix(test.changes[0].do, "BEFORE "); ok {
				do(before)
				test.changes[0].do = ""
			}

			mustCLI(t, s.dsn, args...)
			for _, c := range test.changes {
				do(c.do)
				r := cli(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema)
				if c.words == "" {
					r.expect(t, 0)
					s.checkCells("grid", 200)
					continue
				}

				r.expect(t, 1, kept, "is not as run 1 left it", strings.NewReplacer("KEPT", kept, "SCHEMA", s.schema).Replace(c.words))
				if got := queryOne[int](t, s.pool, "select count(*)::int from "+s.name("runs")+" where shown and id = 2"); got != 1 {
					t.Errorf("%s: the table no longer shows run 2", fmt.Sprint(c))
				}
				do(c.undo)
			}
		})
	}
}

// The ledger knows how many rows a step that wrote to the table left only if the job counts them, with
// skip-unchanged. Otherwise it only knows that there were rows.
func TestRollbackToWhatAStepHasWritten(t *testing.T) {
	for name, extra := range map[string][]string{"counted": {"--skip-unchanged"}, "not counted": nil} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			args := s.load("grid", appendArgs(boxes(20, 10), append(extra, "--partitions", "2", "--if-exists", "replace", "--keep", "1", "--after", "delete from {{table}} where col = 3")...)...)
			mustCLI(t, s.dsn, args...)
			mustCLI(t, s.dsn, appendArgs(args, "--index", "none")...)
			mustCLI(t, s.dsn, "runs", "rollback", "1", "--ledger-schema", s.schema)
			s.checkCells("grid", 190)

			words := "table grid_run2_p1 was emptied"
			if name == "counted" {
				words = "of 190 rows are there"
			}
			s.exec("truncate " + s.name("grid_run2_p1"))
			cli(t, s.dsn, "runs", "rollback", "2", "--ledger-schema", s.schema).expect(t, 1, words)
		})
	}
}
