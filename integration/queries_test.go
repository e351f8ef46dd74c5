package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// queriedTables returns tables of each shape, whole and cut, plain and partitioned, with the flags that
// load them.
func queriedTables() map[string][]string {
	const area = "select st_buffer(st_setsrid(st_makepoint(11, 12), 3857), 37.3)"
	return map[string][]string{
		"squares":    {"--cell-size", "0.1", "--srid", "4326", "--extent", "-3,-2,4,1"},
		"oblong":     {"--cell-size", "7,3", "--srid", "3857", "--origin", "0.3,0.7", "--extent", "-50,-60,70,80", "--partitions", "3"},
		"turned":     {"--cell-size", "3,2", "--srid", "3857", "--origin", "5,6", "--rotate", "33", "--cols", "20", "--rows", "30", "--partitions", "3"},
		"quarter":    {"--cell-size", "3,2", "--srid", "3857", "--origin", "5,6", "--rotate", "-90", "--cols", "20", "--rows", "30"},
		"hexagons":   {"--cell-size", "7", "--srid", "3857", "--shape", "hexagon", "--extent", "-50,-60,70,80"},
		"pointy":     {"--cell-size", "7", "--srid", "3857", "--shape", "hexagon", "--hexagon", "pointy", "--extent", "-50,-60,70,80"},
		"tilted":     {"--cell-size", "7", "--srid", "3857", "--shape", "hexagon", "--rotate", "12.5", "--cols", "12", "--rows", "11"},
		"tiles":      {"--shape", "xyz", "--zoom", "4"},
		"points":     {"--cell-size", "4", "--srid", "3857", "--cols", "20", "--rows", "20", "--geometry", "point"},
		"hexpoints":  {"--cell-size", "7", "--srid", "3857", "--shape", "hexagon", "--extent", "-50,-60,70,80", "--geometry", "point"},
		"bare":       {"--cell-size", "4", "--srid", "3857", "--cols", "20", "--rows", "20", "--geometry", "none"},
		"no_crs":     {"--cell-size", "4", "--cols", "20", "--rows", "20"},
		"clipped":    {"--cell-size", "4", "--srid", "3857", "--aoi-sql", area, "--clip"},
		"clippedhex": {"--cell-size", "4", "--srid", "3857", "--shape", "hexagon", "--aoi-sql", area, "--clip", "--partitions", "2"},
	}
}

// makePoints makes a table of points around the cells of a grid: at random, at and next to corners of
// cells, far away, NULL and EMPTY, with values of several types.
func (s sandbox) makePoints(table string, g geomgen.Grid) {
	s.t.Helper()
	rng := testrand.New(s.t, 1702)
	var xs, ys []float64
	for _, p := range placesIn(rng, g) {
		xs, ys = append(xs, p.X), append(ys, p.Y)
	}
	for range 3000 {
		// 70 cells in each direction: each table has some of them.
		xs, ys = append(xs, g.X0+(rng.Float64()*70-25)*g.DX), append(ys, g.Y0+(rng.Float64()*70-35)*g.DY)
	}
	for col := int32(-8); col < 8; col++ {
		for row := int32(-8); row < 8; row++ {
			for _, p := range g.AppendCorners(nil, geomgen.Cell{Col: col, Row: row}) {
				xs, ys = append(xs, p.X), append(ys, p.Y)
			}
		}
	}

	s.exec("drop table if exists " + s.name(table))
	s.exec(fmt.Sprintf(`create table %s as select st_setsrid(st_makepoint(x, y), %d) as geom, 9000000000000000000 + n %% 1000 as large, x as float,
		case when n %% 7 > 0 then n end::smallint as small, (n %% 13)::numeric / 10 as exact
		from unnest($1::float8[], $2::float8[]) with ordinality u(x, y, n)`, s.name(table), g.SRID), xs, ys)
	s.exec(fmt.Sprintf("insert into %[1]s select p, 1, 1, 1, 1 from (values (null::geometry), ('srid=%[2]d;point empty'), ('srid=%[2]d;point m empty'), ('srid=%[2]d;point z (1 1 5)')) v(p)", s.name(table), g.SRID))
}

