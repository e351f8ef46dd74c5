package loader

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/geomgen"
)

func TestStatements(t *testing.T) {
	for sql, want := range map[string][]string{
		"":                                 nil,
		" ;; ; -- nothing\n/* ; */":        nil,
		"select 1":                         {"select 1"},
		"select 1;":                        {"select 1"},
		" select 1 ; \n select 2 ":         {"select 1", "select 2"},
		"select ';', \"a;b\"; x":           {"select ';', \"a;b\"", "x"},
		"select 'it''s;'; x":               {"select 'it''s;'", "x"},
		`select e'\';', 'a\'; x`:           {`select e'\';', 'a\'`, "x"},
		`select e'it''s \';'; x`:           {`select e'it''s \';'`, "x"},
		"select e'a' \n 'b\\';'; x":        {"select e'a' \n 'b\\';'", "x"},
		"select e'a' 'b\\'; x":             {"select e'a' 'b\\'", "x"}, // not on another line: no part of it
		"-- a;\rselect 1 -- b;\r; x":       {"select 1 -- b;", "x"},
		"select $$;$$, $a$;$$;$a$; x":      {"select $$;$$, $a$;$$;$a$", "x"},
		"select a$b; x$c; y":               {"select a$b", "x$c", "y"},
		"select $1; x":                     {"select $1", "x"},
		"-- a;\nselect 1 -- b;\n; x":       {"select 1 -- b;", "x"},
		"/* a; /* b; */ c; */ select 1; x": {"select 1", "x"},
		"create rule r as on insert to t do also (select 1; select 2); x": {"create rule r as on insert to t do also (select 1; select 2)", "x"},
		"do $$ begin; end $$; x": {"do $$ begin; end $$", "x"},
		"create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end; x": {
			"create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end", "x"},
		"create table function (a int); x":   {"create table function (a int)", "x"},
		"begin; commit":                      {"begin", "commit"},
		"select 'open; x":                    {"select 'open; x"},
		"select é; ü":                        {"select é", "ü"},
		"create procedure begin() as 'a'; x": {"create procedure begin() as 'a'; x"}, // psql takes the name for a body, too
	} {
		var got []string
		for _, st := range statements(sql) {
			got = append(got, st.text)
			if !strings.HasPrefix(sql[st.offset:], st.text) {
				t.Errorf("%q: %q is not at %d", sql, st.text, st.offset)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", sql, got, want)
		}
	}
}

// What is taken apart is there, in its order, and nothing is lost between but spaces,
// semicolons and comments; a statement taken apart again is one.
func FuzzStatements(f *testing.F) {
	for _, seed := range []string{"select 1; select ';'", "$a$;$a$;e'\\';';/*;/*;*/;*/--;\n;(;);", "create function f() begin atomic;case;end;end;x", "\"", "e'\\", "$", "é;\x00;\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		end := 0
		for _, st := range statements(sql) {
			if st.text == "" || st.offset < end || !strings.HasPrefix(sql[st.offset:], st.text) {
				t.Fatalf("%q: statement %q at %d, after %d", sql, st.text, st.offset, end)
			}
			end = st.offset + len(st.text)
			if again := statements(st.text); len(again) != 1 || again[0].text != st.text || again[0].word != st.word {
				t.Fatalf("%q: %q is taken apart to %v", sql, st.text, again)
			}
			if line, column := lineColumn(sql, st.offset); line < 1 || column < 1 || line > strings.Count(sql, "\n")+1 {
				t.Fatalf("%q: line %d, column %d", sql, line, column)
			}
		}
	})
}

func TestStepsAreChecked(t *testing.T) {
	job := Job{Table: Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 1, Rows: 1}
	for reason, change := range map[string]func(*Job){
		"statement 2 of 3, line 2, column 2: it runs in the transaction": func(j *Job) { j.After = "select 1;\n commit; select 2" },
		"statement 1 of 1, line 3, column 1: it runs in":                 func(j *Job) { j.After = "-- a\n/* b */\nROLLBACK to x" },
		"copy needs a program":         func(j *Job) { j.Before = "copy t from STDIN" },
		"has no statement":             func(j *Job) { j.After = " ; -- x" },
		"needs SQL: after":             func(j *Job) { j.AfterTimeout = time.Second },
		"must lie between 1ms and 596": func(j *Job) { j.Before, j.BeforeTimeout = "select 1", 1000*time.Hour },
		"line 2, column 3: the comment has no end": func(j *Job) {
			j.After = "select 1; /* a /* b */ */\n  /* see /* */ below\ncomment on table {{table}} is 'x'"
		},
		"line 1, column 1: the comment has no end": func(j *Job) { j.Before = "/*" },
		"line 1, column 17: only {{table}} stands": func(j *Job) { j.After = "grant select on {{ table }} to public" },
		"column 15: only {{table}} stands for":     func(j *Job) { j.After = "select * from {{tabel}}" },
		"column 17: the table is {{table}}, witho": func(j *Job) { j.After = "select cell_at('{{table }}', g) from {{table}}" },
		"line 2, column 33: no variable is filled": func(j *Job) { j.Before = "select 1;\ngrant select on {{table}} to x, ${ROLE}" },
		"no zero bytes": func(j *Job) { j.Before = "select '\x00'" },
	} {
		j := job
		change(&j)
		_, err := NewPlan(t.Context(), j)
		var param *geomgen.ParamError
		if !errors.As(err, &param) || !strings.Contains(param.Reason, reason) {
			t.Errorf("want a ParamError with %q, got %v", reason, err)
		}
	}
	job.Before, job.After = "begin; select 1; commit; copy t from '/srv/stdin' /* stdout */", "select 1; COPY (select 1) to program 'cat'; "+
		"select '{{a}} ${b}', $${{b}} ${c}$$, e'\\'${d}', \"{{e}}\" from {{table}} -- {{ table }} ${f}\n /* {{g}} /* */ */ where a = $1"
	if _, err := NewPlan(t.Context(), job); err != nil {
		t.Error(err)
	}
}

// The server counts characters of what was sent, in which the table has its name.
func TestPositionInStatement(t *testing.T) {
	const name = `"s"."lönger"`
	text := "é {{table}} x {{table}} y"
	sent := []rune(strings.ReplaceAll(text, tablePlaceholder, name))
	for char, want := range map[int]int{0: 0, 1: 2, 2: 3, 3: 3, 2 + 12: 3 + 9, 2 + 12 + 1: 3 + 9 + 1, len(sent) - 1: len(text) - 1, len(sent): len(text)} {
		err := &pgconn.PgError{Position: int32(char) + 1}
		if got := positionIn(text, name, err); got != want {
			t.Errorf("character %d (%q) is at byte %d, want %d", char, string(sent[min(char, len(sent)-1)]), got, want)
		}
	}
	if got := positionIn(text, name, errors.New("x")); got != 0 {
		t.Errorf("no position is at %d", got)
	}
}
