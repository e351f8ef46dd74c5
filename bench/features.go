package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

const (
	nameOwnerSQL      = "SQL alone: spatial join, ST_Covers first, largest ST_Area of ST_Intersection, distinct on; one process"
	nameOwnerParallel = "the same with parallel workers"
	nameOwner         = "loadgrid --attribute, plain, GiST"
	nameOwnerParts    = "loadgrid --attribute, partitioned, GiST"
	namePairsSQL      = "SQL alone: spatial join, ST_Covers first, ST_Area of ST_Intersection; one process"
	namePairsParallel = "the same pairs with parallel workers"
	namePairs         = "loadgrid --each, plain, GiST"
	namePairsParts    = "loadgrid --each, partitioned, GiST"
	nameAsManyCells   = "loadgrid, as many cells by a rectangle, plain, GiST"
)

// featureLayer has features over a rectangle of cells.
type featureLayer struct {
	id, what   string
	features   int // 0 for countries
	srid       int
	size       float64 // of a cell, in CRS units
	col0, row0 int64
	cols, rows int64
}

// featureLayers returns layers with the Voronoi cells of random points, which share their borders, and the
// countries of testdata.
func featureLayers() []featureLayer {
	voronoi := func(features int, side int64) featureLayer {
		return featureLayer{id: strconv.Itoa(features), what: count(int64(features)) + " polygons and " + count(side*side) + " cells",
			features: features, srid: srid, size: cellSize, col0: 3000, row0: 2000, cols: side, rows: side}
	}

	return []featureLayer{
		{id: "countries", what: "10 countries on the cells of 0.2 degrees that meet them", srid: 4326, size: 0.2, col0: -900, row0: -450, cols: 1800, rows: 900},
		voronoi(100, 1000), voronoi(10_000, 1000), voronoi(100_000, 3162),
	}
}

func (l featureLayer) cells() int64 { return l.cols * l.rows }

// extent is the box of the cells, in CRS units.
func (l featureLayer) extent() (xmin, ymin, xmax, ymax float64) {
	return float64(l.col0) * l.size, float64(l.row0) * l.size, float64(l.col0+l.cols) * l.size, float64(l.row0+l.rows) * l.size
}

// flags returns the flags of loadgrid for the cells and the features.
func (l featureLayer) flags() []string {
	xmin, ymin, xmax, ymax := l.extent()
	return []string{"--cell-size", fmt.Sprint(l.size), "--srid", strconv.Itoa(l.srid), "--extent", fmt.Sprintf("%g,%g,%g,%g", xmin, ymin, xmax, ymax),
		"--aoi-sql", "select geom, name from features order by ord", "--aoi-sql-timeout", "1h"}
}

// store makes the table of the features, which is the same in each run.
func (l featureLayer) store(ctx context.Context, db *database) error {
	if err := db.exec(ctx, "drop table if exists features", "select setseed(0.5)"); err != nil {
		return err
	}

	create := l.countriesSQL
	if l.features > 0 {
		create = l.voronoiSQL
	}

	sql, err := create()
	if err != nil {
		return err
	}

	return db.exec(ctx, sql, "create index on features using gist (geom)", "vacuum analyze features")
}

func (l featureLayer) voronoiSQL() (string, error) {
	xmin, ymin, xmax, ymax := l.extent()

	return fmt.Sprintf(`create table features as
		select row_number() over () as ord, 'feature ' || row_number() over () as name, (d).geom::geometry(Polygon, %[1]d) as geom
		from st_dump(st_voronoipolygons((
			select st_collect(st_setsrid(st_makepoint(%[2]f + random() * (%[4]f - %[2]f), %[3]f + random() * (%[5]f - %[3]f)), %[1]d))
			from generate_series(1, %[6]d)), 0, st_makeenvelope(%[2]f, %[3]f, %[4]f, %[5]f, %[1]d))) d`, l.srid, xmin, ymin, xmax, ymax, l.features), nil
}

