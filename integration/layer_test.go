package integration

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// The pairs of cells and features and their shares match PostGIS, by each rule: for Voronoi cells, for
// overlapping polygons, and for lots with borders on grid lines. If PostGIS differs, exact fractions
// decide, as for masks.
func TestLayerAgainstPostGIS(t *testing.T) {
	s := newSandbox(t)
	rng := testrand.New(t, 8112)
	rules := []geomgen.Rule{geomgen.Overlaps, geomgen.Intersects, geomgen.Within, geomgen.Centroid}
	pairs, differ := 0, 0
	for n := range 12 {
		for k, g := range maskGrids() {
			features := s.features(rng, g, n)
			p, d := s.compareLayer(g, features, rules[(n/3+k)%len(rules)])
			pairs, differ = pairs+p, differ+d
		}
	}

	t.Logf("%d decisions; PostGIS differs in %d, and is wrong in each", pairs, differ)
	if pairs < 50000 {
		t.Errorf("only %d decisions were compared", pairs)
	}
	if differ*1000 > pairs {
		t.Errorf("PostGIS differs in %d of %d decisions, more than its rounding explains", differ, pairs)
	}
}

// features returns some features near cell (0, 0) of a grid.
func (s sandbox) features(rng *rand.Rand, g geomgen.Grid, n int) [][]geomgen.Polygon {
	s.t.Helper()
	var polygons []geomgen.Polygon
	var features [][]geomgen.Polygon
	centre := g.Centre(geomgen.Cell{})
	switch n % 3 {
	case 0:
		polygons = s.voronoi(rng, centre, 4*max(g.DX, g.DY), 12)
	case 1:
		for range 5 {
			features = append(features, oracle.Polygons(rng, g, rng.IntN(2) == 0))
		}
		return features
	default: // lots, with corners on corners of cells
		for _, lot := range lots(rng, -4, -4, 4, 4, 3) {
			var ring []geomgen.Point
			for _, p := range lot[0] {
				at := geomgen.Cell{Col: int32(math.Round(p.X)), Row: int32(math.Round(p.Y))}
				if g.Shape == geomgen.XYZ {
					at.Col, at.Row = at.Col+5, 5-at.Row
				}
				ring = append(ring, g.AppendCorners(nil, at)[0])
			}
			polygons = append(polygons, geomgen.Polygon{ring})
		}
	}

	for i := range polygons {
		if geomgen.CheckPolygons(polygons[i:i+1]) == nil {
			features = append(features, polygons[i:i+1])
		}
	}
	return features
}

// compareLayer compares the pairs of a layer. It returns how many decisions it checked, and in how many
// of them PostGIS is wrong.
func (s sandbox) compareLayer(g geomgen.Grid, features [][]geomgen.Polygon, rule geomgen.Rule) (decisions, differ int) {
	s.t.Helper()
	l, err := geomgen.NewLayer(s.t.Context(), g, features, rule)
	if err != nil {
		s.t.Fatal(err)
	}

	// At most 20 cells in each direction: Voronoi cells at the border are large.
	near := geomgen.Range{MinCol: -10, MinRow: -10, MaxCol: 10, MaxRow: 10}
	if g.Shape == geomgen.XYZ {
		near = g.World()
	}
	r, err := g.AroundIn(near, l.Bounds())
	if err != nil {
		s.t.Fatal(err)
	}

	shares := pairShares(s.t, r, l)
	cells, shapes, centres := cellsOf(g, r)
	var areas [][]byte
	for _, f := range features {
		areas = append(areas, areaEWKB(f, g.SRID))
	}

	rows, err := s.pool.Query(context.Background(), `
		select n, m, case $4 when 'intersects' then st_intersects(a, c) when 'within' then st_covers(a, c)
			when 'centroid' then st_intersects(a, p) else st_relate(a, c, 'T********') end,
			st_area(st_intersection(a, c)) / st_area(c)
		from (select n, st_geomfromewkb(c) c, st_geomfromewkb(p) p from unnest($1::bytea[], $2::bytea[]) with ordinality u (c, p, n)) cells,
			(select m, st_geomfromewkb(a) a from unnest($3::bytea[]) with ordinality u (a, m)) features`, shapes, centres, areas, string(rule))
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()

	for rows.Next() {
		var n, m int64
		var said bool
		var share float64
		if err := rows.Scan(&n, &m, &said, &share); err != nil {
			s.t.Fatal(err)
		}

		decisions++
		c, feature := cells[n-1], int32(m-1)
		ours, selected := shares[pair{c, feature}]
		if selected && math.Abs(ours-share) > 1e-8 {
			s.t.Fatalf("cell %v of %+v: feature %d has a share of %v, PostGIS says %v: %v", c, g, feature, ours, share, features)
		}
		if selected == said {
			continue
		}

		differ++
		if truth := oracle.NewArea(features[feature]).Selects(g, c, rule); truth != selected {
			s.t.Fatalf("%s, cell %v of %+v: PostGIS says %v, fractions say %v, the layer %v: %v", rule, c, g, said, truth, selected, features[feature])
		}
	}

	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return decisions, differ
}

// pair is a cell and a feature.
type pair struct {
	cell    geomgen.Cell
	feature int32
}

// pairShares returns the pairs of a walk, with their shares.
func pairShares(t *testing.T, r geomgen.Range, l *geomgen.Layer) map[pair]float64 {
	t.Helper()
	sel, err := geomgen.SelectPairs(t.Context(), r, l)
	if err != nil {
		t.Fatal(err)
	}

	shares := map[pair]float64{}
	order := geomgen.NewBlockOrder()
	w := sel.Walk(0, geomgen.MaxID)
	for b, ok := w.Next(); ok; b, ok = w.Next() {
		for _, off := range order.Offsets(b) {
			for _, o := range w.Owners() {
				shares[pair{geomgen.Cell{Col: b.Col + int32(off&15), Row: b.Row + int32(off>>4)}, o.Feature}] = o.Share
			}
		}
	}

	if int64(len(shares)) != sel.Count() {
		t.Fatalf("the walk has %d pairs, the count is %d", len(shares), sel.Count())
	}
	return shares
}
