package plan

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

func unitJob(cols, rows int64) job.Job {
	return job.Job{Table: job.Table{Name: "grid"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: cols, Rows: rows}
}

func TestNewPlanRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*job.Job)
		param  string
		reason string
	}{
		{"no table", func(j *job.Job) { j.Table.Name = "" }, "table", "needs a table"},
		{"table too long", func(j *job.Job) { j.Table.Name = strings.Repeat("ü", 32) }, "table", "63 bytes"},
		{"schema too long", func(j *job.Job) { j.Table.Schema = strings.Repeat("x", 64) }, "table", "63 bytes"},
		{"table with a zero byte", func(j *job.Job) { j.Table.Name = "a\x00b" }, "table", "not allowed in a name"},
		{"table not UTF-8", func(j *job.Job) { j.Table.Name = "a\xffb" }, "table", "not allowed in a name"},
		{"ledger schema too long", func(j *job.Job) { j.LedgerSchema = strings.Repeat("x", 64) }, "ledger-schema", "63 bytes"},
		{"id is geom", func(j *job.Job) { j.IDColumn = "geom" }, "geom-column", "taken by --id-column"},
		{"id is col", func(j *job.Job) { j.IDColumn = "col" }, "id-column", "taken"},
		{"geom is a system column", func(j *job.Job) { j.GeomColumn = "ctid" }, "geom-column", "system column"},
		{"set twice", func(j *job.Job) {
			j.Set = []job.Constant{{Name: "a", Type: "text", Value: "1"}, {Name: "a", Type: "text", Value: "2"}}
		}, "set", "taken by --set"},
		{"set of the id", func(j *job.Job) { j.Set = []job.Constant{{Name: "cell_id", Type: "text", Value: "1"}} }, "set", "taken by --id-column"},
		{"set of no type", func(j *job.Job) { j.Set = []job.Constant{{Name: "a", Type: "polygon", Value: "1"}} }, "set", "the types are"},
		{"set of a bad value", func(j *job.Job) { j.Set = []job.Constant{{Name: "a", Type: "integer", Value: "one"}} }, "set", "not a valid integer"},
		{"set of a number too large", func(j *job.Job) { j.Set = []job.Constant{{Name: "a", Type: "smallint", Value: "40000"}} }, "set", "not a valid smallint"},
		{"if-exists", func(j *job.Job) { j.IfExists = "drop" }, "if-exists", "fail, append or replace"},
		{"on-conflict unknown", func(j *job.Job) { j.IfExists, j.OnConflict = job.Append, "update" }, "on-conflict", "error or skip"},
		{"skip with fail", func(j *job.Job) { j.OnConflict = job.ConflictSkip }, "on-conflict", "needs if-exists append"},
		{"skip with replace", func(j *job.Job) { j.IfExists, j.OnConflict = job.Replace, job.ConflictSkip }, "on-conflict", "needs if-exists append"},
		{"skip with partitions", func(j *job.Job) { j.IfExists, j.OnConflict, j.Partitions = job.Append, job.ConflictSkip, 2 }, "on-conflict", "without partitions"},
		{"streams", func(j *job.Job) { j.Streams = -1 }, "streams", "between 1 and"},
		{"too many streams", func(j *job.Job) { j.Streams = 65 }, "streams", "between 1 and"},
		{"chunk rows", func(j *job.Job) { j.ChunkRows = -5 }, "chunk-rows", "at least 1"},
		{"cell size", func(j *job.Job) { j.Grid.DX = math.NaN() }, "cell-size", "greater than 0"},
		{"neither extent nor columns", func(j *job.Job) { j.Cols, j.Rows = 0, 0 }, "extent", "needs a limit"},
		{"no limit in a CRS with a domain", func(j *job.Job) { j.Cols, j.Rows, j.Grid.SRID = 0, 0, 6933 }, "extent", "the whole domain of EPSG:6933 is about -17367531,-"},
		{"both", func(j *job.Job) { j.Extent = &geomgen.Box{XMax: 1, YMax: 1} }, "extent", "not both"},
		{"columns without rows", func(j *job.Job) { j.Rows = 0 }, "rows", "belong together"},
		{"too many columns", func(j *job.Job) { j.Cols = geomgen.MaxIndex + 1 }, "cols", "2^30"},
		{"corners coincide", func(j *job.Job) { j.Grid.X0 = 1e17 }, "cell-size", "coincide"},
	}

	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			job := unitJob(10, 10)
			test.change(&job)
			_, err := New(t.Context(), job)
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
	of := func(j job.Job) string {
		p, err := New(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}

		return p.Job.Fingerprint(p.Cells)
	}

	same := map[string]func(*job.Job){
		"streams":          func(j *job.Job) { j.Streams = 7 },
		"chunk rows":       func(j *job.Job) { j.ChunkRows = 7 },
		"if exists":        func(j *job.Job) { j.IfExists = job.Replace },
		"on conflict":      func(j *job.Job) { j.IfExists, j.OnConflict = job.Append, job.ConflictSkip },
		"ledger schema":    func(j *job.Job) { j.LedgerSchema = "other" },
		"spelled defaults": func(j *job.Job) { j.IDColumn, j.GeomColumn = "cell_id", "geom" },
		"the same cells":   func(j *job.Job) { j.Cols, j.Rows, j.Extent = 0, 0, &geomgen.Box{XMax: 9.5, YMax: 10} },
	}

	other := map[string]func(*job.Job){
		"table":     func(j *job.Job) { j.Table.Name = "grid2" },
		"schema":    func(j *job.Job) { j.Table.Schema = "s" },
		"origin":    func(j *job.Job) { j.Grid.X0 = 1 },
		"cell size": func(j *job.Job) { j.Grid.DY = 2 },
		"srid":      func(j *job.Job) { j.Grid.SRID = 3035 },
		"cells":     func(j *job.Job) { j.Cols = 11 },
		"id":        func(j *job.Job) { j.IDColumn = "id" },
		"geom":      func(j *job.Job) { j.GeomColumn = "box" },
		"set":       func(j *job.Job) { j.Set = []job.Constant{{Name: "a", Type: "text", Value: "b"}} },
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

// The ledger does not store the default, so that older jobs in the ledger equal new ones. runs resume reads what
// it stores.
func TestOnConflictInTheLedger(t *testing.T) {
	for choice, want := range map[job.OnConflict]string{"": "", job.ConflictError: "", job.ConflictSkip: `"on_conflict":"skip"`} {
		j := unitJob(10, 10)
		j.IfExists, j.OnConflict = job.Append, choice
		p, err := New(t.Context(), j)
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

		var again job.Job
		if err := json.Unmarshal(b, &again); err != nil || again.OnConflict != p.Job.OnConflict {
			t.Errorf("%q is read again as %q, %v", choice, again.OnConflict, err)
		}
	}
}
