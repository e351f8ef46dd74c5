package job

import (
	"testing"
)

func TestParseTable(t *testing.T) {
	good := map[string]Table{
		"grid":            {"", "grid"},
		"stats.grid":      {"stats", "grid"},
		"Stats.Grid 1":    {"Stats", "Grid 1"},
		`"a.b"`:           {"", "a.b"},
		`"a.b".c`:         {"a.b", "c"},
		`s."c ""d"" . e"`: {"s", `c "d" . e`},
		`we"ird`:          {"", `we"ird`},
		"räume.gitter":    {"räume", "gitter"},
	}

	for in, want := range good {
		got, err := ParseTable(in)
		if err != nil || got != want {
			t.Errorf("ParseTable(%q) = %+v, %v, want %+v", in, got, err, want)
		}

		if again, err := ParseTable(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q, which is read as %+v, %v", in, got.String(), again, err)
		}
	}

	for _, in := range []string{`"a`, `"a"b`, "a.b.c", ".a", `""".`} {
		if got, err := ParseTable(in); err == nil && got.validate() == nil {
			t.Errorf("ParseTable(%q) = %+v, want an error", in, got)
		}
	}
}

func FuzzParseTable(f *testing.F) {
	for _, s := range []string{"grid", `"a.b".c`, `s."c ""d"`, "a.b.c", `"`, ""} {
		f.Add(s)
	}

	f.Fuzz(func(t *testing.T, s string) {
		table, err := ParseTable(s)
		if err != nil || table.validate() != nil {
			return
		}

		if again, err := ParseTable(table.String()); err != nil || again != table {
			t.Fatalf("%q is %+v, written as %q, read as %+v, %v", s, table, table.String(), again, err)
		}
	})
}

func TestParseConstant(t *testing.T) {
	for in, want := range map[string]Constant{
		"a=b":                         {"a", "text", "b"},
		"a=":                          {"a", "text", ""},
		"a=b=c:d":                     {"a", "text", "b=c:d"},
		"year:integer=2026":           {"year", "integer", "2026"},
		"a b:Double Precision=1e3":    {"a b", "double precision", "1e3"},
		"t:timestamptz=2026-01-01":    {"t", "timestamptz", "2026-01-01"},
		"n:numeric=1.50":              {"n", "numeric", "1.50"},
		`j:jsonb={"a": [1, "x:y=z"]}`: {"j", "jsonb", `{"a": [1, "x:y=z"]}`},
	} {
		got, err := ParseConstant(in)
		if in == "t:timestamptz=2026-01-01" {
			// A time without a zone is a different moment in each session.
			if err == nil {
				t.Errorf("ParseConstant(%q) = %+v, want an error", in, got)
			}

			continue
		}

		if err != nil || got != want {
			t.Errorf("ParseConstant(%q) = %+v, %v, want %+v", in, got, err, want)
		}
	}

	for _, in := range []string{"a", "a:integer=", "a:integer=1.5", "a:date=yesterday", "a:nothing=1", "a:uuid=1", "a:json={", "a=\x00"} {
		if got, err := ParseConstant(in); err == nil {
			t.Errorf("ParseConstant(%q) = %+v, want an error", in, got)
		}
	}
}