// grid returns the grid of a table.
func (s sandbox) grid(table string) (g geomgen.Grid) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(queryOne[string](s.t, s.pool, "select "+s.name("grid_of")+"($1::regclass)::text", s.name(table))), &g); err != nil {
		s.t.Fatal(err)
	}
	return g
}

// Each point counts in the cell that cell_at returns, if the table has that cell.
func TestPointsPerCell(t *testing.T) {
	s := newSandbox(t)
	for table, args := range queriedTables() {
		t.Run(table, func(t *testing.T) {
			s := s
			s.t = t
			mustCLI(t, s.dsn, s.load(table, args...)...)
			s.makePoints("places", s.grid(table))

			for value, total := range map[string]string{"null": "null::numeric", "'large'": "sum(large)::numeric", "'float'": "sum(float)::text::numeric", "'small'": "sum(small)::numeric", "'exact'": "sum(exact)"} {
				var cells, wrong, counted int64
				if err := s.pool.QueryRow(context.Background(), fmt.Sprintf(`
					with expected as (select t.cell_id, count(*), %[5]s as sum from %[1]s p join %[2]s t on t.cell_id = %[3]s('%[2]s', p.geom) where p.float < 1e300 and p.float > -1e300 group by 1),
					got as (select * from %[4]s('%[2]s', '%[1]s', 'geom', %[6]s))
					select count(*), count(*) filter (where g.count is distinct from e.count or (g.sum is distinct from e.sum and %[6]s is distinct from 'float')
						or abs(g.sum - e.sum) > 1e-9 + 1e-12 * abs(e.sum)), sum(g.count)::bigint
					from expected e full join got g using (cell_id)`, s.name("places"), s.name(table), s.name("cell_at"), s.name("points_per_cell"), total, value)).Scan(&cells, &wrong, &counted); err != nil {
					t.Fatal(err)
				}
				if cells < 50 || wrong != 0 {
					t.Errorf("%d of %d cells have different points, or a different sum of %s", wrong, cells, value)
				}

				all := s.count(s.name("places"))
				if outside := queryOne[int64](t, s.pool, fmt.Sprintf("select %s('%s', '%s', 'geom')", s.name("points_outside"), s.name(table), s.name("places"))); outside != all-counted || outside < 4 {
					t.Errorf("%d points are counted as outside, want %d of %d", outside, all-counted, all)
				}
			}
			s.checkPart(table, args)
		})
	}
}

// checkPart counts the points in the parts of clipped cells and compares the counts with a spatial join.
func (s sandbox) checkPart(table string, args []string) {
	s.t.Helper()
	call := fmt.Sprintf("%s('%s', '%s', 'geom', within_part => true)", s.name("points_per_cell"), s.name(table), s.name("places"))
	if !strings.Contains(strings.Join(args, " "), "--clip") {
		s.checkRefused("select "+call, "--clip")
		return
	}

	var cells, wrong, whole, part int64
	if err := s.pool.QueryRow(context.Background(), fmt.Sprintf(`
		with expected as (select t.cell_id, count(*) from %[1]s p join %[2]s t on t.cell_id = %[3]s('%[2]s', p.geom) and st_intersects(t.geom, p.geom) group by 1),
		got as (select * from %[4]s)
		select count(*), count(*) filter (where g.count is distinct from e.count), (select sum(count) from %[5]s('%[2]s', '%[1]s', 'geom'))::bigint, sum(g.count)::bigint
		from expected e full join got g using (cell_id)`, s.name("places"), s.name(table), s.name("cell_at"), call, s.name("points_per_cell"))).Scan(&cells, &wrong, &whole, &part); err != nil {
		s.t.Fatal(err)
	}
	if cells < 50 || wrong != 0 || part >= whole || part == 0 {
		s.t.Errorf("%d of %d cells have different points in their part; %d points in parts, %d in whole cells", wrong, cells, part, whole)
	}

	outside := strings.Replace(call, s.name("points_per_cell"), s.name("points_outside"), 1)
	if got, want := queryOne[int64](s.t, s.pool, "select "+outside), s.count(s.name("places"))-part; got != want {
		s.t.Errorf("%d points are outside the parts, want %d", got, want)
	}
}

