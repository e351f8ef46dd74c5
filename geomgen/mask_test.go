package geomgen_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// maskGrids returns grids of each shape, with representable and other origins and sizes.
func maskGrids() map[string]geomgen.Grid {
	return map[string]geomgen.Grid{
		"unit":           {DX: 1, DY: 1},
		"tenth":          {DX: 0.1, DY: 0.1},
		"oblong":         {X0: -180, Y0: 7.3, DX: 0.3, DY: 0.7},
		"metres":         {DX: 1000, DY: 1000, SRID: 3035},
		"turned":         {DX: 1, DY: 1, Rotate: 30},
		"turned right":   {X0: 5, Y0: -3, DX: 0.1, DY: 0.2, Rotate: 90},
		"flat":           {DX: 1, DY: 1, Shape: geomgen.HexagonFlat},
		"pointy":         {X0: 0.1, Y0: 0.2, DX: 0.1, DY: 0.1, Shape: geomgen.HexagonPointy},
		"turned hexagon": {DX: 1, DY: 1, Shape: geomgen.HexagonFlat, Rotate: 12.5},
		"tiles":          geomgen.Tiles(4),
	}
}

// The walk and Contains must both agree with fractions for each cell near random polygons.
func TestMaskAgainstFractions(t *testing.T) {
	for name, g := range maskGrids() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := testrand.New(t, 700+uint64(len(name)))
			for n := range 12 {
				polygons := oracle.Polygons(rng, g, n%2 == 0)
				for _, rule := range []geomgen.Rule{geomgen.Intersects, geomgen.Within, geomgen.Centroid, geomgen.Overlaps} {
					checkMask(t, g, polygons, rule)
				}
			}
		})
	}
}

func checkMask(t *testing.T, g geomgen.Grid, polygons []geomgen.Polygon, rule geomgen.Rule) {
	t.Helper()
	m, err := geomgen.NewMask(g, polygons, rule)
	if err != nil {
		t.Fatal(err)
	}

	r, err := g.Around(m.Bounds())
	if err != nil {
		t.Fatal(err)
	}

	s, err := geomgen.Select(context.Background(), r, m)
	if err != nil {
		t.Fatal(err)
	}

	walked := map[geomgen.Cell]bool{}
	edge := map[geomgen.Cell]bool{}
	order := geomgen.NewBlockOrder()
	var ids []int64

	w := s.Walk(0, geomgen.MaxID)
	for b, ok := w.Next(); ok; b, ok = w.Next() {
		for i, off := range order.Offsets(b) {
			c := geomgen.Cell{Col: b.Col + int32(off&15), Row: b.Row + int32(off>>4)}
			if walked[c] {
				t.Fatalf("cell %v comes twice", c)
			}
			walked[c], edge[c] = true, w.Edge()
			ids = append(ids, b.ID+int64(i))
		}
	}

	if int64(len(ids)) != s.Count() {
		t.Fatalf("%d cells walked, %d counted", len(ids), s.Count())
	}

	for i, id := range ids {
		if i > 0 && id <= ids[i-1] {
			t.Fatalf("cell_id %d comes after %d", id, ids[i-1])
		}
		if at := s.At(int64(i)); at != id {
			t.Fatalf("At(%d) = %d, walked %d", i, at, id)
		}
	}

	area := oracle.NewArea(polygons)
	for col := r.MinCol; col < r.MaxCol; col++ {
		for row := r.MinRow; row < r.MaxRow; row++ {
			c := geomgen.Cell{Col: col, Row: row}
			corners := g.AppendCorners(nil, c)
			want := area.Selects(g, c, rule)

			if got := walked[c]; got != want || s.Contains(c) != want {
				t.Fatalf("%s: cell %v: walked %v, contains %v, want %v\narea %v", rule, c, got, s.Contains(c), want, polygons)
			}
			if walked[c] && !edge[c] && !area.Covers(corners) {
				t.Fatalf("%s: Edge is false for cell %v, but the area does not cover it", rule, c)
			}
		}
	}
}

// A tile as PostGIS writes it touches the eight tiles around it and overlaps only itself.
func TestTileAsArea(t *testing.T) {
	g := geomgen.Tiles(13)
	tile := geomgen.Polygon{ringOf(1017529.7205322646, 6232369.53826013, 1017529.7205322646, 6237261.508070383,
		1022421.6903425194, 6237261.508070383, 1022421.6903425194, 6232369.53826013)}
	for rule, want := range map[geomgen.Rule]int64{geomgen.Intersects: 9, geomgen.Within: 1, geomgen.Centroid: 1, geomgen.Overlaps: 1} {
		m, err := geomgen.NewMask(g, []geomgen.Polygon{tile}, rule)
		if err != nil {
			t.Fatal(err)
		}

		s, err := geomgen.Select(t.Context(), g.World(), m)
		if err != nil {
			t.Fatal(err)
		}
		if s.Count() != want || !s.Contains(geomgen.Cell{Col: 4304, Row: 2821}) {
			t.Errorf("%s: %d cells in %+v, want %d", rule, s.Count(), s.Range(), want)
		}
	}
}

