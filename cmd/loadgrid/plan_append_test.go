package main

import (
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/appendplan"
)

func TestPrintAppend(t *testing.T) {
	p, err := loader.NewPlan(t.Context(), loader.Job{Table: loader.Table{Schema: "stats", Name: "grid"}, Grid: geomgen.Grid{DX: 1, DY: 1},
		Cols: 1000, Rows: 800, IfExists: loader.Append})
	if err != nil {
		t.Fatal(err)
	}

	key := appendplan.Index{Name: "grid_pkey", Method: "btree", Columns: "cell_id", Constraint: true, Bytes: 18e6, Rows: 800_000, Growth: 20e6}
	cost := func(wal int64, seconds float64) appendplan.Cost {
		return appendplan.Cost{WALBytes: wal, Seconds: seconds}
	}
	inserted := key
	inserted.Cost = cost(56e6, 0.6)
	there := loader.AppendPlan{Table: p.Job.Table, Exists: true, Rows: 800_000, HeapBytes: 134e6,
		Indexes: []appendplan.Index{inserted, {Name: "grid\ngeom", Method: "gist", Columns: "geom", Bytes: 33e6, Rows: 800_000, Growth: 39e6, Cost: cost(104e6, 5.6)}},
		Staging: cost(131e6, 1.1), Move: cost(154e6, 1.1), Total: cost(445e6, 8.4), NewTable: cost(154e6, 2),
		Hints: []string{"drop it"}}

	attached := there
	attached.Partitioned, attached.Attach, attached.Hints = true, true, nil
	attached.Indexes = []appendplan.Index{key, there.Indexes[1]}

	var b strings.Builder
	for _, a := range []loader.AppendPlan{there, attached, {Table: p.Job.Table}} {
		if err := printAppend(&b, p, a); err != nil {
			t.Fatal(err)
		}
	}

	p.Job.OnConflict = loader.ConflictSkip
	there.Existing, there.Indexes, there.Hints = 12_345, there.Indexes[:1], nil
	if err := printAppend(&b, p, there); err != nil {
		t.Fatal(err)
	}

	golden(t, "plan_append.txt", b.String())
}