// A cell of a table of pairs has several rows but counts once.
func TestPointsPerCellOfPairs(t *testing.T) {
	s := newSandbox(t)
	s.exec("create table " + s.name("f") + " as select 'feature ' || n as name, st_setsrid(st_makebox2d(st_point(n * 5.5, 0), st_point((n + 1) * 5.5, 9.5)), 3035)::geometry as geom from generate_series(0, 3) n")
	for table, args := range map[string][]string{"whole": nil, "cut": {"--clip"}} {
		mustCLI(t, s.dsn, s.load(table, append([]string{"--cell-size", "1", "--srid", "3035", "--aoi-sql", "select geom, name from " + s.name("f"), "--each", "name"}, args...)...)...)
	}
	s.exec("create table " + s.name("p") + " as select st_setsrid(st_makepoint(x / 4.0, y / 4.0), 3035) as geom from generate_series(0, 99) x, generate_series(0, 50) y")

	for call, want := range map[string]string{
		"'%s', '%s', 'geom'":                      "select count(*) from %s p where st_x(geom) < 22 and st_y(geom) < 10",
		"'%s', '%s', 'geom', within_part => true": "select count(*) from %s p where st_x(geom) < 22 and st_y(geom) <= 9.5",
	} {
		got := queryOne[int64](t, s.pool, "select sum(count)::bigint from "+s.name("points_per_cell")+"("+fmt.Sprintf(call, s.name("cut"), s.name("p"))+")")
		if n := queryOne[int64](t, s.pool, fmt.Sprintf(want, s.name("p"))); got != n {
			t.Errorf("%s counts %d points, want %d", call, got, n)
		}
	}
	s.checkRefused(fmt.Sprintf("select %s('%s', '%s', 'geom', within_part => true)", s.name("points_per_cell"), s.name("whole"), s.name("p")), "--clip")
}

// Points in another CRS are transformed, and a notice informs the user.
func TestPointsPerCellInOtherCRS(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1000", "--srid", "3035", "--extent", "4000000,3000000,4040000,3040000")...)
	s.exec("create table " + s.name("p") + ` as select g as plain, st_transform(g, 4326)::geometry(point, 4326) as degrees, st_transform(g, 4326)::geography as geog,
		case n % 3 when 0 then g when 1 then st_transform(g, 4326) end as mixed, case n % 3 when 0 then st_setsrid('point empty'::geometry, 3035) else st_transform(g, 3857) end as odd
		from generate_series(1, 2000) n, lateral st_setsrid(st_makepoint(3999000.5 + n * 17.3, 3001000.5 + (n * 7919) % 41000), 3035) g`)

	var notices []string
	pool := openPool(t, s.dsn, func(c *pgxpool.Config) {
		c.ConnConfig.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Message+" "+n.Hint) }
	})
	for column, said := range map[string]bool{"plain": false, "degrees": true, "geog": true, "mixed": false, "odd": false} {
		notices = nil
		wrong := queryOne[int64](t, pool, fmt.Sprintf(`with expected as (select %[3]s('%[1]s', plain) as cell_id, count(*) from %[2]s where st_x(%[5]s::geometry) is not null group by 1)
			select count(*) from (select * from expected join %[1]s using (cell_id)) e full join %[4]s('%[1]s', '%[2]s', '%[5]s') g using (cell_id) where g.count is distinct from e.count`,
			s.name("grid"), s.name("p"), s.name("cell_at"), s.name("points_per_cell"), column))
		if wrong != 0 {
			t.Errorf("%s: %d cells have different points", column, wrong)
		}
		if got := strings.Contains(strings.Join(notices, " "), "each point is transformed"); got != said {
			t.Errorf("%s: the notices are %q", column, notices)
		}
	}

	s.exec("create table " + s.name("bad") + " as select 'linestring(0 0, 1 1)'::geometry as line, st_makepoint(1, 1) as unknown, 5 as number, 'x'::text as word")
	for call, words := range map[string]string{
		"'%s', '%s', 'nothing'":         "has no column nothing",
		"'%s', '%s', 'number'":          "is of type integer, not geometry",
		"'%s', '%s', 'line'":            "",
		"'%s', '%s', 'unknown'":         "SRID",
		"'%s', '%s', 'unknown', 'word'": "is of type text, not a number",
		"'%s', '%s', 'unknown', 'none'": "has no column none",
	} {
		s.checkRefused("select "+s.name("points_per_cell")+"("+fmt.Sprintf(call, s.name("grid"), s.name("bad"))+")", words)
	}
	s.checkRefused(fmt.Sprintf("select %s('%s', '%s', 'plain')", s.name("points_per_cell"), s.name("p"), s.name("p")), "no run published")
}

