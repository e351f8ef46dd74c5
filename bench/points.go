package main

import (
	"context"
	"fmt"
)

const (
	nameJoin          = "SQL alone: spatial join with ST_Intersects, GiST, one process"
	nameJoinParallel  = "the same with parallel workers"
	nameCellAt        = "loadgrid.cell_at of each point, one process"
	nameCellAtBefore  = "cell_at of all grids, before it was inlined, one process"
	namePointsPer     = "loadgrid.points_per_cell, one process"
	namePointsPerPara = "loadgrid.points_per_cell, parallel workers"
)

// pointGrid has a million cells, which contain the points.
func pointGrid() featureLayer {
	return featureLayer{srid: srid, size: cellSize, col0: 3000, row0: 2000, cols: 1000, rows: 1000}
}

// pointsArm counts points, in millions, in the cells of a grid. Each contender makes a table of the cells
// that have points, with their number.
func (db *database) pointsArm(millions int64) arm {
	const count = "select cell_id, count(*) from %s group by cell_id"
	join := fmt.Sprintf(count, "cells join points on st_intersects(cells.geom, points.geom)")
	at := func(function string) string {
		return fmt.Sprintf(count, "(select "+function+"(grid, st_x(geom), st_y(geom)) as cell_id from points, loadgrid.grid_of('cells') grid) p join cells using (cell_id)")
	}

	a := arm{id: fmt.Sprintf("points_%d", millions), title: fmt.Sprintf("8. Points: counts of %d million points in a million cells, %s server", millions, db.name),
		cells: millions * 1_000_000, server: db.name, reference: nameJoin}

	return a.withContenders(
		db.countPoints(nameJoin, join, 0),
		db.countPoints(nameJoinParallel, join, 2),
		db.countPoints(nameCellAtBefore, at("loadgrid.cell_at_any"), 0),
		db.countPoints(nameCellAt, at("loadgrid.cell_at"), 0),
		db.countPoints(namePointsPer, "select cell_id, count from loadgrid.points_per_cell('cells', 'points', 'geom')", 0),
		db.countPoints(namePointsPerPara, "select cell_id, count from loadgrid.points_per_cell('cells', 'points', 'geom')", 2))
}

// countPoints keeps the first contender's table for the checks of the contenders that follow.
func (db *database) countPoints(name, query string, workers int) contender {
	check := func(ctx context.Context) error {
		var wrong int64
		err := db.conn.QueryRow(ctx, "select count(*) from oracle o full join "+tableName+" g using (cell_id) where o.count is distinct from g.count").Scan(&wrong)
		if err == nil && wrong > 0 {
			err = fmt.Errorf("%d cells have another number of points than in the spatial join", wrong)
		}
		return err
	}
	if name == nameJoin {
		check = func(ctx context.Context) error {
			return db.exec(ctx, "drop table if exists oracle", "alter table "+tableName+" rename to oracle")
		}
	}

	return contender{
		name: name, prepare: db.reset, check: check,
		run: func(ctx context.Context) (sample, error) {
			return sample{}, db.exec(ctx, fmt.Sprintf("set max_parallel_workers_per_gather = %d", workers), "set work_mem = '256MB'",
				"create unlogged table "+tableName+" as "+query, "reset work_mem", "reset max_parallel_workers_per_gather")
		},
	}
}

// measurePoints measures the arms of points.
func measurePoints(ctx context.Context, db *database, measure func(arm) error, o options) error {
	for _, millions := range []int64{1, 10} {
		a := db.pointsArm(millions)
		if !o.only.MatchString(a.id) {
			continue
		}

		if err := db.storePoints(ctx, millions); err != nil {
			return err
		}
		if err := measure(a); err != nil {
			return err
		}
	}

	return db.exec(ctx, "drop table if exists cells, points, oracle")
}

// storePoints makes the cells and the points, which are the same in each run.
func (db *database) storePoints(ctx context.Context, millions int64) error {
	g := pointGrid()
	if err := db.reset(ctx); err != nil {
		return err
	}
	if _, _, err := db.loadWith(ctx, g.flags()[:6]...); err != nil {
		return err
	}

	xmin, ymin, xmax, ymax := g.extent()
	points := fmt.Sprintf(`create table points as
		select st_setsrid(st_makepoint(%[1]f + random() * (%[3]f - %[1]f), %[2]f + random() * (%[4]f - %[2]f)), %[5]d)::geometry(Point, %[5]d) as geom
		from generate_series(1, %[6]d)`, xmin, ymin, xmax, ymax, g.srid, millions*1_000_000)

	return db.exec(ctx, "drop table if exists cells, points, oracle", "alter table "+tableName+" rename to cells",
		"select setseed(0.25)", points, "vacuum analyze cells", "vacuum analyze points")
}

// pointTargets are the targets for points. seconds returns the median of a contender in an arm.
func (m *measurements) pointTargets(seconds func(id, name string) float64) (all []target) {
	for _, millions := range []int64{1, 10} {
		id := fmt.Sprintf("points_%d", millions)
		if len(m.get(id).Contenders) == 0 {
			continue
		}

		of := fmt.Sprintf("%d million points in a million cells", millions)
		all = append(all,
			target{of + ", against a spatial join, one process each", 20, false, seconds(id, nameJoin) / seconds(id, namePointsPer)},
			target{of + ", against a spatial join, parallel workers each", 20, false, seconds(id, nameJoinParallel) / seconds(id, namePointsPerPara)})
	}

	return all
}
