package geomgen_test

import (
	"context"
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

// Two adjacent fields cover three cells. Their border runs through the middle one.
func ExampleSelectPairs() {
	grid := geomgen.Grid{DX: 1, DY: 1}
	field := func(xmin, xmax float64) []geomgen.Polygon {
		return []geomgen.Polygon{{{{X: xmin, Y: 0}, {X: xmax, Y: 0}, {X: xmax, Y: 1}, {X: xmin, Y: 1}, {X: xmin, Y: 0}}}}
	}

	layer, err := geomgen.NewLayer(context.Background(), grid, [][]geomgen.Polygon{field(0, 1.25), field(1.25, 3)}, geomgen.Overlaps)
	if err != nil {
		fmt.Println(err)
		return
	}

	cells := geomgen.Range{MaxCol: 3, MaxRow: 1}
	pairs, err := geomgen.SelectPairs(context.Background(), cells, layer)
	if err != nil {
		fmt.Println(err)
		return
	}

	fmt.Println(pairs.Count(), "pairs")
	w := pairs.Walk(0, geomgen.MaxID)
	for b, ok := w.Next(); ok; b, ok = w.Next() {
		for _, o := range w.Owners() {
			fmt.Printf("column %d: field %d has %.2f of the cell\n", b.Col, o.Feature, o.Share)
		}
		fmt.Println("the largest part is of field", w.Owner(geomgen.Largest))
	}
	// Output:
	// 4 pairs
	// column 0: field 0 has 1.00 of the cell
	// the largest part is of field 0
	// column 1: field 0 has 0.25 of the cell
	// column 1: field 1 has 0.75 of the cell
	// the largest part is of field 1
	// column 2: field 1 has 1.00 of the cell
	// the largest part is of field 1
}