// The part from Clip has the same area as a simpler method gives: clipping the whole polygon by one side of the
// cell after another.
func TestClipArea(t *testing.T) {
	for name, g := range maskGrids() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := testrand.New(t, 1100+uint64(len(name)))
			for n := range 12 {
				polygons := oracle.Polygons(rng, g, n%2 == 0)
				if err := checkClip(g, polygons); err != nil {
					t.Fatalf("%v\narea %v", err, polygons)
				}
			}
		})
	}
}

func checkClip(g geomgen.Grid, polygons []geomgen.Polygon) error {
	m, err := geomgen.NewMask(g, polygons, geomgen.Intersects)
	if err != nil {
		return err
	}

	r, err := g.Around(m.Bounds())
	if err != nil {
		return err
	}

	clipper := geomgen.NewClipper(m)
	for col := r.MinCol; col < r.MaxCol; col++ {
		for row := r.MinRow; row < r.MaxRow; row++ {
			c := geomgen.Cell{Col: col, Row: row}
			part, err := clipper.Clip(c)
			if err != nil {
				return err
			}

			corners := g.AppendCorners(nil, c)
			whole := area(corners)
			var want float64
			for _, p := range polygons {
				for k, ring := range p {
					a := math.Abs(cutArea(ring, corners)) / whole
					if k > 0 {
						a = -a
					}
					want += a
				}
			}

			if math.Abs(part.Share-want) > 1e-9 {
				return fmt.Errorf("cell %v: share %g, want %g", c, part.Share, want)
			}

			var rings float64
			for _, ring := range part.Rings {
				rings += area(ring[:len(ring)-1])
			}
			if len(part.Rings) > 0 && math.Abs(rings/whole-want) > 1e-9 {
				return fmt.Errorf("cell %v: rings have %g of it, want %g", c, rings/whole, want)
			}

			var shells []geomgen.Polygon
			for i, from := range part.Shells {
				to := len(part.Rings)
				if i+1 < len(part.Shells) {
					to = part.Shells[i+1]
				}
				shells = append(shells, part.Rings[from:to])
			}

			if err := geomgen.CheckPolygons(shells); err != nil {
				return fmt.Errorf("cell %v: the part is not valid: %w: %v", c, err, shells)
			}
		}
	}

	return nil
}

func area(ring []geomgen.Point) float64 {
	var sum float64
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += (p.X-ring[0].X)*(q.Y-ring[0].Y) - (p.Y-ring[0].Y)*(q.X-ring[0].X)
	}
	return sum / 2
}

// cutArea returns the area of a ring within a convex cell. Source: I. Sutherland
// and G. Hodgman, Reentrant Polygon Clipping, CACM 17 (1974).
func cutArea(ring, cell []geomgen.Point) float64 {
	ring = ring[:len(ring)-1]
	for i, a := range cell {
		b := cell[(i+1)%len(cell)]
		height := func(p geomgen.Point) float64 { return (b.X-a.X)*(p.Y-a.Y) - (b.Y-a.Y)*(p.X-a.X) }
		var cut []geomgen.Point
		for k, p := range ring {
			q := ring[(k+1)%len(ring)]
			hp, hq := height(p), height(q)
			if hp >= 0 {
				cut = append(cut, p)
			}
			if hp < 0 != (hq < 0) {
				f := hp / (hp - hq)
				cut = append(cut, geomgen.Point{X: p.X + f*(q.X-p.X), Y: p.Y + f*(q.Y-p.Y)})
			}
		}

		if ring = cut; len(ring) < 3 {
			return 0
		}
	}

	return area(ring)
}

// Decisions in which PostGIS 3.3 with GEOS 3.11 is wrong in the last bit, as found by TestMaskAgainstPostGIS of
// the integration tests.
func TestWherePostGISErrs(t *testing.T) {
	f, err := os.Open("testdata/postgis_errs.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	n := 0
	for d := json.NewDecoder(f); ; n++ {
		var c oracle.Case
		if err := d.Decode(&c); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}

		m, err := geomgen.NewMask(c.Grid, c.Area, c.Rule)
		if err != nil {
			t.Fatal(err)
		}

		if got := m.Contains(c.Cell); got != c.Want {
			t.Errorf("case %d: %s of cell %v is %v, want %v", n+1, c.Rule, c.Cell, got, c.Want)
		}
		if truth := oracle.NewArea(c.Area).Selects(c.Grid, c.Cell, c.Rule); truth != c.Want {
			t.Errorf("case %d: fractions say %v, the file says %v", n+1, truth, c.Want)
		}
	}

	if n < 5 {
		t.Errorf("only %d cases", n)
	}
}
