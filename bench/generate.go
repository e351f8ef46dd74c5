package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/loadgrid/loadgrid/loader"
)

// Names of contenders that are used in more than one place.
const (
	nameList     = "list(map(box)), shapely"
	nameGeomgen2 = "geomgen, 2 cores"
)

// generationArm makes the cells and does nothing with them. It compares Python's
// objects with the bytes that loadgrid sends, including ids.
func generationArm(p programs) arm {
	a := arm{id: "generate", title: "1. Generation alone, 800,000 boxes", cells: grid08().cells(), reference: nameList}
	if p.has("python3-shapely") {
		for _, peer := range []struct{ name, how string }{
			{nameList, "list"}, {"Pool.map, 2 processes, shapely", "pool"}, {"Pool.map of columns, 2 processes, shapely", "chunks"},
		} {
			a.contenders = append(a.contenders, contender{name: peer.name, peer: true, run: func(ctx context.Context) (sample, error) {
				return p.timedByPython(ctx, nil, "generate.py", peer.how, fmt.Sprint(grid08().cols), fmt.Sprint(grid08().rows))
			}})
		}
	}

	for _, cores := range []int{1, 2} {
		name := nameGeomgen2
		if cores == 1 {
			name = "geomgen, 1 core"
		}
		a.contenders = append(a.contenders, contender{name: name, run: func(ctx context.Context) (sample, error) {
			return generate(ctx, grid08(), cores)
		}})
	}

	return a
}

// driverBuffer is the size of the buffer that the driver passes to a reader of rows.
const driverBuffer = 65536 - 5

// generate writes the grid's rows of binary COPY into a buffer like the driver's.
// It repeats this many times, because once is too short to measure.
func generate(ctx context.Context, g grid, cores int) (sample, error) {
	const times = 100
	job := g.job()
	job.Streams, job.ChunkRows = cores, (g.cells()+int64(cores)-1)/int64(cores)
	plan, err := loader.NewPlan(ctx, job)
	if err != nil {
		return sample{}, err
	}

	began := time.Now()
	var all errgroup.Group
	for i := range plan.Chunks {
		all.Go(func() error {
			buf := make([]byte, driverBuffer)
			for range times {
				rows := plan.NewRows(ctx, plan.Chunk(i))
				for {
					if _, err := rows.Read(buf); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						return err
					}
				}

				if rows.Generated() != plan.Chunk(i).Rows {
					return fmt.Errorf("%d rows generated, %d planned", rows.Generated(), plan.Chunk(i).Rows)
				}
			}
			return nil
		})
	}

	err = all.Wait()
	return sample{Seconds: time.Since(began).Seconds() / times}, err
}
