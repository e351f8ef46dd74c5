package integration

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// TestParentsOfWindowsInSQL compares parents_of with the boxes of all cells around a window.
func TestParentsOfWindowsInSQL(t *testing.T) {
	s := newLedgerSandbox(t)
	rng := testrand.New(t, 2026)

	for _, g := range []geomgen.Grid{
		{DX: 1, DY: 1},
		{X0: 0.1, Y0: -7.3, DX: 0.1, DY: 0.3},
		{X0: 4321000, Y0: 3210000, DX: 1000, DY: 250},
		{X0: -0.5, Y0: 0.25, DX: 0.75, DY: 0.75, Shape: geomgen.HexagonFlat},
		{X0: 1e6, Y0: -2e6, DX: 33.3, DY: 33.3, Shape: geomgen.HexagonPointy},
		geomgen.Tiles(3),
		geomgen.Tiles(9),
		{X0: 3, Y0: 4, DX: 2, DY: 1, Rotate: 30},
		{X0: 3, Y0: 4, DX: 2, DY: 2, Rotate: -100.5, Shape: geomgen.HexagonFlat},
	} {
		for range 60 {
			levels := 1 + rng.IntN(5)
			w := randomWindow(rng, g)
			checkParents(t, s, g, levels, w)
		}
	}

	for call, words := range map[string]string{
		`parents_of('{"x0":0,"y0":0,"dx":1}', 1, 0, 0, 1, 1)`:                           "is no grid",
		`parents_of('{"x0":0,"y0":0,"dx":1,"dy":1}', 0, 0, 0, 1, 1)`:                    "1 to 30 levels",
		`parents_of('{"x0":0,"y0":0,"dx":1,"dy":1}', 31, 0, 0, 1, 1)`:                   "1 to 30 levels",
		`parents_of('{"x0":0,"y0":0,"dx":1,"dy":1}', 1, 0, 0, 1e6, 1e6)`:                "too many",
		`parents_of('{"x0":0,"y0":0,"dx":1,"dy":1,"shape":"round"}', 1, 0, 0, 1, 1)`:    "no shape round",
		`parents_of('{"x0":0,"y0":0,"dx":1e300,"dy":1}', 1, 0, 0, 1, 1)`:                "too many",
		`parents_of('pg_class', ` + s.postgis() + `.st_makeenvelope(0, 0, 1, 1))`:       "pg_class",
		`parents_of('{"x0":0,"y0":0,"dx":1,"dy":1}', 1, '-infinity', 0, 'infinity', 1)`: "too many",
	} {
		s.checkRefused("select "+pgx.Identifier{s.schema}.Sanitize()+"."+call, words)
	}
}

// postgis returns the schema of PostGIS, for SQL.
func (s sandbox) postgis() string {
	s.t.Helper()
	return queryOne[string](s.t, s.pool, "select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'postgis'")
}

// randomWindow returns a box of some cells. Its edges often lie on edges of cells, where the last bit
// decides.
func randomWindow(rng *rand.Rand, g geomgen.Grid) geomgen.Box {
	cell := func() geomgen.Cell {
		if g.Shape == geomgen.XYZ {
			side := int64(g.World().MaxCol)
			return geomgen.Cell{Col: int32(rng.Int64N(side)), Row: int32(rng.Int64N(side))}
		}
		return geomgen.Cell{Col: int32(rng.IntN(60)) - 30, Row: int32(rng.IntN(60)) - 30}
	}

	a := cell()
	b := geomgen.Cell{Col: a.Col + int32(rng.IntN(9)), Row: a.Row + int32(rng.IntN(9))}
	from, to := g.Bounds(a), g.Bounds(b)
	w := geomgen.Box{XMin: math.Min(from.XMin, to.XMin), YMin: math.Min(from.YMin, to.YMin), XMax: math.Max(from.XMax, to.XMax), YMax: math.Max(from.YMax, to.YMax)}

	for _, f := range []*float64{&w.XMin, &w.YMin, &w.XMax, &w.YMax} {
		switch rng.IntN(4) {
		case 0:
			*f = math.Nextafter(*f, math.Inf(1))
		case 1:
			*f = math.Nextafter(*f, math.Inf(-1))
		case 2:
			*f += (rng.Float64() - 0.5) * g.DX
		}
	}

	w.XMin, w.XMax = math.Min(w.XMin, w.XMax), math.Max(w.XMin, w.XMax)
	w.YMin, w.YMax = math.Min(w.YMin, w.YMax), math.Max(w.YMin, w.YMax)

	return w
}

func checkParents(t *testing.T, s sandbox, g geomgen.Grid, levels int, w geomgen.Box) {
	t.Helper()
	grid, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}

	var got []int64
	err = s.pool.QueryRow(context.Background(), "select "+s.name("parents_of")+"($1::jsonb, $2, $3, $4, $5, $6)", string(grid), levels, w.XMin, w.YMin, w.XMax, w.YMax).Scan(&got)
	if err != nil {
		t.Fatalf("parents of %v in %s: %v", w, grid, err)
	}

	around, err := g.Around(w)
	if err != nil {
		t.Fatal(err)
	}

	// The bounding boxes of turned cells extend further than the cells.
	around.MinCol, around.MinRow, around.MaxCol, around.MaxRow = around.MinCol-4, around.MinRow-4, around.MaxCol+4, around.MaxRow+4
	around = around.Intersect(g.World())

	found := map[int64]bool{}
	for col := around.MinCol; col < around.MaxCol; col++ {
		for row := around.MinRow; row < around.MaxRow; row++ {
			c := geomgen.Cell{Col: col, Row: row}
			if b := g.Bounds(c); b.XMin <= w.XMax && b.XMax >= w.XMin && b.YMin <= w.YMax && b.YMax >= w.YMin {
				found[geomgen.CellID(c)>>(2*levels)] = true
			}
		}
	}

	var want []int64
	for parent := range found {
		want = append(want, parent)
	}
	slices.Sort(want)

	missing := slices.ContainsFunc(want, func(p int64) bool { return !slices.Contains(got, p) })
	if exact := g.Rotate == 0; missing || exact && len(got) != len(want) || !slices.IsSorted(got) {
		t.Errorf("parents %d levels above of %v in %s are\n%v, want\n%v", levels, w, grid, got, want)
	}
}