func (l featureLayer) countriesSQL() (string, error) {
	b, err := os.ReadFile(filepath.Join("testdata", "countries.geojson"))
	if err != nil {
		return "", err
	}

	return fmt.Sprintf(`create table features as
		select n as ord, f #>> '{properties, name}' as name,
		       st_multi(st_collectionextract(st_makevalid(st_setsrid(st_geomfromgeojson(f -> 'geometry'), %d)), 3)) as geom
		from jsonb_array_elements($json$%s$json$::jsonb -> 'features') with ordinality u (f, n)`, l.srid, b), nil
}

// measureFeatures measures the arms of attributes and pairs.
func measureFeatures(ctx context.Context, db *database, measure func(arm) error, o options) error {
	for _, l := range featureLayers() {
		arms := []arm{db.attributeArm(l), db.pairsArm(l)}
		if !o.only.MatchString(arms[0].id) && !o.only.MatchString(arms[1].id) {
			continue
		}

		if err := l.store(ctx, db); err != nil {
			return err
		}

		for _, a := range arms {
			if err := measure(a); err != nil {
				return err
			}
		}
	}

	return db.exec(ctx, "drop table if exists features, oracle, cells")
}

func (db *database) featureTitle(what string, l featureLayer) string {
	return fmt.Sprintf("7. Features: %s, %s, %s server", what, l.what, db.name)
}

// attributeSQL gives each cell the name of the feature with the largest share of it. Its argument is the
// table's name.
const attributeSQL = `create table %s as
select distinct on (c.cell_id) c.cell_id, c.col, c.row, c.geom, f.name
from cells c join features f on st_intersects(f.geom, c.geom)
order by c.cell_id, case when st_covers(f.geom, c.geom) then st_area(c.geom) else st_area(st_intersection(f.geom, c.geom)) end desc, f.ord`

// pairsSQL makes a row for each cell and feature that overlap, with both shares. Its argument is the table's name.
const pairsSQL = `create table %s as
select cell_id, col, row, geom, name, common / st_area(geom) as cell_share, common / feature_area as feature_share from (
	select c.*, f.name, st_area(f.geom) as feature_area,
	       case when st_covers(f.geom, c.geom) then st_area(c.geom) else st_area(st_intersection(f.geom, c.geom)) end as common
	from cells c join features f on st_intersects(f.geom, c.geom) offset 0) s
where common > 0`

func (db *database) attributeArm(l featureLayer) arm {
	a := arm{id: "attributes_" + l.id, title: db.featureTitle("attribute of the largest share, ready to query", l), cells: l.cells(),
		server: db.name, reference: nameOwnerSQL}

	return a.withContenders(
		db.featureSQL(nameOwnerSQL, l, attributeSQL, "cell_id", 0),
		db.featureSQL(nameOwnerParallel, l, attributeSQL, "cell_id", 2),
		db.featureLoad(nameOwner, l, db.checkAttributes(), "--attribute", "name"),
		db.featureLoad(nameOwnerParts, l, db.checkAttributes(), "--attribute", "name", "--partitions", "8"),
		db.rectangle(l))
}

func (db *database) pairsArm(l featureLayer) arm {
	a := arm{id: "pairs_" + l.id, title: db.featureTitle("pairs with shares, ready to query", l), cells: l.cells(),
		server: db.name, reference: namePairsSQL}

	return a.withContenders(
		db.featureSQL(namePairsSQL, l, pairsSQL, "cell_id, name", 0),
		db.featureSQL(namePairsParallel, l, pairsSQL, "cell_id, name", 2),
		db.featureLoad(namePairs, l, db.checkPairs, "--each", "name"),
		db.featureLoad(namePairsParts, l, db.checkPairs, "--each", "name", "--partitions", "8"))
}

