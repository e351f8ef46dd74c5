package plan_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// COPY grid FROM STDIN WITH (FORMAT binary) reads the file into a table with the columns
// cell_id bigint, col integer, row integer, geom geometry(Polygon).
func ExamplePlan_WriteCopy() {
	ctx := context.Background()

	p, err := plan.New(ctx, job.Job{
		Table: job.Table{Name: "grid"},
		Grid:  geomgen.Grid{DX: 1, DY: 1},
		Cols:  1000, Rows: 800,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	var file bytes.Buffer
	err = p.WriteCopy(ctx, &file)
	fmt.Println(p.Rows, "rows,", file.Len(), "bytes", err)
	// Output: 800000 rows, 101600021 bytes <nil>
}
