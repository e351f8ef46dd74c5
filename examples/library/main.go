// Command library loads a grid with the Go API, and resumes a run that was killed.
//
//	LOADGRID_DSN=postgresql://me@localhost/gis go run ./examples/library
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	if err := load(ctx, os.Getenv("LOADGRID_DSN")); err != nil {
		log.Fatal(err)
	}
}

// load fills a table with cells of 250 m in Luxembourg.
func load(ctx context.Context, dsn string) error {
	pool, err := loader.Open(ctx, dsn, 2)
	if err != nil {
		return err
	}
	defer loader.Close(pool)

	summary, err := loader.Run(ctx, pool, loader.Job{
		Table:    loader.Table{Schema: "public", Name: "example_grid"},
		Grid:     geomgen.Grid{DX: 250, DY: 250, SRID: 3035},
		Extent:   &geomgen.Box{XMin: 4_030_000, YMin: 2_935_000, XMax: 4_050_000, YMax: 2_955_000},
		Streams:  2,
		IfExists: loader.Replace,
	}, loader.Options{JobName: "example"})

	var stopped *loader.ResumableError
	if errors.As(err, &stopped) {
		return fmt.Errorf("start this program again to resume after %d of %d chunks: %w", stopped.Committed, stopped.Chunks, err)
	} else if err != nil {
		return err
	}

	fmt.Printf("%d rows in %s, run %d\n", summary.Rows, summary.Table, summary.Run)
	return nil
}
