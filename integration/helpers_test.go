package integration

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader"
)

// newLedgerSandbox returns a sandbox with a ledger.
func newLedgerSandbox(t *testing.T) sandbox {
	t.Helper()
	s := newSandbox(t)
	mustCLI(t, s.dsn, "migrate", "up", "--ledger-schema", s.schema)
	return s
}

// helperCells returns 2000 random cells of all quadrants, near 0 and far from it, and the cells at the
// limits.
func helperCells(t *testing.T) []geomgen.Cell {
	t.Helper()
	rng := testrand.New(t, 2026)
	var cells []geomgen.Cell
	for range 2000 {
		n := int64(1) << (1 + rng.IntN(31))
		cells = append(cells, geomgen.Cell{Col: int32(rng.Int64N(n) - n/2), Row: int32(rng.Int64N(n) - n/2)})
	}

	ends := []int32{-geomgen.MaxIndex, -geomgen.MaxIndex + 1, -2, -1, 0, 1, geomgen.MaxIndex - 2, geomgen.MaxIndex - 1}
	for _, col := range ends {
		for _, row := range ends {
			cells = append(cells, geomgen.Cell{Col: col, Row: row})
		}
	}

	return cells
}

// columns returns the columns of cells, for unnest.
func columns(cells []geomgen.Cell) (cols, rows []int32, ids []int64) {
	for _, c := range cells {
		cols, rows, ids = append(cols, c.Col), append(rows, c.Row), append(ids, geomgen.CellID(c))
	}
	return cols, rows, ids
}

func TestCellIDsInSQL(t *testing.T) {
	s := newLedgerSandbox(t)
	cells := helperCells(t)
	cols, rows, ids := columns(cells)
	got := queryOne[[]int64](t, s.pool, "select array_agg("+s.name("cell_id")+"(c, r) order by n) from unnest($1::integer[], $2::integer[]) with ordinality u(c, r, n)", cols, rows)
	gotCols := queryOne[[]int32](t, s.pool, "select array_agg("+s.name("cell_col")+"(id) order by n) from unnest($1::bigint[]) with ordinality u(id, n)", ids)
	gotRows := queryOne[[]int32](t, s.pool, "select array_agg("+s.name("cell_row")+"(id) order by n) from unnest($1::bigint[]) with ordinality u(id, n)", ids)
	if len(got) != len(cells) || len(gotCols) != len(cells) || len(gotRows) != len(cells) {
		t.Fatalf("%d cells gave %d ids, %d columns, %d rows", len(cells), len(got), len(gotCols), len(gotRows))
	}

	for i, c := range cells {
		if got[i] != ids[i] {
			t.Errorf("cell_id of %v is %d, want %d", c, got[i], ids[i])
		}
		if back := (geomgen.Cell{Col: gotCols[i], Row: gotRows[i]}); back != c {
			t.Errorf("cell_id %d is that of %v, got %v", ids[i], c, back)
		}
	}

	for call, words := range map[string]string{
		"cell_id(1073741824, 0)":                         "no cell (1073741824, 0)",
		"cell_id(0, -1073741825)":                        "no cell (0, -1073741825)",
		"cell_id(-2147483648, 2147483647)":               "no cell (-2147483648, 2147483647)",
		"cell_col(-1)":                                   "no cell_id -1",
		"cell_row(-1)":                                   "no cell_id -1",
		"cell_col(4611686018427387904)":                  "no cell_id 4611686018427387904",
		"cell_row(4611686018427387904)":                  "no cell_id 4611686018427387904",
		"cell_parent(0, 0)":                              "1 or more times",
		"cell_neighbours(0, 'hexagon')":                  "no shape hexagon",
		"cell_neighbours(-5)":                            "no cell_id -5",
		"grid_of('pg_class')":                            "pg_class",
		`cell_at('{"x0":0,"y0":0,"dx":1}', 0, 0)`:        "is no grid",
		`cell_at('{"x0":0,"y0":0,"dx":1,"dy":0}', 0, 0)`: "is no grid",
		`cell_at('{"x0":0,"y0":0,"dx":1,"dy":1,"shape":"round"}', 0, 0)`: "no shape round",
	} {
		s.checkRefused("select "+pgx.Identifier{s.schema}.Sanitize()+"."+call, words)
	}
}

