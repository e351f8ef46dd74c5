package main

import (
	"context"

	"github.com/loadgrid/loadgrid/loader"
)

// growthGrids are the grids whose time a row and memory are compared.
func growthGrids() []grid {
	return []grid{{cols: 1000, rows: 1000}, {cols: 2000, rows: 1500}, {cols: 4000, rows: 2500}, gridEU()}
}

// growthArm measures the load stage of grids of 1 to 30 million cells, and the limit
// of the largest. It compares the time of a row and the client's memory.
func growthArm(ctx context.Context, db *database, dir string) (arm, error) {
	a := arm{id: "growth", title: "5. Growth: the load stage from 1 to 30 million cells, untuned server", cells: gridEU().cells(),
		server: db.name, reference: nameLimit}
	for _, g := range growthGrids() {
		a.contenders = append(a.contenders, db.loadStage(growthName(g), g))
	}

	plan, err := loader.NewPlan(ctx, gridEU().job())
	if err != nil {
		return a, err
	}

	return a.withContenders(db.limit(gridEU(), plan, dir)), nil
}

func growthName(g grid) string { return "loadgrid, " + count(g.cells()) + " cells" }
