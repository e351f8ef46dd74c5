package main

import (
	"context"
	"fmt"
	"path/filepath"
)

const (
	nameSeries    = "SQL alone: generate_series, ST_MakeEnvelope, GiST"
	nameSquare    = "SQL alone: ST_SquareGrid, GiST"
	nameSeriesBR  = "SQL alone: generate_series, ST_MakeEnvelope, BRIN"
	nameSquareBR  = "SQL alone: ST_SquareGrid, BRIN"
	nameOgr       = "ogr2ogr from a GeoPackage, PG_USE_COPY, GiST"
	nameGeoPandas = "GeoPandas: boxes made, to_postgis, GiST"
	namePlain     = "loadgrid, plain, GiST"
	nameChunks    = "loadgrid, plain in chunks over two streams, GiST"
	nameParts     = "loadgrid, partitioned, GiST"
	namePlainBR   = "loadgrid, plain, BRIN"
	namePartsBR   = "loadgrid, partitioned, BRIN"
)

// partitions is the number of partitions for a grid. The time changes little
// between four and sixteen, and a larger table needs more.
func (g grid) partitions() string {
	if g.cells() > grid32().cells() {
		return "16"
	}
	return "4"
}

// readyArm measures all the work for a table that is ready to query: rows, primary
// key, spatial index, statistics. Only loadgrid's rows are also frozen.
func readyArm(db *database, p programs, g grid, id, title, dir string) arm {
	a := arm{id: id, title: title, cells: g.cells(), server: db.name, reference: nameSeries}
	a.contenders = append(a.contenders, db.sqlContender(nameSeries, g, seriesSQL(g), "gist"))
	if g.cells() <= grid32().cells() {
		a.contenders = append(a.contenders, db.sqlContender(nameSquare, g, squareSQL(g), "gist"),
			db.sqlContender(nameSeriesBR, g, seriesSQL(g), "brin"), db.sqlContender(nameSquareBR, g, squareSQL(g), "brin"))
	}

	if g == grid08() && p.has("gdal-bin") {
		a.contenders = append(a.contenders, db.ogr(g, dir))
	}
	if g == grid08() && p.has("python3-geopandas", "python3-geoalchemy2", "python3-psycopg2") {
		a.contenders = append(a.contenders, contender{name: nameGeoPandas, peer: true, prepare: db.reset, check: db.checkReady(g, "gist"),
			run: func(ctx context.Context) (sample, error) {
				_, _, maxRSS, err := runProcess(ctx, db.env, p.python, append([]string{filepath.Join(p.peers, "geopandas_load.py")}, g.arguments()...)...)
				return sample{MaxRSS: maxRSS}, err
			}})
	}

	if g == grid32() {
		a.contenders = append(a.contenders, db.loadgridContender(nameChunks, g, "gist", "--streams", "2"))
	}
	a.contenders = append(a.contenders, db.loadgridContender(namePlain, g, "gist"),
		db.loadgridContender(nameParts, g, "gist", "--partitions", g.partitions()))
	if g.cells() <= grid32().cells() {
		a.contenders = append(a.contenders, db.loadgridContender(namePlainBR, g, "brin", "--index", "brin"))
	}

	return a.withContenders(db.loadgridContender(namePartsBR, g, "brin", "--index", "brin", "--partitions", g.partitions()))
}

func (a arm) withContenders(more ...contender) arm {
	a.contenders = append(a.contenders, more...)
	return a
}

// seriesFormat makes the table of seriesSQL. Its arguments are the table's name, the
// first row, the number of columns, the first and the last column, the cell size, the
// SRID and the last row.
const seriesFormat = `create table %s as
select (r - %d)::bigint * %d + (c - %d) as cell_id, c as col, r as row,
       st_makeenvelope(c * %[6]d, r * %[6]d, (c + 1) * %[6]d, (r + 1) * %[6]d, %[7]d)::geometry(Polygon, %[7]d) as geom
from generate_series(%[2]d, %[8]d) r, generate_series(%[4]d, %[5]d) c`

// seriesSQL makes the table as people usually do in SQL, row by row.
func seriesSQL(g grid) string {
	return fmt.Sprintf(seriesFormat, tableName, g.row0, g.cols, g.col0, g.col0+g.cols-1, cellSize, srid, g.row0+g.rows-1)
}

// squareSQL makes the table with PostGIS's own function, in its order. The bounds are
// half a cell inside, because ST_SquareGrid adds a row and a column if they are exact
// multiples of the size.
func squareSQL(g grid) string {
	e := g.extent()
	return fmt.Sprintf(`create table %s as
select (j - %d)::bigint * %d + (i - %d) as cell_id, i as col, j as row, geom::geometry(Polygon, %d)
from st_squaregrid(%d, st_makeenvelope(%g, %g, %g, %g, %[5]d))`,
		tableName, g.row0, g.cols, g.col0, srid, cellSize, e.XMin+cellSize/2, e.YMin+cellSize/2, e.XMax-cellSize/2, e.YMax-cellSize/2)
}

func (db *database) sqlContender(name string, g grid, create, method string) contender {
	return contender{
		name: name, prepare: db.reset, check: db.checkReady(g, method),
		run: func(ctx context.Context) (sample, error) {
			return sample{}, db.exec(ctx, create,
				"alter table "+tableName+" add primary key (cell_id)",
				"create index on "+tableName+" using "+method+" (geom)",
				"analyze "+tableName)
		},
	}
}

// ogr lets ogr2ogr load a GeoPackage, which prepare makes. ogr2ogr makes the key and
// the spatial index itself.
func (db *database) ogr(g grid, dir string) contender {
	file := filepath.Join(dir, "grid.gpkg")
	made := false
	return contender{
		name: nameOgr, peer: true, check: db.checkReady(g, "gist"),
		prepare: func(ctx context.Context) error {
			if err := db.reset(ctx); err != nil || made {
				return err
			}
			if err := db.exec(ctx, seriesSQL(g)); err != nil {
				return err
			}
			if _, _, _, err := runProcess(ctx, db.env, "ogr2ogr", "-f", "GPKG", file, "PG:", tableName, "-lco", "FID=cell_id"); err != nil {
				return err
			}
			made = true
			return db.reset(ctx)
		},
		run: func(ctx context.Context) (sample, error) {
			_, _, maxRSS, err := runProcess(ctx, db.env, "ogr2ogr", "-f", "PostgreSQL", "PG:", file, "-nln", tableName, "-nlt", "POLYGON",
				"-lco", "FID=cell_id", "-lco", "GEOMETRY_NAME=geom", "-lco", "SPATIAL_INDEX=GIST")
			if err != nil {
				return sample{}, err
			}
			return sample{MaxRSS: maxRSS}, db.exec(ctx, "analyze "+tableName)
		},
	}
}
