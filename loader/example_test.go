package loader_test

import (
	"context"
	"fmt"
	"io"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// A plan is made without a server, and so are the rows.
func ExampleNewPlan() {
	plan, err := loader.NewPlan(loader.Job{
		Table:  loader.Table{Schema: "stats", Name: "eu_1km"},
		Grid:   geomgen.Grid{DX: 1000, DY: 1000, SRID: 3035},
		Extent: &geomgen.Box{XMin: 900000, YMin: 900000, XMax: 7400000, YMax: 5500000},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	first := plan.Chunk(0)
	fmt.Println(plan.Rows, "rows in", plan.Chunks, "chunks")
	fmt.Println("the first has", first.Rows, "rows, cell_id", first.First, "to", first.Last)

	n, err := io.Copy(io.Discard, plan.NewRows(context.Background(), first))
	fmt.Println(n, "bytes,", plan.RowBytes(), "a row", err)
	// Output:
	// 29900000 rows in 30 chunks
	// the first has 996667 rows, cell_id 688160 to 2951466
	// 130563398 bytes, 131 a row <nil>
}
