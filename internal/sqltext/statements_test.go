package sqltext

import (
	"slices"
	"strings"
	"testing"
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
		"select e'a' 'b\\'; x":             {"select e'a' 'b\\'", "x"}, // not on another line, so it is not part of the string
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
		"create procedure begin() as 'a'; x": {"create procedure begin() as 'a'; x"}, // psql also mistakes the name for a body
	} {
		var got []string
		for _, st := range Statements(sql) {
			got = append(got, st.Text)
			if !strings.HasPrefix(sql[st.Offset:], st.Text) {
				t.Errorf("%q: %q is not at %d", sql, st.Text, st.Offset)
			}
		}

		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", sql, got, want)
		}
	}
}

// The statements are in the text, in order, and only spaces, semicolons and comments are left out.
// Splitting a statement again returns it unchanged.
func FuzzStatements(f *testing.F) {
	for _, seed := range []string{"select 1; select ';'", "$a$;$a$;e'\\';';/*;/*;*/;*/--;\n;(;);", "create function f() begin atomic;case;end;end;x", "\"", "e'\\", "$", "é;\x00;\xff"} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, sql string) {
		end := 0
		for _, st := range Statements(sql) {
			if st.Text == "" || st.Offset < end || !strings.HasPrefix(sql[st.Offset:], st.Text) {
				t.Fatalf("%q: statement %q at %d, after %d", sql, st.Text, st.Offset, end)
			}

			end = st.Offset + len(st.Text)
			if again := Statements(st.Text); len(again) != 1 || again[0].Text != st.Text || again[0].Word != st.Word {
				t.Fatalf("%q: %q is split into %v", sql, st.Text, again)
			}

			if line, column := LineColumn(sql, st.Offset); line < 1 || column < 1 || line > strings.Count(sql, "\n")+1 {
				t.Fatalf("%q: line %d, column %d", sql, line, column)
			}
		}
	})
}
