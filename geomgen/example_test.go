package geomgen_test

import (
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
)

// The cells of a small extent, in the order of their ids, each with its EWKB.
func Example() {
	grid := geomgen.Grid{X0: -0.5, Y0: 0, DX: 0.5, DY: 0.25, SRID: 4326}
	cells, _, err := grid.Extent(geomgen.Box{XMin: 0, YMin: 0, XMax: 1, YMax: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}

	fmt.Println(cells.Count(), "cells")
	for n := range cells.Count() {
		id := cells.At(n)
		c, _ := geomgen.CellOf(id)
		fmt.Println(id, c, grid.Bounds(c))
	}

	fmt.Printf("%x\n", geomgen.AppendBox(nil, grid.Bounds(geomgen.Cell{Col: 1, Row: 0}), grid.SRID)[:17])
	// Output:
	// 4 cells
	// 1 {1 0} 0,0,0.5,0.25
	// 2 {1 1} 0,0.25,0.5,0.5
	// 13 {2 1} 0.5,0.25,1,0.5
	// 14 {2 0} 0.5,0,1,0.25
	// 0103000020e61000000100000005000000
}

// Walk yields blocks: aligned squares whose cells have contiguous ids.
func ExampleRange_Walk() {
	w := geomgen.Range{MinCol: 0, MinRow: 0, MaxCol: 5, MaxRow: 4}.Walk(0, geomgen.MaxID)
	for b, ok := w.Next(); ok; b, ok = w.Next() {
		fmt.Printf("%d cells from column %d, row %d: ids %d to %d\n", b.Cells(), b.Col, b.Row, b.ID, b.Last())
	}
	// Output:
	// 16 cells from column 0, row 0: ids 0 to 15
	// 1 cells from column 4, row 0: ids 16 to 16
	// 1 cells from column 4, row 1: ids 17 to 17
	// 1 cells from column 4, row 2: ids 30 to 30
	// 1 cells from column 4, row 3: ids 31 to 31
}
