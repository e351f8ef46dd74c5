package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/integration/pgtest"
	"github.com/loadgrid/loadgrid/internal/testrand"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/job"
)

// The grid of the story; PostGIS compares each of its 800,000 boxes.
func TestLoadTheStorysGrid(t *testing.T) {
	s := newSandbox(t)
	out := mustCLI(t, s.dsn, s.load("grid", "--cell-size", "1", "--cols", "1000", "--rows", "800")...)
	// The summary omits a stage that took no time: on a fast machine, analyze or publish.
	for _, word := range []string{"800,000 rows", "plan", "load", "index", "rows/s", "heap", "indexes", "WAL"} {
		if !strings.Contains(out, word) {
			t.Errorf("the summary lacks %q:\n%s", word, out)
		}
	}

	s.checkBoxes("grid", 1000, 800)
	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")+" where cell_id >= 1 << 20"); n != 0 {
		t.Errorf("%d ids are 2^20 or more", n)
	}

	comment := queryOne[string](t, s.pool, "select obj_description(oid, 'pg_constraint') from pg_constraint where conrelid = $1::regclass and contype = 'p'", s.name("grid"))
	if !strings.Contains(comment, "loadgrid") {
		t.Errorf("the comment of the primary key is %q", comment)
	}
	if comment := queryOne[*string](t, s.pool, "select obj_description($1::regclass, 'pg_class')", s.name("grid")); comment != nil {
		t.Errorf("the table's comment belongs to the user, but it is %q", *comment)
	}

	names := queryOne[string](t, s.pool, "select string_agg(indexname, ' ' order by 1) from pg_indexes where schemaname = $1", s.schema)
	if !strings.Contains(names, "grid_geom_idx") || !strings.Contains(names, "grid_pkey") {
		t.Errorf("indexes %s", names)
	}
}

// PostGIS's own grid is the oracle: it has the same cells, whose interior meets the interior of the extent,
// with the same corners. The bounds of the extents are not on grid lines, where ST_SquareGrid would add a
// row and a column that only touch.
func TestCellsAreThoseOfSquareGrid(t *testing.T) {
	s := newSandbox(t)
	rng := testrand.New(t, 2026)
	for i := range 12 {
		size := []float64{0.5, 1, 7, 1000, 0.1, 1.0 / 3}[i%6]
		e := geomgen.Box{XMin: (rng.Float64() - 0.7) * 60 * size, YMin: (rng.Float64() - 0.7) * 60 * size}
		e.XMax, e.YMax = e.XMin+rng.Float64()*50*size, e.YMin+rng.Float64()*50*size
		table := fmt.Sprintf("grid%d", i)
		mustCLI(t, s.dsn, s.load(table, "--cell-size", fmt.Sprint(size), "--srid", "3857", "--extent", e.String())...)

		differ := queryOne[int64](t, s.pool, `
			with oracle as (select i, j, geom from st_squaregrid($1, st_makeenvelope($2, $3, $4, $5, 3857)))
			select count(*) from oracle o full join `+s.name(table)+` g on (g.col, g.row) = (o.i, o.j)
			where o.i is null or g.col is null or st_srid(g.geom) <> 3857 or st_ndims(g.geom) <> 2
			   or abs(st_xmin(g.geom) - st_xmin(o.geom)) + abs(st_ymin(g.geom) - st_ymin(o.geom))
			    + abs(st_xmax(g.geom) - st_xmax(o.geom)) + abs(st_ymax(g.geom) - st_ymax(o.geom)) > 1e-12 * $1 * 100`,
			size, e.XMin, e.YMin, e.XMax, e.YMax)
		if differ != 0 {
			t.Errorf("size %g, extent %s: %d cells differ from ST_SquareGrid's", size, e, differ)
		}
	}
}

