package integration

import (
	"context"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// Load a grid, and ask PostGIS about it: as ExampleRun of package loader, which has no
// server.
func Example() {
	ctx := context.Background()
	dsn := pgtest.ExampleDSN() // yours: "postgresql://me@localhost/gis", or "" for the PG* environment
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
	defer pool.Close()

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
	// Output:
	// 800 rows in public.example_grid
	// 800 cells, 5e+07 square metres <nil>
}
