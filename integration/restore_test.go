package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/loader"
)

// restored returns a database with a dump of the sandbox's own database.
func (s sandbox) restored(args ...string) sandbox {
	s.t.Helper()
	to := sandboxIn(s.t, pgtest.Database(s.t), s.schema)
	to.exec("drop extension postgis cascade") // the dump contains it
	to.exec("drop schema public")
	to.exec("create schema public")
	pgtest.Restore(s.t, s.pool.Config().ConnConfig.ConnString(), to.pool.Config().ConnConfig.ConnString(), args...)
	return to
}

// crossOIDs gives each run in the ledger the OID of another table, as may happen to a restored table.
func (s sandbox) crossOIDs() {
	s.t.Helper()
	s.exec(`with t as (select oid, row_number() over (order by oid desc) as n from pg_class where relkind in ('r', 'p') and not relispartition
	            and oid in (select conrelid from pg_constraint where contype = 'p') and relname like 'grid%'),
	        r as (select id, row_number() over (order by id) as n from ` + s.name("runs") + ` where state = 'published')
	        update ` + s.name("runs") + ` u set table_oid = t.oid from r join t on t.n = 1 + (r.n + 2) % (select count(*) from t) where u.id = r.id`)
}

// oldComments gives all keys the comments of a loadgrid version from before ledgers had ids.
func (s sandbox) oldComments() {
	s.t.Helper()
	s.exec(`do $$ declare k record; begin
		for k in select conname, conrelid::regclass as tab, substring(obj_description(oid, 'pg_constraint') from '^(loadgrid .*, run \d+) ') as old
		         from pg_constraint where contype = 'p' and obj_description(oid, 'pg_constraint') like 'loadgrid %' loop
			execute format('comment on constraint %I on %s is %L', k.conname, k.tab, k.old);
		end loop; end $$`)
	s.exec("delete from " + s.name("marks"))
}

// checkGrid checks that the functions know a table's grid by the size of its cells, and find each cell by
// a point in it.
func (s sandbox) checkGrid(table string, dx float64) {
	s.t.Helper()
	name := s.name(table)
	var have float64
	var rows, wrong int64
	err := s.pool.QueryRow(context.Background(), `select (`+s.name("grid_of")+`($1::regclass) ->> 'dx')::float8, count(*),
		count(*) filter (where `+s.name("cell_at")+`($1::regclass, st_pointonsurface(g)) is distinct from id)
		from (select * from `+name+` limit 50) t, lateral (select to_jsonb(t) as j) j,
		lateral (select (select value::text::bigint from jsonb_each(j) where key in ('cell_id', 'my_id')) as id, geom as g) c`, name).Scan(&have, &rows, &wrong)
	if err != nil {
		s.t.Errorf("%s: %v", table, err)
	} else if have != dx || rows == 0 || wrong != 0 {
		s.t.Errorf("%s: cells of %g, want %g; %d of %d points are in another cell", table, have, dx, wrong, rows)
	}
}

