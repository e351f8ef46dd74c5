package loader

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

func unitJob(cols, rows int64) Job {
	return Job{Table: Table{Name: "grid"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: cols, Rows: rows}
}

func TestNewPlanRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Job)
		param  string
		reason string
	}{
		{"no table", func(j *Job) { j.Table.Name = "" }, "table", "empty"},
		{"table too long", func(j *Job) { j.Table.Name = strings.Repeat("ü", 32) }, "table", "63 bytes"},
		{"schema too long", func(j *Job) { j.Table.Schema = strings.Repeat("x", 64) }, "table", "63 bytes"},
		{"table with a zero byte", func(j *Job) { j.Table.Name = "a\x00b" }, "table", "no name may hold"},
		{"table not UTF-8", func(j *Job) { j.Table.Name = "a\xffb" }, "table", "no name may hold"},
		{"ledger schema too long", func(j *Job) { j.LedgerSchema = strings.Repeat("x", 64) }, "ledger-schema", "63 bytes"},
		{"id is geom", func(j *Job) { j.IDColumn = "geom" }, "geom-column", "taken by --id-column"},
		{"id is col", func(j *Job) { j.IDColumn = "col" }, "id-column", "taken"},
		{"geom is a system column", func(j *Job) { j.GeomColumn = "ctid" }, "geom-column", "system column"},
		{"set twice", func(j *Job) { j.Set = []Constant{{"a", "text", "1"}, {"a", "text", "2"}} }, "set", "taken by --set"},
		{"set of the id", func(j *Job) { j.Set = []Constant{{"cell_id", "text", "1"}} }, "set", "taken by --id-column"},
		{"set of no type", func(j *Job) { j.Set = []Constant{{"a", "polygon", "1"}} }, "set", "the types are"},
		{"set of a bad value", func(j *Job) { j.Set = []Constant{{"a", "integer", "one"}} }, "set", "no integer"},
		{"set of a number too large", func(j *Job) { j.Set = []Constant{{"a", "smallint", "40000"}} }, "set", "no smallint"},
		{"if-exists", func(j *Job) { j.IfExists = "drop" }, "if-exists", "fail, append or replace"},
		{"on-conflict unknown", func(j *Job) { j.IfExists, j.OnConflict = Append, "update" }, "on-conflict", "error or skip"},
		{"skip with fail", func(j *Job) { j.OnConflict = ConflictSkip }, "on-conflict", "append alone"},
		{"skip with replace", func(j *Job) { j.IfExists, j.OnConflict = Replace, ConflictSkip }, "on-conflict", "append alone"},
		{"skip with partitions", func(j *Job) { j.IfExists, j.OnConflict, j.Partitions = Append, ConflictSkip, 2 }, "on-conflict", "without partitions"},
		{"streams", func(j *Job) { j.Streams = -1 }, "streams", "between 1 and"},
		{"too many streams", func(j *Job) { j.Streams = 65 }, "streams", "between 1 and"},
		{"chunk rows", func(j *Job) { j.ChunkRows = -5 }, "chunk-rows", "at least 1"},
		{"cell size", func(j *Job) { j.Grid.DX = math.NaN() }, "cell-size", "greater than 0"},
		{"neither extent nor columns", func(j *Job) { j.Cols, j.Rows = 0, 0 }, "extent", "how far"},
		{"both", func(j *Job) { j.Extent = &geomgen.Box{XMax: 1, YMax: 1} }, "extent", "not both"},
		{"columns without rows", func(j *Job) { j.Rows = 0 }, "rows", "go together"},
		{"too many columns", func(j *Job) { j.Cols = geomgen.MaxIndex + 1 }, "cols", "2^30"},
		{"corners coincide", func(j *Job) { j.Grid.X0 = 1e17 }, "cell-size", "coincide"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			job := unitJob(10, 10)
			test.change(&job)
			_, err := NewPlan(t.Context(), job)
			var pe *geomgen.ParamError
			if !errors.As(err, &pe) {
				t.Fatalf("got %v, want a ParamError", err)
			}
			if pe.Param != test.param || !strings.Contains(pe.Reason, test.reason) {
				t.Errorf("got %q, want parameter %s and %q in the reason", err, test.param, test.reason)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	base := unitJob(10, 10)
	of := func(j Job) string {
		p, err := NewPlan(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		return p.Job.fingerprint(p.Cells)
	}
	same := map[string]func(*Job){
		"streams":          func(j *Job) { j.Streams = 7 },
		"chunk rows":       func(j *Job) { j.ChunkRows = 7 },
		"if exists":        func(j *Job) { j.IfExists = Replace },
		"on conflict":      func(j *Job) { j.IfExists, j.OnConflict = Append, ConflictSkip },
		"ledger schema":    func(j *Job) { j.LedgerSchema = "other" },
		"spelled defaults": func(j *Job) { j.IDColumn, j.GeomColumn = "cell_id", "geom" },
		"the same cells":   func(j *Job) { j.Cols, j.Rows, j.Extent = 0, 0, &geomgen.Box{XMax: 9.5, YMax: 10} },
	}
	other := map[string]func(*Job){
		"table":     func(j *Job) { j.Table.Name = "grid2" },
		"schema":    func(j *Job) { j.Table.Schema = "s" },
		"origin":    func(j *Job) { j.Grid.X0 = 1 },
		"cell size": func(j *Job) { j.Grid.DY = 2 },
		"srid":      func(j *Job) { j.Grid.SRID = 3035 },
		"cells":     func(j *Job) { j.Cols = 11 },
		"id":        func(j *Job) { j.IDColumn = "id" },
		"geom":      func(j *Job) { j.GeomColumn = "box" },
		"set":       func(j *Job) { j.Set = []Constant{{"a", "text", "b"}} },
	}
	for name, change := range same {
		j := base
		if change(&j); of(j) != of(base) {
			t.Errorf("%s changes the fingerprint", name)
		}
	}
	for name, change := range other {
		j := base
		if change(&j); of(j) == of(base) {
			t.Errorf("%s does not change the fingerprint", name)
		}
	}
}

// The default is not written down, so that the ledger's older jobs are the same as
// new ones, and what is written is read again by runs resume.
func TestOnConflictInTheLedger(t *testing.T) {
	for choice, want := range map[OnConflict]string{"": "", ConflictError: "", ConflictSkip: `"on_conflict":"skip"`} {
		job := unitJob(10, 10)
		job.IfExists, job.OnConflict = Append, choice
		p, err := NewPlan(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(p.Job)
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(string(b), "on_conflict"); has != (want != "") || !strings.Contains(string(b), want) {
			t.Errorf("%q is written as %s", choice, b)
		}
		var again Job
		if err := json.Unmarshal(b, &again); err != nil || again.OnConflict != p.Job.OnConflict {
			t.Errorf("%q is read again as %q, %v", choice, again.OnConflict, err)
		}
	}
}

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

func TestObjectName(t *testing.T) {
	long := strings.Repeat("ä", 31) + "x"
	for _, test := range []struct{ table, column, label, want string }{
		{"grid", "", "pkey", "grid_pkey"},
		{"grid", "geom", "idx", "grid_geom_idx"},
		{long, "", "pkey", strings.Repeat("ä", 29) + "_pkey"},
		{"grid", long, "idx", "grid_" + strings.Repeat("ä", 27) + "_idx"},
		{"loadgrid_staging_0a1b2c3d_4e5f6071_p10", long, "idx", "loadgrid_staging_0a1b2c3d_4e5f6071_p10_" + strings.Repeat("ä", 10) + "_idx"},
		{long, long, "idx", strings.Repeat("ä", 15) + "_" + strings.Repeat("ä", 14) + "_idx"},
	} {
		if got := objectName(test.table, test.column, test.label); got != test.want || len(got) > maxIdentifier {
			t.Errorf("objectName(%q, %q, %q) = %q, want %q", test.table, test.column, test.label, got, test.want)
		}
	}
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
			// A time without its zone means another moment in each session.
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
