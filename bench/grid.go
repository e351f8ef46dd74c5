package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// The grids are in EPSG:3035, with cells of 1 km from its origin.
const (
	cellSize = 1000
	srid     = 3035
)

// grid is a rectangle of cells.
type grid struct {
	col0, row0, cols, rows int64
}

// grid08 and grid32 have their size in 100,000 cells in their names. gridEU is the
// statistical grid of Regulation (EU) 2018/1799.
func grid08() grid { return grid{cols: 1000, rows: 800} }
func grid32() grid { return grid{cols: 2000, rows: 1600} }
func gridEU() grid { return grid{col0: 900, row0: 900, cols: 6500, rows: 4600} }

func (g grid) cells() int64 { return g.cols * g.rows }

func (g grid) extent() geomgen.Box {
	return geomgen.Box{
		XMin: float64(g.col0 * cellSize), YMin: float64(g.row0 * cellSize),
		XMax: float64((g.col0 + g.cols) * cellSize), YMax: float64((g.row0 + g.rows) * cellSize),
	}
}

// flags returns the flags of loadgrid for the grid.
func (g grid) flags() []string {
	return []string{"--cell-size", fmt.Sprint(cellSize), "--srid", fmt.Sprint(srid), "--extent", g.extent().String()}
}

func (g grid) job() loader.Job {
	extent := g.extent()
	return loader.Job{Table: loader.Table{Name: tableName}, Grid: geomgen.Grid{DX: cellSize, DY: cellSize, SRID: srid}, Extent: &extent}
}

// dump writes the rows into files of binary COPY in dir, one for each chunk of the
// plan. The server can read them.
func dump(ctx context.Context, plan *loader.Plan, dir string) ([]string, error) {
	var names []string
	for i := range plan.Chunks {
		name := filepath.Join(dir, fmt.Sprintf("rows_%d_of_%d_%d.copy", i, plan.Chunks, plan.Rows))
		if err := dumpChunk(ctx, plan, plan.Chunk(i), name); err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
		names = append(names, name)
	}
	return names, nil
}

func dumpChunk(ctx context.Context, plan *loader.Plan, c plan.Chunk, name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, plan.NewRows(ctx, c), make([]byte, 1<<18))
	return errors.Join(err, f.Close())
}