// featureSQL makes the cells, and then the table from the cells, with a number of parallel workers. It keeps
// its table for the checks of the contenders that follow.
func (db *database) featureSQL(name string, l featureLayer, create, key string, workers int) contender {
	cells := fmt.Sprintf(`create unlogged table cells as
		select (r - %[1]d) * %[2]d + c - %[3]d as cell_id, c::integer as col, r::integer as row,
		       st_makeenvelope(c * %[4]g::float8, r * %[4]g::float8, (c + 1) * %[4]g::float8, (r + 1) * %[4]g::float8, %[5]d)::geometry(Polygon, %[5]d) as geom
		from generate_series(%[1]d, %[6]d) r, generate_series(%[3]d, %[7]d) c`,
		l.row0, l.cols, l.col0, l.size, l.srid, l.row0+l.rows-1, l.col0+l.cols-1)

	return contender{
		name: name,
		prepare: func(ctx context.Context) error {
			if err := db.exec(ctx, "drop table if exists oracle", "drop table if exists cells"); err != nil {
				return err
			}
			return db.reset(ctx)
		},
		run: func(ctx context.Context) (sample, error) {
			return sample{}, db.exec(ctx,
				fmt.Sprintf("set max_parallel_workers_per_gather = %d", workers), "set work_mem = '256MB'",
				cells, "analyze cells", fmt.Sprintf(create, tableName), "reset work_mem", "reset max_parallel_workers_per_gather",
				"alter table "+tableName+" add primary key ("+key+")", "create index on "+tableName+" using gist (geom)", "analyze "+tableName)
		},
		check: func(ctx context.Context) error { return db.exec(ctx, "alter table "+tableName+" rename to oracle") },
	}
}

func (db *database) featureLoad(name string, l featureLayer, check func(context.Context) error, flags ...string) contender {
	return contender{
		name: name, prepare: db.reset, check: check,
		run: func(ctx context.Context) (sample, error) {
			summary, maxRSS, err := db.loadWith(ctx, append(l.flags(), flags...)...)
			return sample{MaxRSS: maxRSS, Stages: stages(summary)}, err
		},
	}
}

// rectangle loads the same number of cells without features.
func (db *database) rectangle(l featureLayer) contender {
	return contender{
		name: nameAsManyCells, prepare: db.reset, check: func(ctx context.Context) error { return db.checkReadyRows(ctx, l.cells(), "gist") },
		run: func(ctx context.Context) (sample, error) {
			summary, maxRSS, err := db.loadWith(ctx, l.flags()[:6]...)
			return sample{MaxRSS: maxRSS, Stages: stages(summary)}, err
		},
	}
}

// checkAttributes refuses a table whose cells have other names than the table of SQL alone. It allows one
// difference in 100,000 cells, where two shares are so close that rounding may decide.
func (db *database) checkAttributes() func(context.Context) error {
	return func(ctx context.Context) error {
		var same, cells int64
		err := db.conn.QueryRow(ctx, "select count(*) filter (where o.name = g.name), count(*) from oracle o full join "+tableName+" g using (col, row)").Scan(&same, &cells)
		if err != nil {
			return err
		}

		if cells-same > cells/100_000 {
			return fmt.Errorf("only %d of %d cells have the name that SQL alone gives them", same, cells)
		}
		return db.checkReadyRows(ctx, cells, "gist")
	}
}

// checkPairs refuses a table with other pairs or other shares than the table of SQL alone. It ignores slivers
// that rounding adds or removes.
func (db *database) checkPairs(ctx context.Context) error {
	var missing int64
	var most float64
	err := db.conn.QueryRow(ctx, `select count(*) filter (where greatest(o.cell_share, g.cell_share) > 1e-9 and (o.name is null or g.name is null)),
		max(abs(coalesce(o.cell_share, 0) - coalesce(g.cell_share, 0))) from oracle o full join `+tableName+" g using (col, row, name)").Scan(&missing, &most)
	if err != nil {
		return err
	}

	if missing > 0 || most > 1e-6 {
		return fmt.Errorf("%d pairs are in one table only, and shares differ by up to %g", missing, most)
	}
	return nil
}
