package plan

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
)

// spreadJob is a job for a distributed table with parents.
func spreadJob(levels int, change func(*job.Job)) job.Job {
	j := unitJob(70, 41)
	j.Grid.X0 = -3.5
	j.Extent = &geomgen.Box{XMin: -30, YMin: -20, XMax: 36, YMax: 21} // in all four quadrants
	j.Cols, j.Rows = 0, 0
	j.Distribute, j.ParentLevels = job.DistributeHash, levels
	if change != nil {
		change(&j)
	}

	return j
}

// TestParentsOfRows compares the column with the id of each row, for all ways of writing rows.
func TestParentsOfRows(t *testing.T) {
	triangle := &aoi.Area{Polygons: []geomgen.Polygon{{{{X: -20.5, Y: -15}, {X: 30, Y: -4.25}, {X: 3, Y: 18.75}, {X: -20.5, Y: -15}}}}}

	for name, change := range map[string]func(*job.Job){
		"squares":   nil,
		"turned":    func(j *job.Job) { j.Grid.Rotate = 30 },
		"hexagons":  func(j *job.Job) { j.Grid.Shape = geomgen.HexagonFlat },
		"points":    func(j *job.Job) { j.Geometry = geomgen.AsPoint },
		"constants": func(j *job.Job) { j.Set = []job.Constant{{Name: "year", Type: "integer", Value: "2026"}} },
		"codes": func(j *job.Job) {
			j.Grid, j.Extent, j.Code = geomgen.Tiles(5), nil, geomgen.Quadkey
		},
		"coverage":       func(j *job.Job) { j.Area, j.Coverage = triangle, true },
		"clipped":        func(j *job.Job) { j.Area, j.Clip = triangle, true },
		"clipped, share": func(j *job.Job) { j.Area, j.Clip, j.Coverage = triangle, true, true },
	} {
		for _, levels := range []int{1, 3, 5, 30} {
			t.Run(fmt.Sprintf("%s, %d", name, levels), func(t *testing.T) {
				p, err := New(t.Context(), spreadJob(levels, change))
				if err != nil {
					t.Fatal(err)
				}

				b, err := io.ReadAll(p.NewRows(context.Background(), everything(p)))
				if err != nil {
					t.Fatal(err)
				}

				rows := decodeCopy(t, b)
				if int64(len(rows)) != p.Rows {
					t.Fatalf("%d rows, want %d", len(rows), p.Rows)
				}

				for _, row := range rows {
					if parent := int64(binary.BigEndian.Uint64(row.constants[0])); parent != row.id>>(2*levels) || len(row.constants[0]) != 8 {
						t.Fatalf("cell %v, id %d, has parent %d, want %d", row.cell, row.id, parent, row.id>>(2*levels))
					}
				}
			})
		}
	}
}

// TestParentsAreSquaresOfCells checks that a parent contains exactly the cells of an aligned square.
func TestParentsAreSquaresOfCells(t *testing.T) {
	const levels, side = 3, 8
	squares := map[int64]geomgen.Cell{}

	for col := int32(-40); col < 40; col++ {
		for row := int32(-40); row < 40; row++ {
			parent := geomgen.CellID(geomgen.Cell{Col: col, Row: row}) >> (2 * levels)
			square := geomgen.Cell{Col: col >> levels, Row: row >> levels}

			if have, ok := squares[parent]; ok && have != square {
				t.Fatalf("parent %d has cells of squares %v and %v of %d cells a side", parent, have, square, side)
			}
			squares[parent] = square
		}
	}

	if len(squares) != 100 {
		t.Errorf("80 x 80 cells have %d parents, want 100", len(squares))
	}
}