// checkRefused checks that a statement fails with these words.
func (s sandbox) checkRefused(sql, words string) {
	s.t.Helper()
	if _, err := s.pool.Exec(context.Background(), sql); err == nil || !strings.Contains(err.Error(), words) {
		s.t.Errorf("%s: got %v, want an error with %q", sql, err, words)
	}
}

func TestNeighboursAndParentsInSQL(t *testing.T) {
	s := newLedgerSandbox(t)
	cells := helperCells(t)
	_, _, ids := columns(cells)
	for _, shape := range []geomgen.Shape{geomgen.Square, geomgen.XYZ, geomgen.HexagonFlat, geomgen.HexagonPointy} {
		rows, err := s.pool.Query(context.Background(), "select id, array(select "+s.name("cell_neighbours")+"(id, $2)) from unnest($1::bigint[]) id", ids, shape.String())
		if err != nil {
			t.Fatal(err)
		}

		var id int64
		var got []int64
		n := 0
		if _, err := pgx.ForEachRow(rows, []any{&id, &got}, func() error {
			n++
			c, _ := geomgen.CellOf(id)
			_, _, want := columns(shape.AppendNeighbours(nil, c))
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s %v: neighbours %v, want %v", shape, c, got, want)
			}
			return nil
		}); err != nil || n != len(cells) {
			t.Fatalf("%d of %d cells: %v", n, len(cells), err)
		}
	}

	for _, k := range []int32{1, 2, 7, 1 << 20, math.MaxInt32} {
		got := queryOne[[]int64](t, s.pool, "select array_agg("+s.name("cell_parent")+"(id, $2) order by n) from unnest($1::bigint[]) with ordinality u(id, n)", ids, k)
		for i, c := range cells {
			if want := geomgen.CellID(c.Parent(k)); got[i] != want {
				t.Errorf("parent of %v, %d times the size: %d, want %d", c, k, got[i], want)
			}
		}
	}
}

// PostGIS's own cells are the oracle: neighbours are cells that touch.
func TestNeighboursTouchInPostGIS(t *testing.T) {
	s := newLedgerSandbox(t)
	for shape, function := range map[string]string{"hexagon-flat": "st_hexagon", "square": "st_square"} {
		wrong := queryOne[int64](t, s.pool, `
			with cell as (select i, j, `+s.name("cell_id")+`(i, j) as id, `+function+`(1.5, i, j) as geom
				from generate_series(-5, 5) i, generate_series(-5, 5) j)
			select count(*) from cell a join cell b on a.id <> b.id
			where st_dwithin(a.geom, b.geom, 1e-9) <> (b.id in (select `+s.name("cell_neighbours")+`(a.id, $1)))`, shape)
		if wrong != 0 {
			t.Errorf("%d pairs of %s are neighbours only here or only in PostGIS", wrong, shape)
		}
	}
}

