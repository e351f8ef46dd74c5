package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/loader"
)

const (
	nameDecideSQL   = "SQL alone: ST_SquareGrid filtered by ST_Intersects, counted"
	nameDecide      = "loadgrid plan --aoi"
	nameMaskSQL     = "SQL alone: ST_SquareGrid filtered by ST_Intersects, GiST"
	nameMask        = "loadgrid --aoi, plain, GiST"
	nameMaskParts   = "loadgrid --aoi, partitioned, GiST"
	nameCoverageSQL = "SQL alone: ST_Covers, else ST_Intersects and ST_Intersection, GiST"
	nameCoverage    = "loadgrid --aoi --coverage, plain, GiST"
	nameCoverParts  = "loadgrid --aoi --coverage, partitioned, GiST"
	nameRectangle   = "loadgrid, a rectangle"
	nameCoast       = "loadgrid, an area with 10,000 corners"
	nameCoastPlan   = "loadgrid plan, an area with 10,000 corners"
)

// maskArea is an area of interest.
type maskArea struct {
	file string // of EWKT
	area geomgen.Polygon
	rows int64 // how many cells it selects
}

// newMaskArea writes the area into a file, and counts its cells. Each arm checks the
// count in PostGIS.
func newMaskArea(ctx context.Context, dir string, corners int, radius float64) (maskArea, error) {
	m := maskArea{area: oracle.Coast(corners, geomgen.Point{X: 4321234.5, Y: 3210987.6}, radius)}
	var b strings.Builder
	fmt.Fprintf(&b, "SRID=%d;POLYGON((", srid)
	for i, p := range m.area[0] {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%v %v", p.X, p.Y)
	}

	b.WriteString("))")
	m.file = filepath.Join(dir, fmt.Sprintf("area_%d.wkt", corners))
	if err := os.WriteFile(m.file, []byte(b.String()), 0o600); err != nil {
		return m, err
	}

	plan, err := loader.NewPlan(ctx, m.job())
	if err != nil {
		return m, err
	}

	m.rows = plan.Rows
	return m, nil
}

func (m maskArea) job() loader.Job {
	return loader.Job{Table: loader.Table{Name: tableName}, Grid: geomgen.Grid{DX: cellSize, DY: cellSize, SRID: srid},
		Area: &loader.Area{SRID: srid, Polygons: []geomgen.Polygon{m.area}}}
}

// flags returns the flags of loadgrid for the area.
func (m maskArea) flags() []string {
	return []string{"--cell-size", fmt.Sprint(cellSize), "--srid", fmt.Sprint(srid), "--aoi", m.file}
}

// store puts the area into a table for the SQL contenders.
func (db *database) store(ctx context.Context, m maskArea) error {
	if err := db.exec(ctx, "drop table if exists aoi", fmt.Sprintf("create table aoi (geom geometry(Polygon, %d))", srid)); err != nil {
		return err
	}
	b := geomgen.AppendMultiPolygonHeader(nil, srid, 1)
	b = geomgen.AppendPolygon(b, m.area)
	if _, err := db.conn.Exec(ctx, "insert into aoi select st_geometryn(st_geomfromewkb($1), 1)", b); err != nil {
		return fmt.Errorf("storing the area: %w", err)
	}
	return db.exec(ctx, "analyze aoi")
}

// measureMasks measures the arms of areas of interest.
func measureMasks(ctx context.Context, db *database, dir string, measure func(arm) error, o options) error {
	ids := []string{"mask_decide", "mask_ready", "mask_coverage", "mask_30"}
	wanted := false
	for _, id := range ids {
		wanted = wanted || o.only.MatchString(id)
	}
	if !wanted {
		return nil
	}

	million, err := newMaskArea(ctx, dir, 20_000, 560_000)
	if err != nil {
		return err
	}

	large, err := newMaskArea(ctx, dir, 10_000, 3_060_000)
	if err != nil {
		return err
	}

	if err := db.store(ctx, million); err != nil {
		return err
	}

	for _, a := range []arm{db.decideArm(million), db.maskReadyArm(million), db.coverageArm(million), db.largeMaskArm(large)} {
		if err := measure(a); err != nil {
			return err
		}
	}

	return nil
}

func (db *database) maskTitle(format string) string {
	return "6. Areas of interest: " + format + ", " + db.name + " server"
}

// maskedSQL selects the cells of PostGIS's own grid around the area.
const maskedSQL = "from aoi, st_squaregrid(%d, aoi.geom) g where st_intersects(aoi.geom, g.geom)"

// decideArm compares the selection of cells, as whole processes and statements.
func (db *database) decideArm(m maskArea) arm {
	return arm{id: "mask_decide", title: db.maskTitle("which cells are in, 20,000 corners and a million cells"), cells: m.rows,
		server: db.name, reference: nameDecideSQL, contenders: []contender{
			{name: nameDecideSQL, run: func(ctx context.Context) (sample, error) {
				var n int64
				err := db.conn.QueryRow(ctx, "select count(*) "+fmt.Sprintf(maskedSQL, cellSize)).Scan(&n)
				if err == nil && n != m.rows {
					err = fmt.Errorf("PostGIS selects %d cells, want %d", n, m.rows)
				}
				return sample{}, err
			}},
			{name: nameDecide, run: db.plan(m)},
		}}
}