// For all grids and places, however large or small, the query finds the same cell as cell_at.
func TestQueriesOfHostilePlaces(t *testing.T) {
	s := newLedgerSandbox(t)
	for name, g := range hostileGrids() {
		b, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}

		s.checkPlaces(name, string(b), geomgen.NewLocator(g))
	}
}

// checkPlaces compares the column and row of places with the locator.
func (s sandbox) checkPlaces(name, grid string, locator *geomgen.Locator) {
	s.t.Helper()
	numbers := strings.Join(hostileNumbers(), ",")
	all := int64(len(hostileNumbers()) * len(hostileNumbers()))
	places := fmt.Sprintf("select x, y, array[x, y] as v from unnest('{%[1]s}'::text[]::float8[]) x, unnest('{%[1]s}'::text[]::float8[]) y", numbers)
	query := queryOne[string](s.t, s.pool, "select "+s.name("places_query")+"($1, $2, 'l.v')", grid, places)
	rows, err := s.pool.Query(context.Background(), "select q.c, q.r, p.v from ("+places+") p left join ("+query+") q using (v)")
	if err != nil {
		s.t.Errorf("%s: %v", name, err)
		return
	}

	var col, row *int32
	var at []float64
	n := int64(0)
	if _, err := pgx.ForEachRow(rows, []any{&col, &row, &at}, func() error {
		n++
		c, ok := locator.CellAt(geomgen.Point{X: at[0], Y: at[1]})
		if ok != (col != nil && row != nil) || ok && (geomgen.Cell{Col: *col, Row: *row}) != c {
			s.t.Errorf("%s: %v is in %v (%v), SQL has %v, %v", name, at, c, ok, col, row)
		}
		return nil
	}); err != nil || n != all {
		s.t.Errorf("%s: %d of %d places, %v", name, n, all, err)
	}
}

// Cells without a table equal the loader's cells to the last bit, and are the cells that meet the window.
func TestCellsWithoutATable(t *testing.T) {
	s := newSandbox(t)
	for table, args := range queriedTables() {
		t.Run(table, func(t *testing.T) {
			s := s
			s.t = t
			mustCLI(t, s.dsn, s.load(table, args...)...)
			geom := "t.geom"
			switch {
			case table == "bare":
				geom = "null::geometry"
			case strings.HasPrefix(table, "clipped"):
				geom = "case when st_npoints(t.geom) = st_npoints(c.geom) and st_equals(t.geom, c.geom) then t.geom end" // parts are not cells
			}

			var cells, wrong, byID int64
			if err := s.pool.QueryRow(context.Background(), fmt.Sprintf(`
				with box as (select st_setsrid(st_makebox2d(st_point(min(st_xmin(g)), min(st_ymin(g))), st_point(max(st_xmax(g)), max(st_ymax(g)))), min(st_srid(g)))::geometry as window
					from %[1]s t, %[3]s('%[1]s', t.cell_id) g)
				select count(*), count(*) filter (where c.cell_id is null or c.col <> t.col or c."row" <> t."row" or st_asewkb(%[4]s) <> st_asewkb(c.geom)),
					count(*) filter (where st_asewkb(%[3]s('%[1]s', t.cell_id)) is distinct from st_asewkb(c.geom))
				from %[1]s t left join (select c.* from box, %[2]s('%[1]s', box.window) c) c using (cell_id)`,
				s.name(table), s.name("cells"), s.name("cell_geom"), geom)).Scan(&cells, &wrong, &byID); err != nil {
				t.Fatal(err)
			}
			if cells < 100 || wrong != 0 || byID != 0 {
				t.Errorf("of %d cells, %d differ from the loader's cells, %d differ by id", cells, wrong, byID)
			}
			s.checkWindows(table)
		})
	}
}