// Go and SQL compute a place's cell in the same steps, so they agree to the last bit, also on lines, at
// corners and in turned grids.
func TestCellAtInSQL(t *testing.T) {
	s := newLedgerSandbox(t)
	rng := testrand.New(t, 102)
	for name, g := range map[string]geomgen.Grid{
		"squares of 0.1":    {X0: -180, Y0: -90, DX: 0.1, DY: 0.1, SRID: 4326},
		"oblong":            {X0: 0.1, Y0: 1e6, DX: 1.0 / 3, DY: 0.7},
		"flat hexagons":     {X0: 1, Y0: 2, DX: 0.3, DY: 0.3, Shape: geomgen.HexagonFlat},
		"pointy hexagons":   {X0: -1, Y0: 0.2, DX: 0.7, DY: 0.7, Shape: geomgen.HexagonPointy},
		"turned":            {X0: 5, Y0: 7, DX: 0.3, DY: 0.2, Rotate: 33.3},
		"turned back":       {X0: 5, Y0: 7, DX: 0.3, DY: 0.2, Rotate: -200.1},
		"turned far":        {X0: 5, Y0: 7, DX: 0.3, DY: 0.2, Rotate: 315.0000001},
		"turned a little":   {X0: 5, Y0: 7, DX: 0.3, DY: 0.2, Rotate: 1e-7},
		"turned by 90":      {X0: 0.1, Y0: 7, DX: 0.3, DY: 0.2, Rotate: 90},
		"turned by 135":     {X0: 0.1, Y0: 7, DX: 0.3, DY: 0.2, Rotate: 135},
		"turned hexagons":   {X0: 1, Y0: 2, DX: 0.3, DY: 0.3, Shape: geomgen.HexagonFlat, Rotate: 12},
		"turned and pointy": {X0: 1, Y0: 2, DX: 3, DY: 3, Shape: geomgen.HexagonPointy, Rotate: 270},
		"one tile":          geomgen.Tiles(0),
		"tiles":             geomgen.Tiles(11),
		"smallest tiles":    geomgen.Tiles(geomgen.MaxZoom),
	} {
		grid, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}

		locator := geomgen.NewLocator(g)
		var xs, ys []float64
		for _, p := range placesIn(rng, g) {
			xs, ys = append(xs, p.X), append(ys, p.Y)
		}

		got := queryOne[[]*int64](t, s.pool, "select array_agg("+s.name("cell_at")+"($1::jsonb, x, y) order by n) from unnest($2::float8[], $3::float8[]) with ordinality u(x, y, n)",
			string(grid), xs, ys)
		found := 0
		for i := range xs {
			c, ok := locator.CellAt(geomgen.Point{X: xs[i], Y: ys[i]})
			if ok {
				found++
			}
			if ok != (got[i] != nil) || ok && *got[i] != geomgen.CellID(c) {
				t.Errorf("%s: %v, %v is in %v (%v), SQL has %v", name, xs[i], ys[i], c, ok, got[i])
			}
		}

		if len(got) != len(xs) || found < len(xs)/4 || found == len(xs) {
			t.Errorf("%s: %d places, %d answers, %d in cells", name, len(xs), len(got), found)
		}
	}
}

// placesIn returns random places, corners and places next to them, middles of edges, and places outside
// all cells.
func placesIn(rng *rand.Rand, g geomgen.Grid) []geomgen.Point {
	inf := math.Inf(1)
	places := []geomgen.Point{{X: math.NaN()}, {Y: inf}, {X: -inf}, {X: math.MaxFloat64 / 4}, {Y: -1e30}, {X: 20037508.342789244}}
	span := g.World()
	if g.Shape != geomgen.XYZ {
		span = geomgen.Range{MinCol: -2000, MinRow: -2000, MaxCol: 2000, MaxRow: 2000}
	}

	for range 100 {
		c := geomgen.Cell{
			Col: span.MinCol + int32(rng.Int64N(int64(span.MaxCol-span.MinCol))),
			Row: span.MinRow + int32(rng.Int64N(int64(span.MaxRow-span.MinRow))),
		}

		corners := g.AppendCorners(nil, c)
		for i, p := range corners {
			q := corners[(i+1)%len(corners)]
			w := rng.Float64()
			places = append(places, p,
				geomgen.Point{X: math.Nextafter(p.X, inf), Y: p.Y}, geomgen.Point{X: p.X, Y: math.Nextafter(p.Y, -inf)},
				geomgen.Point{X: p.X + w*(q.X-p.X), Y: p.Y + w*(q.Y-p.Y)},
				geomgen.Point{X: p.X + rng.Float64()*g.DX, Y: p.Y + rng.Float64()*g.DY})
		}
	}

	return places
}