func TestDistribution(t *testing.T) {
	j := unitJob(4000, 1000)
	if d, distributed := mustPlan(t, j).Distribution(); distributed {
		t.Errorf("a job that does not say so is distributed: %+v", d)
	}

	j.Distribute = job.DistributeHash
	if d, _ := mustPlan(t, j).Distribution(); d != (Distribution{}) {
		t.Errorf("without a server and without shards, got %+v, want nothing known", d)
	}

	j.Shards = 6
	if d, _ := mustPlan(t, j).Distribution(); d != (Distribution{Shards: 6, RowsPerShard: 666_667}) {
		t.Errorf("without a server, got %+v", d)
	}

	p := mustPlan(t, j).WithServer(Server{SortsGiST: true, MarksCopied: true, Nodes: 4})
	e := p.Estimate()
	// Two of the nodes have two of the six shards.
	want := Distribution{Shards: 6, RowsPerShard: 666_667, Nodes: 4, BytesPerNode: (e.HeapBytes + e.IndexBytes) / 3}
	if d, _ := p.Distribution(); d.Shards != want.Shards || d.Nodes != want.Nodes || d.BytesPerNode-want.BytesPerNode > 1 || want.BytesPerNode-d.BytesPerNode > 1 {
		t.Errorf("with four nodes, got %+v, want %+v", d, want)
	}

	j.Shards = 0
	if d, _ := mustPlan(t, j).WithServer(Server{Nodes: 3}).Distribution(); d.Shards != 6 {
		t.Errorf("three nodes have %d shards by default, want 6", d.Shards)
	}

	j.ColocateWith.Name = "points"
	if d, _ := mustPlan(t, j).WithServer(Server{Nodes: 3}).Distribution(); d.Shards != 0 {
		t.Errorf("beside another table there are %d shards, want that it is not known", d.Shards)
	}
}

// TestDistributedPlansGoOutInLargeChunks also checks that no chunk uses FREEZE, which Citus silently ignores.
func TestDistributedPlansGoOutInLargeChunks(t *testing.T) {
	for _, tt := range []struct {
		change func(*job.Job)
		chunks int64
		rows   int64
	}{
		{nil, 2, 2_000_000},
		{func(j *job.Job) { j.Streams = 1 }, 2, 2_000_000},
		{func(j *job.Job) { j.ChunkRows = 500_000 }, 8, 500_000},
		{func(j *job.Job) { j.Unlogged = true }, 2, 2_000_000},
		{func(j *job.Job) { j.Cols = 40 }, 1, 40_000},
	} {
		j := unitJob(4000, 1000)
		j.Distribute = job.DistributeHash
		if tt.change != nil {
			tt.change(&j)
		}

		p := mustPlan(t, j)
		if p.Method != MethodChunks || p.Chunks != tt.chunks || p.Chunk(0).Rows != tt.rows {
			t.Errorf("%+v: %s, %d chunks of %d rows, want %d of %d", j, p.Method, p.Chunks, p.Chunk(0).Rows, tt.chunks, tt.rows)
		}

		if n, _ := p.InPartitions(); n != 0 {
			t.Errorf("%d partitions are recommended for a distributed table", n)
		}
	}
}

func TestWarningOfFewParents(t *testing.T) {
	for _, tt := range []struct {
		levels, shards int
		warns          bool
	}{
		{6, 8, false}, {6, 64, true}, {9, 8, true}, {5, 64, false}, {30, 1, true}, {6, 0, false},
	} {
		j := unitJob(1000, 1000)
		j.Distribute, j.ParentLevels, j.Shards = job.DistributeHash, tt.levels, tt.shards
		if w := mustPlan(t, j).Warnings(); (len(w) == 1 && w[0].Param == "distribute-by") != tt.warns {
			t.Errorf("parents %d levels above, %d shards: warnings %v, want one: %v", tt.levels, tt.shards, w, tt.warns)
		}
	}

	j := spreadJob(2, nil)
	if n := mustPlan(t, j).parents(); n != 17*11 {
		t.Errorf("cells from -27 to 39 and -20 to 20 have %d parents", n)
	}
}

func mustPlan(t *testing.T, j job.Job) *Plan {
	t.Helper()
	p, err := New(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}

	return p
}