// checkWindows compares the cells of windows with the polygons of all cells around.
func (s sandbox) checkWindows(table string) {
	s.t.Helper()
	g := s.grid(table)
	grid, err := json.Marshal(g)
	if err != nil {
		s.t.Fatal(err)
	}

	for _, window := range []string{
		"st_makeenvelope(%[1]g + 0.5 * %[3]g, %[2]g + 0.5 * %[4]g, %[1]g + 6 * %[3]g, %[2]g + 7.1 * %[4]g, %[5]d)",
		"st_buffer(st_setsrid(st_point(%[1]g + 3 * %[3]g, %[2]g + 2 * %[4]g), %[5]d), 3.3 * %[3]g)",
		"st_setsrid(st_makeline(st_point(%[1]g, %[2]g), st_point(%[1]g + 5 * %[3]g, %[2]g + 9 * %[4]g)), %[5]d)",
		"st_setsrid(st_point(%[1]g, %[2]g), %[5]d)",
	} {
		// Tiles lie below their origin.
		dy := g.DY
		if g.Shape == geomgen.XYZ {
			dy = -dy
		}
		at := fmt.Sprintf(window, g.X0, g.Y0, g.DX, dy, g.SRID)
		var cells, wrong int64
		if err := s.pool.QueryRow(context.Background(), fmt.Sprintf(`
			with around as (select %[1]s(c, r) as cell_id, %[2]s($1::jsonb, c, r) as geom from generate_series(-30, 30) c, generate_series(-30, 30) r where $2 or (c >= 0 and r >= 0 and c < 16 and r < 16)),
			expected as (select cell_id from around where st_intersects(geom, %[3]s))
			select count(*), count(*) filter (where e.cell_id is null or c.cell_id is null) from expected e full join %[4]s('%[5]s', %[3]s) c using (cell_id)`,
			s.name("cell_id"), s.name("cell_geom"), at, s.name("cells"), s.name(table)), string(grid), g.Shape != geomgen.XYZ).Scan(&cells, &wrong); err != nil {
			s.t.Fatal(err)
		}
		if cells == 0 || wrong != 0 {
			s.t.Errorf("%s: %d of %d cells are on one side only", at, wrong, cells)
		}
	}

	name := s.name(table)
	s.checkRefused(fmt.Sprintf("select %s('%s', 'srid=32633;point(0 0)'::geometry)", s.name("cells"), name), "SRID 32633")
	if n := queryOne[int64](s.t, s.pool, fmt.Sprintf("select count(*) from %s('%s', st_setsrid('polygon empty'::geometry, %d))", s.name("cells"), name, g.SRID)); n != 0 {
		s.t.Errorf("an empty window has %d cells", n)
	}
	box := fmt.Sprintf("%s($1, %g, %g, %g, %g)", s.name("cells"), g.X0, g.Y0-3*g.DY, g.X0+4*g.DX, g.Y0)
	if n := queryOne[int64](s.t, s.pool, "select count(*) from "+box+" c where st_astext(c.geom) = st_astext("+s.name("cell_geom")+"($1, c.col, c.\"row\"))", string(grid)); n < 8 {
		s.t.Errorf("a box has %d cells", n)
	}
}

// The planner inlines cell_at, so that a grid given as a constant is read once.
func TestCellAtIsInlined(t *testing.T) {
	s := newLedgerSandbox(t)
	for _, grid := range []string{`'{"x0": 0, "y0": 0, "dx": 10, "dy": 10}'::jsonb`, "g"} {
		plan := queryOne[string](t, s.pool, "explain (verbose, format json) select "+s.name("cell_at")+"("+grid+", n, n) from generate_series(1, 5) n, jsonb_build_object('x0', 0, 'y0', 0, 'dx', 10, 'dy', 10) g")
		if strings.Contains(plan, "cell_at(") || !strings.Contains(plan, "square_at(") {
			t.Errorf("cell_at of %s is not inlined:\n%s", grid, plan)
		}
	}
}