func TestPointsInLoadedTables(t *testing.T) {
	s := newSandbox(t)
	for table, args := range map[string][]string{
		"squares":  {"--cell-size", "0.1", "--srid", "4326", "--extent", "-3,-2,4,1"},
		"turned":   {"--cell-size", "3,2", "--srid", "3857", "--origin", "5,6", "--rotate", "33", "--cols", "20", "--rows", "30", "--partitions", "3"},
		"hexagons": {"--cell-size", "7", "--srid", "3857", "--shape", "hexagon", "--extent", "-50,-60,70,80"},
		"pointy":   {"--cell-size", "7", "--srid", "3857", "--shape", "hexagon", "--hexagon", "pointy", "--extent", "-50,-60,70,80"},
		"tiles":    {"--shape", "xyz", "--zoom", "4"},
	} {
		mustCLI(t, s.dsn, s.load(table, args...)...)
		name, at := s.name(table), s.name("cell_at")
		var rows, wrong, direct int64
		if err := s.pool.QueryRow(context.Background(), `
			select count(*), count(*) filter (where p.a is distinct from cell_id), count(*) filter (where p.b is distinct from cell_id)
			from `+name+", "+s.name("grid_of")+`('`+name+`') g, lateral st_pointonsurface(geom) s,
				lateral (select `+at+`('`+name+`', s), `+at+`(g, st_x(s), st_y(s))) p(a, b)`).Scan(&rows, &wrong, &direct); err != nil {
			t.Fatal(err)
		}

		if rows < 150 || wrong != 0 || direct != 0 {
			t.Errorf("%s: %d and %d of %d cells do not contain their interior point", table, wrong, direct, rows)
		}
	}

	grid, at := s.name("squares"), s.name("cell_at")
	s.checkRefused("select "+at+"('"+grid+"', 'srid=3857;point(0 0)'::geometry)", "SRID 3857, the grid of table")
	s.checkRefused("select "+at+"('"+grid+"', 'srid=4326;linestring(0 0, 1 1)'::geometry)", "not a LINESTRING")
	s.checkRefused("select "+at+"('"+s.name("runs")+"', 'point(0 0)'::geometry)", "no run published table")
	if !queryOne[bool](t, s.pool, "select "+at+"('"+grid+"', 'srid=4326;point empty') is null and "+at+"('"+s.name("tiles")+"', 'srid=3857;point(1e9 0)') is null") {
		t.Error("a place outside all cells is in a cell")
	}
	if got := queryOne[string](t, s.pool, "select "+s.name("grid_of")+"('"+grid+"')->>'dx'"); got != "0.1" {
		t.Errorf("the grid has cells of %s", got)
	}

	// Another grid replaces the first one under the same name.
	mustCLI(t, s.dsn, s.load("squares", "--if-exists", "replace", "--cell-size", "0.5", "--cols", "3", "--rows", "3")...)
	if got := queryOne[string](t, s.pool, "select "+s.name("grid_of")+"('"+grid+"')->>'dx'"); got != "0.5" {
		t.Errorf("after a replace the grid has cells of %s", got)
	}
}

// helperKinds lists the functions in a schema with their volatility and parallel safety.
const helperKinds = `select coalesce(string_agg(proname || '/' || pronargs || ' ' || provolatile::text || proparallel::text, ', ' order by proname, proargtypes::text), 'none')
	from pg_proc where pronamespace = $1::regnamespace and obj_description(oid, 'pg_proc') like 'loadgrid: %'`

const allHelpers = "cell_at/2 ss, cell_at/3 is, cell_col/1 is, cell_geom/2 ss, cell_geom/3 is, cell_id/2 is, cell_neighbours/2 is, cell_neighbours/2 ss, cell_parent/2 is, " +
	"cell_parent/3 ss, cell_row/1 is, cells/2 ss, cells/5 is, grid_of/1 ss, parents_of/2 ss, parents_of/6 is, points_outside/4 sr, points_per_cell/5 sr, points_per_cell_query/5 ss"

// A second ledger has its own functions, whatever its schema is called, and they work with any
// search_path.
func TestHelpersComeAndGoWithTheLedger(t *testing.T) {
	s := newDatabaseSandbox(t)
	ctx := context.Background()
	pool := openPool(t, s.dsn, nil)
	second := `Second "ledger".x`
	quoted := pgx.Identifier{second}.Sanitize()

	for _, schema := range []string{"loadgrid", second, second} {
		if err := loader.NewLedger(pool, schema).MigrateUp(ctx); err != nil {
			t.Fatal(err)
		}
	}

	for _, schema := range []string{"loadgrid", quoted} {
		if got := queryOne[string](t, pool, helperKinds, schema); got != allHelpers {
			t.Errorf("functions in %s: %s, want %s", schema, got, allHelpers)
		}
	}

	job := s.smallJob(0)
	job.LedgerSchema = second
	if _, err := loader.Run(ctx, pool, job, loader.Options{}); err != nil {
		t.Fatal(err)
	}

	conn := s.connect()
	if _, err := conn.Exec(ctx, "set search_path to pg_temp"); err != nil {
		t.Fatal(err)
	}

	var wrong, around int64
	table := pgx.Identifier{job.Table.Schema, job.Table.Name}.Sanitize()
	if err := conn.QueryRow(ctx, `select
		(select count(*) from `+table+` where `+quoted+`.cell_at('`+table+`', public.st_centroid(geom)) is distinct from `+quoted+`.cell_parent(cell_id, 1)),
		(select count(*) from `+quoted+`.cell_neighbours(5))`).Scan(&wrong, &around); err != nil {
		t.Fatal(err)
	}

	if wrong != 0 || around != 8 {
		t.Errorf("with another search_path %d cells are elsewhere, and 5 has %d neighbours", wrong, around)
	}
	for range 2 {
		if err := loader.NewLedger(pool, second).MigrateDown(ctx); err != nil {
			t.Fatal(err)
		}
		if got := queryOne[string](t, pool, helperKinds, quoted); got != "none" {
			t.Errorf("after migrate down these functions remain: %s", got)
		}
	}

	if got := queryOne[string](t, pool, helperKinds, "loadgrid"); got != allHelpers {
		t.Errorf("the other ledger lost functions, it has: %s", got)
	}
	if err := loader.NewLedger(pool, second).MigrateUp(ctx); err != nil {
		t.Fatal(err)
	}

	if got := queryOne[string](t, pool, helperKinds, quoted); got != allHelpers {
		t.Errorf("after up again: %s", got)
	}
}

