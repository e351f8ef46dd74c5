package attempts

import (
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
)

// The key of a shared job depends on its name and on what it makes, but not on how fast or how
// often.
func TestKey(t *testing.T) {
	base := job.Job{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 2, Rows: 3}
	key := Key("a", base)

	for name, change := range map[string]func(*job.Job){
		"streams":    func(j *job.Job) { j.Streams = 2 },
		"chunks":     func(j *job.Job) { j.ChunkRows = 7 },
		"versions":   func(j *job.Job) { j.Keep = 3 },
		"a time-out": func(j *job.Job) { j.AfterTimeout = time.Hour },
		"a default":  func(j *job.Job) { j.IfExists, j.IDColumn = job.Fail, "cell_id" },
		"the ledger": func(j *job.Job) { j.LedgerSchema = "other" },
	} {
		j := base
		if change(&j); Key("a", j) != key {
			t.Errorf("%s changes the key", name)
		}
	}

	keys := map[string]string{"the job": key, "another name": Key("b", base)}
	for name, change := range map[string]func(*job.Job){
		"another table":      func(j *job.Job) { j.Table.Name = "u" },
		"a schema":           func(j *job.Job) { j.Table.Schema = "s" },
		"columns":            func(j *job.Job) { j.Cols = 4 },
		"rows":               func(j *job.Job) { j.Rows = 4 },
		"an extent":          func(j *job.Job) { j.Cols, j.Rows, j.Extent = 0, 0, &geomgen.Box{XMax: 2, YMax: 3} },
		"another extent":     func(j *job.Job) { j.Cols, j.Rows, j.Extent = 0, 0, &geomgen.Box{XMax: 2, YMax: 4} },
		"the size of cells":  func(j *job.Job) { j.Grid.DX = 2 },
		"an index":           func(j *job.Job) { j.Index = job.IndexBRIN },
		"partitions":         func(j *job.Job) { j.Partitions = 2 },
		"replace":            func(j *job.Job) { j.IfExists = job.Replace },
		"append":             func(j *job.Job) { j.IfExists = job.Append },
		"skip":               func(j *job.Job) { j.IfExists, j.OnConflict = job.Append, job.ConflictSkip },
		"before":             func(j *job.Job) { j.Before = "select 1" },
		"after":              func(j *job.Job) { j.After = "select 1" },
		"a query of an area": func(j *job.Job) { j.Area = &aoi.Area{SQL: "select 1", Rule: geomgen.Intersects} },
		"another query":      func(j *job.Job) { j.Area = &aoi.Area{SQL: "select 2", Rule: geomgen.Intersects} },
	} {
		j := base
		change(&j)
		keys[name] = Key("a", j)
	}
	for wkt, name := range map[string]string{"POLYGON((0 0,2 0,2 3,0 0))": "an area", "POLYGON((0 0,2 0,2 4,0 0))": "another area"} {
		area, err := aoi.Read(strings.NewReader(wkt))
		if err != nil {
			t.Fatal(err)
		}
		j := base
		j.Area = area
		keys[name] = Key("a", j)
	}

	seen := make(map[string]string)
	for name, k := range keys {
		if other, twice := seen[k]; twice {
			t.Errorf("%s and %s have the same key", name, other)
		}
		seen[k] = name
	}
}