// fortyGrids loads tables of all kinds: grid0 to grid39, with cells of size 1 to 40.
func (s sandbox) fortyGrids() {
	s.t.Helper()
	pool := openPool(s.t, s.dsn, nil)
	for i := range 40 {
		size := float64(i + 1)
		j := loader.Job{Table: loader.Table{Schema: s.schema, Name: fmt.Sprint("grid", i)}, LedgerSchema: s.schema,
			Grid: geomgen.Grid{DX: size, DY: size, SRID: 3857}, Cols: 4, Rows: 3}
		if i%4 == 1 {
			j.Partitions = 2
		}
		if i%4 == 2 {
			j.IDColumn = "my_id"
		}
		runs := 1
		if i%4 == 3 { // one table next to the other
			runs, j.IfExists = 2, loader.Append
		}
		for k := range runs {
			j.Extent = &geomgen.Box{XMin: float64(4*k) * size, XMax: float64(4*k+4) * size, YMax: 3 * size}
			j.Cols, j.Rows = 0, 0
			if _, err := loader.Run(context.Background(), pool, j, loader.Options{}); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// After a restore, each table has its own grid, whatever its OID, and can be appended to, kept and rolled
// back.
func TestRestoredGrids(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.fortyGrids()
	mustCLI(t, s.dsn, s.load("grid1", "--cell-size", "2", "--srid", "3857", "--cols", "4", "--rows", "4", "--partitions", "2", "--if-exists", "replace", "--keep", "2")...)
	mustCLI(t, s.dsn, s.load("grid0", "--cell-size", "1", "--srid", "3857", "--cols", "4", "--rows", "4", "--if-exists", "replace", "--keep", "2")...)

	for name, old := range map[string]bool{"comments with the ledger": false, "comments of before": true} {
		t.Run(name, func(t *testing.T) {
			to := s.restored()
			to.t = t
			if old {
				to.oldComments()
			}
			to.crossOIDs()
			for i := range 40 {
				to.checkGrid(fmt.Sprint("grid", i), float64(i+1))
			}

			beside := []string{"--cell-size", "5", "--srid", "3857", "--extent", "100,100,110,110", "--if-exists", "append"}
			mustCLI(t, to.dsn, to.load("grid4", beside...)...)
			to.checkGrid("grid4", 5)
			beside[1] = "6"
			mustCLI(t, to.dsn, to.load("grid5", append(beside, "--partitions", "2")...)...)
			to.checkGrid("grid5", 6)
			mustCLI(t, to.dsn, to.load("grid8", "--cell-size", "7", "--srid", "3857", "--cols", "2", "--rows", "2", "--if-exists", "replace", "--keep", "1")...)
			to.checkGrid("grid8", 7)

			first := queryOne[int64](t, to.pool, "select min(id) from "+to.name("runs")+" where table_name = 'grid8'")
			mustCLI(t, to.dsn, "runs", "rollback", fmt.Sprint(first), "--ledger-schema", to.schema)
			to.checkGrid("grid8", 9)
			for i, table := range []string{"grid0", "grid1"} {
				run := queryOne[int64](t, to.pool, "select min(id) from "+to.name("runs")+" where table_name = $1", table)
				mustCLI(t, to.dsn, "runs", "rollback", fmt.Sprint(run), "--ledger-schema", to.schema)
				if rows := queryOne[int64](t, to.pool, "select count(*) from "+to.name(table)); rows != 12 {
					t.Errorf("%s has %d rows after the rollback", table, rows)
				}
				to.checkGrid(table, float64(i+1))
			}

			same := []string{"--cell-size", "13", "--srid", "3857", "--extent", "0,0,52,39", "--if-exists", "replace", "--skip-unchanged"}
			cli(t, to.dsn, to.load("grid12", same...)...).expect(t, 0, "restored from a dump")
			to.checkGrid("grid12", 13)
		})
	}
}

// A table whose comment is from an old version is known only if its name, columns and rows are as
// recorded.
func TestRestoredGridsThatDiffer(t *testing.T) {
	s := newDatabaseSandbox(t)
	for _, table := range []string{"rows", "columns", "names", "runs_number", "grid"} {
		mustCLI(t, s.dsn, s.load(table, boxes(4, 3)...)...)
	}

	to := s.restored()
	to.oldComments()
	to.crossOIDs()
	to.exec("update " + to.name("runs") + " set table_oid = 4000000000")
	to.exec("delete from " + to.name("rows") + " where cell_id = 0")
	to.exec("alter table " + to.name("columns") + " add column more text")
	to.exec("alter table " + to.name("names") + " rename to other_names")
	to.exec("comment on constraint runs_number_pkey on " + to.name("runs_number") + " is 'loadgrid dev, run 1'")
	for _, table := range []string{"rows", "columns", "other_names", "runs_number"} {
		to.checkRefused("select "+to.name("grid_of")+"('"+to.name(table)+"')", "no run published table")
		cli(t, to.dsn, to.load(table, appendArgs(boxes(2, 2), "--origin", "100,100", "--if-exists", "append")...)...).expect(t, 2, "")
	}
	to.checkGrid("grid", 1)
}

// A table that is restored next to another ledger is refused, although that ledger has a run with its
// number. It can be replaced, and --keep keeps it.
func TestRestoredBesideAnotherLedger(t *testing.T) {
	s := newDatabaseSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(4, 3)...)...)

	to := newHalfDoneSandbox(t)
	to.schema = "public"
	mustCLI(t, to.dsn, to.load("mine", "--cell-size", "7", "--cols", "2", "--rows", "2")...)
	pgtest.Restore(t, s.pool.Config().ConnConfig.ConnString(), to.pool.Config().ConnConfig.ConnString(), "--table=public.grid")

	for _, call := range []string{"grid_of('grid')", "cell_at('grid', 'point(0 0)'::geometry)", "cell_neighbours('grid', 0)", "cell_parent('grid', 0, 2)"} {
		to.checkRefused("select "+call, "another ledger")
	}
	more := appendArgs(boxes(4, 3), "--if-exists")
	cli(t, to.dsn, to.load("grid", append(more, "append", "--origin", "100,100")...)...).expect(t, 2, "another ledger")
	mustCLI(t, to.dsn, to.load("grid", append(more, "replace", "--keep", "1")...)...) // that ledger is not in the database
	to.checkGrid("grid", 1)
	if n := queryOne[int](t, to.pool, "select count(*) from pg_class where relname like 'grid_run_' and relkind = 'r'"); n != 1 {
		t.Errorf("%d versions of the restored table are kept", n)
	}
	to.checkGrid("mine", 7)
}

// The forms with a table argument know the shape of its cells.
func TestNeighboursAndParentsOfATable(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("hexagons", "--cell-size", "7", "--srid", "3857", "--shape", "hexagon", "--extent", "-50,-60,70,80")...)
	mustCLI(t, s.dsn, s.load("squares", boxes(4, 4)...)...)
	mustCLI(t, s.dsn, s.load("tiles", "--shape", "xyz", "--zoom", "3")...)
	around := func(table string, id int64) int {
		return queryOne[int](t, s.pool, "select count(*)::int from "+s.name("cell_neighbours")+"($1::text::regclass, $2)", s.name(table), id)
	}
	for table, want := range map[string]int{"hexagons": 6, "squares": 8, "tiles": 3} {
		if got := around(table, 0); got != want {
			t.Errorf("cell 0 of %s has %d neighbours, want %d", table, got, want)
		}
	}

	last := geomgen.CellID(geomgen.Cell{Col: 7, Row: 7})
	if got := around("tiles", last); got != 3 {
		t.Errorf("the last tile has %d neighbours", got)
	}
	for _, table := range []string{"squares", "tiles"} {
		got := queryOne[int64](t, s.pool, "select "+s.name("cell_parent")+"($1::text::regclass, $2, 2)", s.name(table), last)
		if want := geomgen.CellID(geomgen.Cell{Col: 3, Row: 3}); got != want {
			t.Errorf("the parent in %s is %d, want %d", table, got, want)
		}
	}
	s.checkRefused("select "+s.name("cell_parent")+"('"+s.name("hexagons")+"', 0, 2)", "do not nest")
	s.checkRefused("select "+s.name("cell_neighbours")+"('pg_class', 0)", "no run published")
}