// A grid over all four quadrants: shared edges must be equal to the bit, and ids must equal the
// library's.
func TestNegativeCells(t *testing.T) {
	s := newSandbox(t)
	mustCLI(t, s.dsn, s.load("grid", "--cell-size", "0.1,0.3", "--origin", "0.05,-0.1", "--srid", "4326", "--extent", "-4,-5,3,6", "--chunk-rows", "100")...)
	broken := queryOne[int64](t, s.pool, `
		select count(*) from `+s.name("grid")+` a join `+s.name("grid")+` b
		on b.col = a.col + 1 and b.row = a.row and st_xmax(a.geom) <> st_xmin(b.geom)
		or b.row = a.row + 1 and b.col = a.col and st_ymax(a.geom) <> st_ymin(b.geom)`)
	if broken != 0 {
		t.Errorf("%d pairs of neighbours do not share their edge", broken)
	}

	rows, err := s.pool.Query(context.Background(), "select cell_id, col, row, st_asewkb(geom, 'NDR') from "+s.name("grid"))
	if err != nil {
		t.Fatal(err)
	}

	g := geomgen.Grid{X0: 0.05, Y0: -0.1, DX: 0.1, DY: 0.3, SRID: 4326}
	var id int64
	var c geomgen.Cell
	var ewkb []byte
	n := 0
	_, err = pgx.ForEachRow(rows, []any{&id, &c.Col, &c.Row, &ewkb}, func() error {
		if n++; geomgen.CellID(c) != id || string(geomgen.AppendBox(nil, g.Bounds(c), 4326)) != string(ewkb) {
			t.Fatalf("cell %v with id %d holds %x", c, id, ewkb)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d rows read: %v", n, err)
	}
	s.checkCells("grid", int64(n))
}

// PostgreSQL itself reads each constant as a literal of its type: the column must have the same value.
func TestConstantColumns(t *testing.T) {
	s := newSandbox(t)
	constants := map[string]string{
		"text": "grün 'n' \"q\" \\ \n", "boolean": "yes", "bool": "f", "smallint": "-7", "int2": "32767", "integer": "2026", "int": "0", "int4": "-2147483648",
		"bigint": "9223372036854775807", "int8": "1", "real": "1.5e-3", "float4": "NaN", "double precision": "0.1", "float8": "-Infinity",
		"numeric": "12345678901234567890.1200", "date": "2026-02-28", "timestamp": "2026-02-28 12:34:56.789012",
		"timestamptz": "2026-02-28 12:34:56+02", "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
		"json": `{"a": 12345678901234567890}`, "jsonb": `{"b": [1, 12345678901234567890.5]}`,
	}

	args := s.load("grid", "--cell-size", "1", "--cols", "3", "--rows", "2", "--set", "plain=x")
	for _, name := range job.ConstantTypes() {
		value, ok := constants[name]
		if !ok {
			t.Fatalf("this test has no value of type %s", name)
		}
		args = append(args, "--set", "c "+name+":"+name+"="+value)
	}

	mustCLI(t, s.dsn, args...)
	s.checkBoxes("grid", 3, 2)
	for name, value := range constants {
		column := pgx.Identifier{"c " + name}.Sanitize()
		// As text, so that NaN and json can be compared.
		same := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")+" where "+column+"::text = $1::text::"+name+"::text", value)
		if same != 6 {
			t.Errorf("%s %q: %d of 6 rows hold it, they hold %q", name, value, same, queryOne[string](t, s.pool, "select "+column+"::text from "+s.name("grid")+" limit 1"))
		}
		if got := queryOne[bool](t, s.pool, "select pg_typeof("+column+") = $1::regtype from "+s.name("grid")+" limit 1", name); !got {
			t.Errorf("column %s has another type", column)
		}
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")+" where plain = 'x'"); n != 6 {
		t.Errorf("a constant without a type: %d of 6 rows hold it", n)
	}
}

// Names that need quotes, in every place that accepts a name.
func TestNames(t *testing.T) {
	s := newSandbox(t)
	long := strings.Repeat("Ä", 31) + "x" // 63 bytes
	for _, name := range []string{`a "quoted" name`, "With Spaces", "CamelCase", "räume-größe", "select", `'; drop table x; --`, "a.b", long, "1st", `\`, "%s%d"} {
		schema := pgx.Identifier{"S " + name[:min(len(name), 20)] + s.schema}.Sanitize()
		schemaName := strings.ReplaceAll(schema[1:len(schema)-1], `""`, `"`)
		if strings.ToValidUTF8(schemaName, "") != schemaName {
			schemaName = "S " + s.schema
			schema = pgx.Identifier{schemaName}.Sanitize()
		}

		s.exec("create schema if not exists " + schema)
		table := pgx.Identifier{schemaName, name}.Sanitize()
		args := []string{"load", "--table", pgx.Identifier{schemaName}.Sanitize() + "." + pgx.Identifier{name}.Sanitize(), "--ledger-schema", schemaName,
			"--cell-size", "1", "--cols", "4", "--rows", "4", "--geom-column", name, "--chunk-rows", "5"}
		mustCLI(t, s.dsn, append(args, "--set", strings.ReplaceAll("x"+name, "Ä", "")+"=v")...)
		mustCLI(t, s.dsn, append(args, "--if-exists", "replace", "--id-column", "id"+strings.ReplaceAll(name, "Ä", ""))...)
		if n := queryOne[int64](t, s.pool, "select count("+pgx.Identifier{name}.Sanitize()+") from "+table); n != 16 {
			t.Errorf("%s has %d rows, want 16", table, n)
		}
		s.exec("drop schema " + schema + " cascade")
	}
}

// The file that dump writes is valid for COPY and contains what load loads.
func TestDumpIsWhatLoadLoads(t *testing.T) {
	s := newSandbox(t)
	grid := []string{"--cell-size", "250", "--srid", "3035", "--extent", "-1000,-1000,20000,31000", "--set", "year:integer=2026"}
	file := filepath.Join(t.TempDir(), "grid.copy")
	mustCLI(t, s.dsn, append([]string{"dump", "--out", file}, grid...)...)
	mustCLI(t, s.dsn, s.load("grid", grid...)...)
	s.exec("create table " + s.name("dumped") + " (cell_id bigint, col integer, row integer, geom geometry(Polygon, 3035), year integer)")
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	conn, err := pgx.Connect(context.Background(), s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.PgConn().CopyFrom(context.Background(), f, "copy "+s.name("dumped")+" from stdin (format binary)"); err != nil {
		t.Fatal(err)
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from "+s.name("grid")+" g join "+s.name("dumped")+
		" d using (cell_id, col, row, year) where st_asewkb(g.geom) = st_asewkb(d.geom)"); n != 84*128 {
		t.Errorf("%d rows are equal, want %d", n, 84*128)
	}
}

// The estimated sizes follow from the layout of PostgreSQL's pages.
func TestEstimatesAreClose(t *testing.T) {
	s := newSandbox(t)
	pool, err := loader.Open(context.Background(), s.dsn, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()

	area := &loader.Area{Polygons: []geomgen.Polygon{{{{X: 3, Y: 3}, {X: 499000, Y: 8}, {X: 480000, Y: 590000}, {X: 3, Y: 3}}}}}
	for name, job := range map[string]loader.Job{
		"squares":  {Grid: geomgen.Grid{DX: 1, DY: 1, SRID: 3857}, Cols: 500, Rows: 600, Set: []loader.Constant{{Name: "year", Type: "integer", Value: "2026"}}},
		"hexagons": {Grid: geomgen.Grid{DX: 1, DY: 1, Shape: geomgen.HexagonFlat}, Cols: 300, Rows: 200},
		"points":   {Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 300, Rows: 200, Geometry: geomgen.AsPoint, Index: loader.IndexNone},
		"codes":    {Grid: geomgen.Grid{DX: 1000, DY: 1000, SRID: 3035}, Cols: 400, Rows: 300, Code: geomgen.INSPIRE, CodeIndex: true},
		"cut":      {Grid: geomgen.Grid{DX: 1000, DY: 1000}, Area: area, Coverage: true, Clip: true},
	} {
		job.Table, job.LedgerSchema = loader.Table{Schema: s.schema, Name: name}, s.schema
		p, err := loader.NewPlan(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}

		if p, err = loader.ForServer(t.Context(), pool, p); err != nil {
			t.Fatal(err)
		}
		server, known := p.Server()
		if newer := pgtest.VersionOf(t, pool).PostGIS >= 303; !known || server.SortsGiST != newer {
			t.Errorf("the plan's knowledge of the server: %+v, %v", server, known)
		}

		summary, err := loader.Run(context.Background(), pool, job, loader.Options{})
		if err != nil {
			t.Fatal(err)
		}

		e := p.Estimate()
		near := func(what string, estimate, actual int64) {
			t.Helper()
			if ratio := float64(estimate) / float64(actual); ratio < 0.9 || ratio > 1.1 {
				t.Errorf("%s, %s: estimated %d, actual %d", name, what, estimate, actual)
			}
		}
		near("heap", e.HeapBytes, summary.HeapBytes)
		near("indexes", e.IndexBytes, summary.IndexBytes)
	}
}

// openPool opens a pool for tests that use the library with their own configuration.
func openPool(t *testing.T, dsn string, change func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}

	config.MaxConns = 8
	if change != nil {
		change(config)
	}

	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(pool.Close)
	return pool
}
