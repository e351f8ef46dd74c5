package plan

import (
	"bytes"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/aoi"
	"github.com/loadgrid/loadgrid/loader/job"
)

func triangle() *aoi.Area {
	return &aoi.Area{Polygons: []geomgen.Polygon{{{{X: 1, Y: 2}, {X: 1000, Y: 300}, {X: 700, Y: 900}, {X: 1, Y: 2}}}}}
}

// If cells can be counted quickly, the plan is the plan of New. Otherwise it is an estimate, whose bounds contain
// the exact number for any size of cells.
func TestApproximate(t *testing.T) {
	const area = 999*898./2 - 699*298./2 // of the triangle, in square units
	for name, j := range map[string]job.Job{
		"area":                {Area: triangle()},
		"hexagons":            {Area: triangle(), Grid: geomgen.Grid{Shape: geomgen.HexagonFlat}},
		"turned":              {Area: triangle(), Grid: geomgen.Grid{Rotate: 30}},
		"extent that turned":  {Extent: &geomgen.Box{XMax: 1000, YMax: 400}, Grid: geomgen.Grid{Rotate: 45}},
		"extent and an area":  {Area: triangle(), Extent: &geomgen.Box{XMax: 1000, YMax: 1000}, Grid: geomgen.Grid{Rotate: 1}},
		"area in partitions":  {Area: triangle(), Partitions: 8},
		"area in many chunks": {Area: triangle(), ChunkRows: 1_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			j.Table.Name = "g"
			size := area
			if j.Area == nil {
				size = 400_000
			}
			if j.Grid.Shape.Hexagon() {
				size /= 2.598076211353316
			}

			for _, side := range []float64{1, 1e-3, 2e-6} {
				j.Grid.DX, j.Grid.DY = side, side
				p, needs, err := Approximate(t.Context(), j)
				if err != nil || needs != nil {
					t.Fatalf("cells of %g: %v, %v", side, err, needs)
				}

				least, most := p.RowBounds()
				cells := size / side / side
				if p.Exact() != (side == 1) || p.Rows < least || p.Rows > most || side < 1 && (float64(least) > cells || float64(most) < cells || most-least > p.Rows/50) {
					t.Errorf("cells of %g: %d rows, between %d and %d, exact: %v; %g cells are as large", side, p.Rows, least, most, p.Exact(), cells)
				}
				if first, last := p.Chunk(0), p.Chunk(p.Chunks-1); first.First > last.Last || p.Estimate().HeapBytes < p.Rows {
					t.Errorf("cells of %g: the chunks are %+v to %+v", side, first, last)
				}

				if side == 1 {
					exact, err := New(t.Context(), j)
					if err != nil || exact.Rows != p.Rows || !exact.Exact() {
						t.Errorf("%d rows, exactly %d, %v", p.Rows, exact.Rows, err)
					}
				} else if err := p.WriteCopy(t.Context(), new(bytes.Buffer)); err == nil {
					t.Error("an estimate is written")
				}
			}
		})
	}
}
