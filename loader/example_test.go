package loader_test

import (
	"context"
	"fmt"
	"io"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// Load a grid and query it with PostGIS.
func ExampleRun() {
	ctx := context.Background()
	dsn := "postgresql://me@localhost/gis" // or "" to use the PG* environment variables
	job := loader.Job{
		Table:    loader.Table{Schema: "public", Name: "example_grid"},
		Grid:     geomgen.Grid{DX: 250, DY: 250, SRID: 3035},
		Extent:   &geomgen.Box{XMin: 4321000, YMin: 3210000, XMax: 4331000, YMax: 3215000},
		IfExists: loader.Replace,
		Set:      []loader.Constant{{Name: "year", Type: "integer", Value: "2026"}},
	}
	pool, err := loader.Open(ctx, dsn, job.Streams)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer loader.Close(pool)

	summary, err := loader.Run(ctx, pool, job, loader.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(summary.Rows, "rows in", summary.Table)

	var cells int
	var area float64
	err = pool.QueryRow(ctx, "select count(*), sum(st_area(geom)) from example_grid where year = 2026").Scan(&cells, &area)
	fmt.Println(cells, "cells,", area, "square metres", err)
}

// Planning and generating rows need no server.
func ExampleNewPlan() {
	plan, err := loader.NewPlan(context.Background(), loader.Job{
		Table:     loader.Table{Schema: "stats", Name: "eu_1km"},
		Grid:      geomgen.Grid{DX: 1000, DY: 1000, SRID: 3035},
		ChunkRows: 1_000_000,
		Extent:    &geomgen.Box{XMin: 900000, YMin: 900000, XMax: 7400000, YMax: 5500000},
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
