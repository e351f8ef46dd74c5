package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"
	"golang.org/x/sync/errgroup"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

const (
	nameLimit        = "server-side COPY FROM a file, FREEZE (the limit)"
	nameLoad         = "loadgrid, one transaction, FREEZE"
	nameLimitChunks  = "server-side COPY of the same chunks, two sessions (the limit)"
	nameLoadChunks   = "loadgrid, chunks over two streams"
	columnDefinition = "(cell_id bigint not null, col integer, row integer, geom geometry(Polygon, 3035))"
)

// copyArm measures the load alone, which makes and fills the table without keys
// or indexes. The limit is the server's own COPY of the same bytes into the same
// table with the same statement.
func copyArm(ctx context.Context, db *database, p programs, g grid, id, title, dir string) (arm, error) {
	a := arm{id: id, title: title, cells: g.cells(), server: db.name, reference: nameLimit}
	frozen, err := loader.NewPlan(ctx, g.job())
	if err != nil {
		return a, err
	}

	a.contenders = append(a.contenders, db.limit(g, frozen, dir), db.loadStage(nameLoad, g))
	job := g.job()
	job.Streams = 2
	chunked, err := loader.NewPlan(ctx, job)
	if err != nil {
		return a, err
	}

	a.contenders = append(a.contenders, db.limitInChunks(g, chunked, dir), db.loadStage(nameLoadChunks, g, "--streams", "2"),
		db.loadStage("loadgrid, chunks over three streams", g, "--streams", "3"),
		db.pgxValues(g))
	if p.has("python3-psycopg", "python3-shapely") && g == grid08() {
		a.contenders = append(a.contenders, contender{
			name: "psycopg COPY, write_row", peer: true, prepare: db.reset, check: db.checkRows(g),
			run: func(ctx context.Context) (sample, error) {
				return p.timedByPython(ctx, db.env, "psycopg_copy.py", g.arguments()...)
			},
		})
	}

	return a, nil
}

// arguments returns the arguments of the peers' scripts.
func (g grid) arguments() []string {
	return strings.Fields(fmt.Sprint(tableName, " ", g.cols, " ", g.rows, " ", srid, " ", cellSize))
}

// loadStage measures the load stage without indexes, as loadgrid reports it.
func (db *database) loadStage(name string, g grid, flags ...string) contender {
	return contender{
		name: name, prepare: db.reset, check: db.checkRows(g),
		run: func(ctx context.Context) (sample, error) {
			summary, maxRSS, err := db.load(ctx, g, append(flags, "--index", "none")...)
			return sample{Seconds: summary.StageSeconds[loader.StageLoad], MaxRSS: maxRSS, Stages: stages(summary)}, err
		},
	}
}

func (db *database) limit(g grid, plan *loader.Plan, dir string) contender {
	var file string
	return contender{
		name: nameLimit, check: db.checkRows(g),
		prepare: func(ctx context.Context) error {
			if file == "" {
				files, err := dump(ctx, plan, dir)
				if err != nil {
					return err
				}
				file = files[0]
			}
			return db.reset(ctx)
		},
		run: func(ctx context.Context) (sample, error) {
			return sample{}, pgx.BeginFunc(ctx, db.conn, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, "create table "+tableName+" "+columnDefinition); err != nil {
					return err
				}
				return copyFile(ctx, tx, file, "format binary, freeze")
			})
		},
	}
}

func copyFile(ctx context.Context, q interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
}, file, options string) error {
	_, err := q.Exec(ctx, "copy "+tableName+" (cell_id, col, row, geom) from '"+strings.ReplaceAll(file, "'", "''")+"' ("+options+")")
	return err
}

// copyFiles copies files over n sessions at the same time. Each session takes every n-th file.
func copyFiles(ctx context.Context, sessions []*pgx.Conn, files []string) error {
	all, copying := errgroup.WithContext(ctx)
	for i, conn := range sessions {
		all.Go(func() error {
			for n := i; n < len(files); n += len(sessions) {
				if err := copyFile(copying, conn, files[n], "format binary"); err != nil {
					return err
				}
			}

			return nil
		})
	}

	return all.Wait()
}

// limitInChunks lets two sessions of the server copy the files of the chunks, as
// two streams do. Their commits do not wait for the disk; one commit at the end
// does.
func (db *database) limitInChunks(g grid, plan *loader.Plan, dir string) contender {
	var files []string
	var sessions []*pgx.Conn
	closeSessions := func(ctx context.Context) error {
		var errs []error
		for _, conn := range sessions {
			errs = append(errs, conn.Close(ctx))
		}
		sessions = nil
		return errors.Join(errs...)
	}

	return contender{
		name: nameLimitChunks,
		check: func(ctx context.Context) error {
			return errors.Join(closeSessions(ctx), db.checkRows(g)(ctx))
		},
		prepare: func(ctx context.Context) (err error) {
			if files == nil {
				if files, err = dump(ctx, plan, dir); err != nil {
					return err
				}
			}

			if err := db.reset(ctx); err != nil {
				return err
			}
			if err := db.exec(ctx, "create table "+tableName+" "+columnDefinition); err != nil {
				return err
			}

			for range 2 {
				conn, err := pgx.Connect(ctx, db.server.DSN())
				if err != nil {
					return errors.Join(err, closeSessions(ctx))
				}
				sessions = append(sessions, conn)
				if _, err := conn.Exec(ctx, "set synchronous_commit = off"); err != nil {
					return errors.Join(err, closeSessions(ctx))
				}
			}

			return nil
		},
		run: func(ctx context.Context) (sample, error) {
			if err := copyFiles(ctx, sessions, files); err != nil {
				return sample{}, err
			}

			return sample{}, db.exec(ctx, "select txid_current()")
		},
	}
}

// pgxValues uses the driver's CopyFrom with a slice of values for each row, and
// go-geom's encoder for the geometry.
func (db *database) pgxValues(g grid) contender {
	return contender{
		name: "pgx CopyFrom with Values, go-geom, no FREEZE", prepare: db.reset, check: db.checkRows(g),
		run: func(ctx context.Context) (sample, error) {
			return sample{}, pgx.BeginFunc(ctx, db.conn, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, "create table "+tableName+" "+columnDefinition); err != nil {
					return err
				}
				columns := []string{"cell_id", "col", "row", "geom"}
				_, err := tx.CopyFrom(ctx, pgx.Identifier{tableName}, columns, pgx.CopyFromSlice(int(g.cells()), g.values))
				return err
			})
		},
	}
}

// values returns the columns of the i-th cell, row after row.
func (g grid) values(i int) ([]any, error) {
	cell := geomgen.Cell{Col: int32(g.col0 + int64(i)%g.cols), Row: int32(g.row0 + int64(i)/g.cols)}
	b := geomgen.Grid{DX: cellSize, DY: cellSize, SRID: srid}.Bounds(cell)
	polygon := geom.NewPolygonFlat(geom.XY, []float64{
		b.XMax, b.YMin, b.XMax, b.YMax, b.XMin, b.YMax, b.XMin, b.YMin, b.XMax, b.YMin,
	}, []int{10}).SetSRID(srid)
	wkb, err := ewkb.Marshal(polygon, ewkb.NDR)
	return []any{geomgen.CellID(cell), cell.Col, cell.Row, wkb}, err
}