// The migration down leaves the previous version's functions, which work. After the migration up, the
// tables are known again.
func TestMarksComeAndGo(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(4, 3)...)...)
	s.migrationFile("000006_marks.down.sql")
	s.checkGrid("grid", 1)
	if got := queryOne[string](t, s.pool, helperKinds, s.schema); strings.Contains(got, "cell_parent/3") {
		t.Errorf("functions: %s", got)
	}
	s.migrationFile("000006_marks.up.sql")
	s.checkRefused("select "+s.name("grid_of")+"('"+s.name("grid")+"')", "of another ledger")
	mustCLI(t, s.dsn, s.load("grid", appendArgs(boxes(4, 3), "--if-exists", "replace")...)...)
	s.checkGrid("grid", 1)
}

// hostileNumbers returns coordinates that are hard to compute with.
func hostileNumbers() []string {
	return []string{"0", "5e-324", "-5e-324", "1e-322", "-1e-322", "1e-310", "-1e-310", "1e-300", "-1e-300", "1e-20", "-1e-20", "0.5", "-0.5", "1", "1e9",
		"1e15", "-1e15", "1e100", "1e300", "-1e308", "1.7976931348623157e308", "-1.7976931348623157e308", "NaN", "Infinity", "-Infinity"}
}

// hostileGrids returns grids of each shape, up to the limits of numbers.
func hostileGrids() map[string]geomgen.Grid {
	return map[string]geomgen.Grid{
		"squares":          {DX: 1000, DY: 1000},
		"small":            {DX: 1e-9, DY: 3e-9},
		"turned":           {DX: 1000, DY: 300, Rotate: 30},
		"turned a little":  {DX: 1000, DY: 300, Rotate: 1e-25},
		"turned by 90":     {DX: 1000, DY: 300, Rotate: 90},
		"flat":             {DX: 1000, DY: 1000, Shape: geomgen.HexagonFlat},
		"pointy":           {DX: 0.3, DY: 0.3, Shape: geomgen.HexagonPointy},
		"turned and flat":  {DX: 1000, DY: 1000, Shape: geomgen.HexagonFlat, Rotate: 200},
		"flat, an edge up": {Y0: 500 * 1.7320508075688772, DX: 1000, DY: 1000, Shape: geomgen.HexagonFlat},
		"tiny origin":      {X0: 1e-322, Y0: -1e-310, DX: 1, DY: 1},
		"large flat":       {DX: 1e200, DY: 1e200, Shape: geomgen.HexagonFlat},
		"large":            {DX: 1e120, DY: 1e119},
		"larger":           {X0: -1e300, DX: 1e290, DY: 1e300},
		"largest":          {DX: 1e307, DY: 1e306},
		"tiniest":          {DX: 1e-310, DY: 1e-310},
		"tiles":            geomgen.Tiles(5),
	}
}

