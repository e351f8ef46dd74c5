package appendplan

import (
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// unitJob returns a job of cols x rows cells of size 1.
func unitJob(cols, rows int64) job.Job {
	return job.Job{Table: job.Table{Name: "grid"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: cols, Rows: rows}
}

// appendOf estimates an append of cols x rows cells to a table with these indexes.
func appendOf(t *testing.T, j job.Job, a Plan) Plan {
	t.Helper()
	j.IfExists = job.Append
	p, err := plan.New(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}

	a.Exists = true
	a.Estimate(p)

	return a
}

func keyAnd(rows int64, more ...Index) []Index {
	return append([]Index{{Name: "grid_pkey", Method: "btree", Columns: "cell_id", Constraint: true, Rows: rows, Bytes: rows * 22, InOrder: true}}, more...)
}

func gist(rows int64) Index {
	return Index{Name: "grid_geom_idx", Method: "gist", Columns: "geom", Rows: rows, Bytes: rows * 40}
}

func TestAppendTotalIsTheSumOfItsParts(t *testing.T) {
	partitioned := unitJob(1000, 1000)
	partitioned.Partitions = 4

	for name, a := range map[string]Plan{
		"inserted": appendOf(t, unitJob(1000, 1000), Plan{Rows: 5e6, Indexes: keyAnd(5e6, gist(5e6))}),
		"attached": appendOf(t, partitioned, Plan{Rows: 5e6, Attach: true, Partitioned: true,
			Indexes: keyAnd(5e6, gist(5e6), Index{Name: "r", Method: "btree", Columns: `"row"`, Rows: 5e6, Bytes: 5e6 * 10})}),
	} {
		sum := a.Staging.plus(a.Move)
		for _, i := range a.Indexes {
			sum = sum.plus(i.Cost)
			if i.Growth <= 0 {
				t.Errorf("%s: index %s grows by %d bytes", name, i.Name, i.Growth)
			}
		}

		if sum != a.Total || a.Total.Seconds <= 0 || a.Total.WALBytes <= a.NewTable.WALBytes {
			t.Errorf("%s: the total is %v, the sum %v, a new table %v", name, a.Total, sum, a.NewTable)
		}
	}
}

// Each index of the table takes time, GiST the most, and a new table takes less than all of that.
func TestAppendCostsMoreWithEachIndex(t *testing.T) {
	var before float64
	for _, indexes := range [][]Index{
		keyAnd(1e6),
		keyAnd(1e6, Index{Name: "b", Method: "brin", Columns: "geom", Rows: 1e6, Bytes: 1e5}),
		keyAnd(1e6, Index{Name: "r", Method: "btree", Columns: `"row"`, Rows: 1e6, Bytes: 7e6}),
		keyAnd(1e6, gist(1e6)),
		keyAnd(1e6, gist(1e6), Index{Name: "r", Method: "btree", Columns: `"row"`, Rows: 1e6, Bytes: 7e6}),
	} {
		a := appendOf(t, unitJob(1000, 1000), Plan{Rows: 1e6, Indexes: indexes})
		if a.Total.Seconds <= before || a.Total.Seconds <= a.NewTable.Seconds {
			t.Errorf("with %d indexes, the last %s: %.1f s, before %.1f s, a new table %.1f s",
				len(indexes), indexes[len(indexes)-1].Name, a.Total.Seconds, before, a.NewTable.Seconds)
		}

		before = a.Total.Seconds
	}
}

// A partition has its key and spatial index when it is attached. The table's other indexes are built then.
func TestAttachedPartitionsHaveTheirIndexes(t *testing.T) {
	job := unitJob(1000, 1000)
	job.Partitions, job.GeomColumn = 4, "Geom"
	a := appendOf(t, job, Plan{Rows: 1e6, Attach: true, Partitioned: true, Indexes: []Index{
		keyAnd(1e6)[0],
		{Name: "g", Method: "gist", Columns: `"Geom"`, Rows: 1e6, Bytes: 4e7},
		{Name: "centre", Method: "gist", Columns: `st_centroid("Geom")`, Rows: 1e6, Bytes: 4e7},
		{Name: "r", Method: "btree", Columns: `"row"`, Rows: 1e6, Bytes: 7e6},
	}})

	for k, built := range []bool{false, false, true, true} {
		if i := a.Indexes[k]; (i.Cost.Seconds > 0) != built {
			t.Errorf("index %s costs %v, which is wrong", i.Name, i.Cost)
		}
	}

	if len(a.Hints) != 0 || a.Move != (Cost{}) {
		t.Errorf("hints %q, move %v", a.Hints, a.Move)
	}
}

func TestUnloggedTablesWriteNoWALWhenRowsAreMoved(t *testing.T) {
	a := appendOf(t, unitJob(100, 100), Plan{Indexes: keyAnd(1e6, gist(1e6)), Unlogged: true})
	if a.Move.WALBytes != 0 || a.Indexes[1].Cost.WALBytes != 0 || a.Total.WALBytes != a.Staging.WALBytes || a.Staging.WALBytes == 0 {
		t.Errorf("%+v", a)
	}
}

func TestAppendHints(t *testing.T) {
	large := unitJob(4000, 4000)
	for name, tt := range map[string]struct {
		job  job.Job
		plan Plan
		want []string // a part of each hint
	}{
		"few rows are not worth it":         {unitJob(100, 100), Plan{Rows: 1e6, Indexes: keyAnd(1e6, gist(1e6))}, nil},
		"an index as large as the rows":     {large, Plan{Rows: 16e6, Indexes: keyAnd(16e6, gist(16e6))}, []string{"dropping index grid_geom_idx before the load"}},
		"an index that is far larger":       {large, Plan{Rows: 1e9, Indexes: keyAnd(1e9, gist(1e9))}, nil},
		"a key must stay":                   {large, Plan{Rows: 1, Indexes: keyAnd(1)}, nil},
		"partitions, their ranges free":     {large, Plan{Rows: 1e9, Partitioned: true, NoPartition: true, Indexes: keyAnd(1e9, gist(1e9))}, []string{"with partitions"}},
		"partitions, ranges that are taken": {large, Plan{Rows: 1e9, Partitioned: true, Indexes: keyAnd(1e9, gist(1e9))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := appendOf(t, tt.job, tt.plan).Hints
			if len(got) != len(tt.want) {
				t.Fatalf("hints %q, want %d", got, len(tt.want))
			}

			for i, part := range tt.want {
				if !strings.Contains(got[i], part) {
					t.Errorf("%q is not in %q", part, got[i])
				}
			}
		})
	}
}

// The largest plan must not overflow.
func TestAppendOfAnySize(t *testing.T) {
	a := appendOf(t, unitJob(1<<30, 1<<30), Plan{Rows: 1, Indexes: keyAnd(1, gist(1))})
	if a.Total.WALBytes < 1<<62 || a.Total.Seconds < 1e9 || a.Indexes[1].Growth < 1<<62 {
		t.Errorf("%+v", a)
	}
}