// The schema names become part of the functions' text, where a name must not be mistaken for part of
// another.
func TestHelpersBesideSchemasOfLikeNames(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec("drop extension postgis cascade")
	s.exec(`create schema "a ledger"`)
	s.exec(`create extension postgis schema "a ledger"`)

	for _, ledger := range []string{"postgis", "my_postgis", "ledger", `the postgis.ledger`} {
		if err := loader.NewLedger(s.pool, ledger).MigrateUp(context.Background()); err != nil {
			t.Fatal(err)
		}

		quoted := pgx.Identifier{ledger}.Sanitize()
		if got := queryOne[string](t, s.pool, helperKinds, quoted); got != allHelpers {
			t.Errorf("functions in %s: %s, want %s", ledger, got, allHelpers)
		}

		s.exec(`insert into ` + quoted + `.runs (schema_name, table_name, staging_name, job, fingerprint, chunks, rows, state, table_oid, version)
			values ('pg_catalog', 'pg_class', '', '{"grid": {"x0": 10, "y0": 20, "dx": 2, "dy": 3, "srid": 3857}}', '', 1, 1, 'published', 'pg_class'::regclass, '')`)
		got := queryOne[int64](t, s.pool, `select `+quoted+`.cell_at('pg_class', "a ledger".st_setsrid("a ledger".st_makepoint(15, 27), 3857))`)
		if want := geomgen.CellID(geomgen.Cell{Col: 2, Row: 2}); got != want {
			t.Errorf("%s: the point is in cell_id %d, want %d", ledger, got, want)
		}
	}

	for _, other := range []string{"public", `"a ledger"`} {
		if got := queryOne[string](t, s.pool, helperKinds, other); got != "none" {
			t.Errorf("unexpected functions in %s: %s", other, got)
		}
	}
}

// The ledger can be made before PostGIS is installed, but loadgrid reports it.
func TestHelpersWithoutPostGIS(t *testing.T) {
	s := newDatabaseSandbox(t)
	s.exec("drop extension postgis cascade")
	var notices []string
	pool := openPool(t, s.dsn, func(c *pgxpool.Config) {
		c.ConnConfig.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Message) }
	})
	if err := loader.NewLedger(pool, "loadgrid").MigrateUp(context.Background()); err != nil {
		t.Fatal(err)
	}

	withoutGeometries := strings.NewReplacer("cell_at/2 ss, ", "", "cell_geom/2 ss, cell_geom/3 is, ", "", "cells/2 ss, cells/5 is, ", "", "parents_of/2 ss, ", "",
		", points_outside/4 sr, points_per_cell/5 sr, points_per_cell_query/5 ss", "").Replace(allHelpers)
	if got, want := queryOne[string](t, s.pool, helperKinds, "loadgrid"), withoutGeometries; got != want {
		t.Errorf("functions: %s, want %s", got, want)
	}
	if all := strings.Join(notices, "; "); !strings.Contains(all, "PostGIS is not in this database") {
		t.Errorf("notices: %q", all)
	}
}