// plan runs loadgrid's plan, and checks the number of rows that it prints.
func (db *database) plan(m maskArea) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		out, _, maxRSS, err := runProcess(ctx, db.env, db.loadgrid, append([]string{"plan"}, m.flags()...)...)
		if err == nil && !strings.Contains(out, " "+count(m.rows)+"\n") {
			err = fmt.Errorf("the plan does not have %s rows: %s", count(m.rows), out)
		}
		return sample{MaxRSS: maxRSS}, err
	}
}

func (db *database) maskReadyArm(m maskArea) arm {
	create := "create table " + tableName + " as select row_number() over () as cell_id, g.i as col, g.j as row, " +
		fmt.Sprintf("g.geom::geometry(Polygon, %d) "+maskedSQL, srid, cellSize)
	return arm{id: "mask_ready", title: db.maskTitle("ready to query, 20,000 corners and a million cells"), cells: m.rows,
		server: db.name, reference: nameMaskSQL, contenders: []contender{
			db.maskSQL(nameMaskSQL, m, create),
			db.maskLoad(nameMask, m, db.checkMask(m, false)),
			db.maskLoad(nameMaskParts, m, db.checkMask(m, false), "--partitions", "4"),
		}}
}

// coverageSQL makes the table of the cells in the area with their coverage. Its arguments
// are the table's name, the SRID and the cell size.
const coverageSQL = `create table %s as
select row_number() over () as cell_id, i as col, j as row, geom, coverage from (
	select g.i, g.j, g.geom::geometry(Polygon, %d),
	       case when st_covers(aoi.geom, g.geom) then 1
	            when st_intersects(aoi.geom, g.geom) then (st_area(st_intersection(aoi.geom, g.geom)) / st_area(g.geom))::real end as coverage
	from aoi, st_squaregrid(%d, aoi.geom) g offset 0) s
where coverage is not null`

// coverageArm uses careful SQL, which computes intersections only on the edge.
func (db *database) coverageArm(m maskArea) arm {
	create := fmt.Sprintf(coverageSQL, tableName, srid, cellSize)

	return arm{id: "mask_coverage", title: db.maskTitle("ready to query with coverage, 20,000 corners and a million cells"), cells: m.rows,
		server: db.name, reference: nameCoverageSQL, contenders: []contender{
			db.maskSQL(nameCoverageSQL, m, create),
			db.maskLoad(nameCoverage, m, db.checkMask(m, true), "--coverage"),
			db.maskLoad(nameCoverParts, m, db.checkMask(m, true), "--coverage", "--partitions", "4"),
		}}
}

// maskSQL keeps its table for the checks of the contenders that follow.
func (db *database) maskSQL(name string, m maskArea, create string) contender {
	return contender{
		name: name,
		prepare: func(ctx context.Context) error {
			if err := db.exec(ctx, "drop table if exists oracle"); err != nil {
				return err
			}
			return db.reset(ctx)
		},
		run: func(ctx context.Context) (sample, error) {
			return sample{}, db.exec(ctx, create, "alter table "+tableName+" add primary key (cell_id)",
				"create index on "+tableName+" using gist (geom)", "analyze "+tableName)
		},
		check: func(ctx context.Context) error {
			if err := db.checkReadyRows(ctx, m.rows, "gist"); err != nil {
				return err
			}
			return db.exec(ctx, "alter table "+tableName+" rename to oracle")
		},
	}
}

func (db *database) maskLoad(name string, m maskArea, check func(context.Context) error, flags ...string) contender {
	return contender{
		name: name, prepare: db.reset, check: check,
		run: func(ctx context.Context) (sample, error) {
			summary, maxRSS, err := db.loadWith(ctx, append(m.flags(), flags...)...)
			return sample{MaxRSS: maxRSS, Stages: stages(summary)}, err
		},
	}
}

// checkMask refuses a table that has other cells than the table of SQL alone, or a
// coverage that differs by more than a millionth.
func (db *database) checkMask(m maskArea, coverage bool) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := db.checkReadyRows(ctx, m.rows, "gist"); err != nil {
			return err
		}

		off := "0::float8"
		if coverage {
			off = "max(abs(o.coverage::float8 - g.coverage))"
		}

		var same int64
		var most float64
		err := db.conn.QueryRow(ctx, "select count(*), "+off+" from oracle o join "+tableName+" g using (col, row)").Scan(&same, &most)
		if err != nil {
			return err
		}

		if same != m.rows || most > 1e-6 {
			return fmt.Errorf("%d of %d cells are in the table of SQL alone, and coverage differs by up to %g", same, m.rows, most)
		}
		return nil
	}
}

// largeMaskArm compares loads of about the same number of cells with an area and without.
func (db *database) largeMaskArm(m maskArea) arm {
	return arm{id: "mask_30", title: db.maskTitle("30 million cells with 10,000 corners, and a rectangle of 29.9 million"), cells: gridEU().cells(),
		server: db.name, reference: nameRectangle, contenders: []contender{
			db.loadgridContender(nameRectangle, gridEU(), "gist"),
			db.maskLoad(nameCoast, m, func(ctx context.Context) error { return db.checkReadyRows(ctx, m.rows, "gist") }),
			{name: nameCoastPlan, run: db.plan(m)},
		}}
}