// A point query on a table never fails, and finds the cells that Go finds.
func TestCellAtOfHostilePlaces(t *testing.T) {
	s := newLedgerSandbox(t)
	for name, g := range hostileGrids() {
		b, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		locator := geomgen.NewLocator(g)
		rows, err := s.pool.Query(context.Background(), "select x, y, "+s.name("cell_at")+"($1::jsonb, x, y) from unnest($2::text[]::float8[]) x, unnest($2::text[]::float8[]) y", string(b), hostileNumbers())
		if err != nil {
			t.Fatal(err)
		}
		var p geomgen.Point
		var got *int64
		n := 0
		if _, err := pgx.ForEachRow(rows, []any{&p.X, &p.Y, &got}, func() error {
			n++
			c, ok := locator.CellAt(p)
			if ok != (got != nil) || ok && *got != geomgen.CellID(c) {
				t.Errorf("%s: %v is in %v (%v), SQL has %v", name, p, c, ok, got)
			}
			return nil
		}); err != nil || n != len(hostileNumbers())*len(hostileNumbers()) {
			t.Errorf("%s: %d places, %v", name, n, err)
		}
	}
}

// A point without coordinates has no cell, and a point with M or Z has the cell of its place.
func TestCellAtOfOddPoints(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", boxes(4, 3)...)...)
	for point, want := range map[string]bool{
		"'point empty'": false, "'point m empty'": false, "'polygon empty'": false, "null": false,
		"st_makepoint('nan', 1)": false, "st_makepoint(1, 'infinity')": false, "st_makepoint('-infinity', 'nan')": false,
		"'point m (1 1 7)'": true, "'point z (1 1 7)'": true, "'point zm (1e-322 -1e-322 7 7)'": true, "'point(1e308 -1e308)'": false,
	} {
		got := queryOne[bool](t, s.pool, "select "+s.name("cell_at")+"('"+s.name("grid")+"', ("+point+")::geometry) is not null")
		if got != want {
			t.Errorf("%s: in a cell %v, want %v", point, got, want)
		}
	}
}
