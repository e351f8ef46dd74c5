package geomgen_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// allRules are the rules of areas.
var allRules = [...]geomgen.Rule{geomgen.Intersects, geomgen.Within, geomgen.Centroid, geomgen.Overlaps}

// Features that overlap, touch and share borders, on and near lines of the grid: the pairs of a walk, their
// shares and the owners of cells equal the ones computed in fractions.
func TestLayer(t *testing.T) {
	for name, g := range maskGrids() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := testrand.New(t, 2300+uint64(len(name)))
			for n := range 4 {
				features := randomFeatures(rng, g, n)
				if err := checkLayer(g, features, allRules[(n+len(name))%len(allRules)]); err != nil {
					t.Fatalf("%d: %v\nfeatures %v", n, err, features)
				}
			}
		})
	}
}

// randomFeatures returns some features near cell (0, 0).
func randomFeatures(rng *rand.Rand, g geomgen.Grid, n int) [][]geomgen.Polygon {
	var features [][]geomgen.Polygon
	if n%2 == 0 {
		for range 2 + rng.IntN(4) {
			features = append(features, oracle.Polygons(rng, g, rng.IntN(2) == 0))
		}
		return append(features, nil, features[rng.IntN(len(features))])
	}

	// A partition, whose corners are corners of cells if n is 3, 7 ...
	const side = 4
	centre := g.Centre(geomgen.Cell{})
	at := map[[2]int]geomgen.Point{}
	for x := range side + 1 {
		for y := range side + 1 {
			p := geomgen.Point{X: centre.X + (float64(x)-2+0.6*rng.Float64())*1.7*g.DX, Y: centre.Y + (float64(y)-2+0.6*rng.Float64())*1.7*g.DY}
			if n%4 == 3 {
				corners := g.AppendCorners(nil, geomgen.Cell{Col: int32(2 * x), Row: int32(2 * y)})
				p = corners[0]
			}
			at[[2]int{x, y}] = p
		}
	}

	for x := range side {
		for y := range side {
			a, b, c, d := at[[2]int{x, y}], at[[2]int{x + 1, y}], at[[2]int{x + 1, y + 1}], at[[2]int{x, y + 1}]
			for _, ring := range [][]geomgen.Point{{a, b, c, a}, {a, c, d, a}} {
				if p := []geomgen.Polygon{{ring}}; geomgen.CheckPolygons(p) == nil {
					features = append(features, p)
				}
			}
		}
	}
	return features
}

// cellTruth is the result for a cell in fractions.
type cellTruth struct {
	owners   []geomgen.Owner
	by       map[geomgen.AttributeRule]int32
	combined *big.Rat // the sum of all shares
}

// nearest returns the number nearest to a share. It returns 0 and 1 only for exactly these.
func nearest(share *big.Rat) float64 {
	f, _ := share.Float64()
	if share.Sign() > 0 {
		f = max(f, math.SmallestNonzeroFloat64)
	}
	if share.Cmp(big.NewRat(1, 1)) < 0 {
		f = min(f, math.Nextafter(1, 0))
	}
	return f
}

func judgeCell(g geomgen.Grid, areas []*oracle.Area, c geomgen.Cell, rule geomgen.Rule) cellTruth {
	t := cellTruth{by: map[geomgen.AttributeRule]int32{geomgen.Largest: -1, geomgen.AtCentroid: -1, geomgen.First: -1}, combined: new(big.Rat)}
	corners := g.AppendCorners(nil, c)
	best := new(big.Rat)
	first := func(r geomgen.AttributeRule, i int) {
		if t.by[r] < 0 {
			t.by[r] = int32(i)
		}
	}

	for i, a := range areas {
		share := a.Share(corners)
		t.combined.Add(t.combined, share)
		if share.Cmp(best) > 0 {
			best, t.by[geomgen.Largest] = share, int32(i)
		}
		if a.Selects(g, c, geomgen.Centroid) {
			first(geomgen.AtCentroid, i)
		}
		if a.Selects(g, c, rule) {
			first(geomgen.First, i)
			t.owners = append(t.owners, geomgen.Owner{Feature: int32(i), Share: nearest(share)})
		}
	}

	if best.Sign() == 0 {
		t.by[geomgen.Largest] = t.by[geomgen.First]
	}
	return t
}

// checkLayer compares a walk over all cells near features, and one over their pairs, with fractions.
func checkLayer(g geomgen.Grid, features [][]geomgen.Polygon, rule geomgen.Rule) error {
	l, err := geomgen.NewLayer(context.Background(), g, features, rule)
	if err != nil {
		return err
	}

	r, err := g.Around(l.Bounds())
	if err != nil {
		return err
	}

	all, err := geomgen.Select(context.Background(), r)
	if err != nil {
		return err
	}
	pairs, err := geomgen.SelectPairs(context.Background(), r, l)
	if err != nil {
		return err
	}

	areas := make([]*oracle.Area, len(features))
	for i, f := range features {
		areas[i] = oracle.NewArea(f)
		if err := checkArea(l, areas[i], f, int32(i)); err != nil {
			return err
		}
	}

	truth := map[geomgen.Cell]cellTruth{}
	seen := int64(0)
	err = eachCell(all.WithLayer(l), func(c geomgen.Cell, w *geomgen.Walker) error {
		t := judgeCell(g, areas, c, rule)
		truth[c] = t
		seen++
		for r, want := range t.by {
			if got := w.Owner(r); got != want {
				return fmt.Errorf("by %s cell %v is of feature %d, want %d: %v", r, c, got, want, t.owners)
			}
		}
		return checkOwners(c, w.Owners(), t.owners)
	})
	if err != nil {
		return err
	}
	if seen != r.Count() {
		return fmt.Errorf("%d cells came, want %d", seen, r.Count())
	}

	return checkPairs(pairs, l, truth)
}

func checkArea(l *geomgen.Layer, a *oracle.Area, polygons []geomgen.Polygon, i int32) error {
	exact := new(big.Rat)
	for _, p := range polygons {
		for k, ring := range p {
			part := exactArea(ring)
			if part.Abs(part); k > 0 {
				part.Neg(part)
			}
			exact.Add(exact, part)
		}
	}

	if want, _ := exact.Quo(exact, big.NewRat(2, 1)).Float64(); l.Area(i) != want {
		return fmt.Errorf("feature %d has an area of %v, want %v", i, l.Area(i), want)
	}
	return nil
}

func checkOwners(c geomgen.Cell, got, want []geomgen.Owner) error {
	ok := slices.EqualFunc(got, want, func(a, b geomgen.Owner) bool {
		return a.Feature == b.Feature && math.Abs(a.Share-b.Share) <= 1e-14 && (a.Share == 0) == (b.Share == 0) && (a.Share == 1) == (b.Share == 1)
	})
	if !ok {
		return fmt.Errorf("cell %v is in %v, want %v", c, got, want)
	}
	return nil
}

// eachCell visits the cells of a selection.
func eachCell(s *geomgen.Selection, visit func(c geomgen.Cell, w *geomgen.Walker) error) error {
	order := geomgen.NewBlockOrder()
	w := s.Walk(0, geomgen.MaxID)
	for b, ok := w.Next(); ok; b, ok = w.Next() {
		for _, off := range order.Offsets(b) {
			if err := visit(geomgen.Cell{Col: b.Col + int32(off&15), Row: b.Row + int32(off>>4)}, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkPairs compares a selection of pairs with the truth of each cell.
func checkPairs(s *geomgen.Selection, l *geomgen.Layer, truth map[geomgen.Cell]cellTruth) error {
	before, cells := int64(0), 0
	err := eachCell(s, func(c geomgen.Cell, w *geomgen.Walker) error {
		cells++
		id := geomgen.CellID(c)
		for k := range truth[c].owners {
			n := before + int64(k)
			if at, first := s.CellAt(n); at != id || first != before || s.At(n) != id {
				return fmt.Errorf("pair %d is of cell %d from pair %d on, want cell %d from %d", n, at, first, id, before)
			}
		}
		before += int64(len(truth[c].owners))
		return checkOwners(c, w.Owners(), truth[c].owners)
	})
	if err != nil {
		return err
	}

	want := 0
	for c, t := range truth {
		if len(t.owners) > 0 {
			want++
		}
		if s.Contains(c) != (len(t.owners) > 0) {
			return fmt.Errorf("the selection contains cell %v: %v", c, s.Contains(c))
		}
	}
	if s.Count() != before || cells != want {
		return fmt.Errorf("%d pairs are counted and %d walked, of %d cells, want %d", s.Count(), before, cells, want)
	}

	inBlocks := int64(0)
	s.Blocks(2, func(_ geomgen.Block, first, n int64) {
		if first != inBlocks {
			err = fmt.Errorf("a block begins with pair %d, want %d", first, inBlocks)
		}
		inBlocks += n
	})
	if inBlocks != before {
		err = fmt.Errorf("%d pairs are in blocks, want %d", inBlocks, before)
	}

	for _, blocks := range []int{1, 8, 40, 200, 1000} {
		e, err := geomgen.EstimatePairs(context.Background(), blocks, s.Range(), l)
		if err != nil {
			return err
		}
		least, most := e.Bounds()
		if least > before || most < before || e.Count() < least || e.Count() > most {
			return fmt.Errorf("with %d blocks there are %d pairs, from %d to %d, want %d", blocks, e.Count(), least, most, before)
		}
		if n := e.Count(); n > 0 {
			if id, first := e.CellAt(n - 1); id < 0 || first >= n {
				return fmt.Errorf("with %d blocks the last pair is of cell %d, from %d on", blocks, id, first)
			}
		}
	}
	return err
}

// For a partition of a rectangle, no cell is lost, and shares add up to 1.
func TestLayerOfPartition(t *testing.T) {
	rng := testrand.New(t, 77)
	for name, g := range maskGrids() {
		t.Run(name, func(t *testing.T) {
			const side = 12
			unit := 6 * max(g.DX, g.DY)
			centre := g.Centre(geomgen.Cell{})
			features := oracle.Honeycomb(rng, geomgen.Point{X: centre.X - side/2*unit, Y: centre.Y - side/2*unit}, unit, side)
			l, err := geomgen.NewLayer(t.Context(), g, features, geomgen.Overlaps)
			if err != nil {
				t.Fatal(err)
			}

			covered := geomgen.Box{XMin: centre.X - 4.5*unit, YMin: centre.Y - 4.5*unit, XMax: centre.X + 4.5*unit, YMax: centre.Y + 4.5*unit}
			inner, err := g.Around(covered)
			if err != nil {
				t.Fatal(err)
			}
			s, err := geomgen.Select(t.Context(), inner)
			if err != nil {
				t.Fatal(err)
			}

			edges := 0
			err = eachCell(s.WithLayer(l), func(c geomgen.Cell, w *geomgen.Walker) error {
				if b := g.Bounds(c); b.XMin < covered.XMin || b.YMin < covered.YMin || b.XMax > covered.XMax || b.YMax > covered.YMax {
					return nil
				}

				sum := 0.0
				for _, o := range w.Owners() {
					sum += o.Share
				}
				if len(w.Owners()) > 1 {
					edges++
				}
				if math.Abs(sum-1) > 1e-12 || w.Owner(geomgen.Largest) < 0 {
					return fmt.Errorf("the shares of cell %v add up to %v: %v", c, sum, w.Owners())
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if edges < 50 {
				t.Errorf("only %d cells are in several features", edges)
			}
		})
	}
}

func TestLayerRefuses(t *testing.T) {
	g := geomgen.Grid{DX: 1, DY: 1}
	square := []geomgen.Polygon{{ringOf(0, 0, 1, 0, 1, 1, 0, 1)}}
	bow := []geomgen.Polygon{{ringOf(0, 0, 2, 2, 2, 0, 0, 2)}}

	_, err := geomgen.NewLayer(t.Context(), g, [][]geomgen.Polygon{square, bow}, geomgen.Intersects)
	var invalid *geomgen.InvalidError
	if !errors.As(err, &invalid) || invalid.Feature != 2 || invalid.Error() != "the shell of polygon 1 of feature 2 crosses itself at 1 1" {
		t.Errorf("the error is %v", err)
	}

	for _, features := range [][][]geomgen.Polygon{nil, {nil, {}}} {
		if _, err := geomgen.NewLayer(t.Context(), g, features, geomgen.Intersects); !errors.As(err, new(*geomgen.ParamError)) {
			t.Errorf("the error is %v", err)
		}
	}
	if _, err := geomgen.NewLayer(t.Context(), g, [][]geomgen.Polygon{square}, "touches"); !errors.As(err, new(*geomgen.ParamError)) {
		t.Errorf("the error is %v", err)
	}
}

// Cells with a border through their middle, along an axis or not, belong to the first feature. If the border is
// moved by the smallest amount, they belong to the other one.
func TestLargestOfEqualShares(t *testing.T) {
	g := geomgen.Grid{DX: 1, DY: 1}
	for name, test := range map[string]struct {
		at, lean float64
		want     int32
	}{
		"half":           {0.5, 0, 0},
		"less than half": {math.Nextafter(0.5, 0), 0, 1},
		"more than half": {math.Nextafter(0.5, 1), 0, 0},
		"leaning":        {0.5, 0.25, 0},
		"leaning, less":  {math.Nextafter(0.5, 0), 0.25, 1},
		"thirds":         {0.5, 1. / 3, 0},
	} {
		left := []geomgen.Polygon{{ringOf(-5, 0, test.at-test.lean, 0, test.at+test.lean, 1, -5, 1)}}
		right := []geomgen.Polygon{{ringOf(test.at-test.lean, 0, 5, 0, 5, 1, test.at+test.lean, 1)}}
		l, err := geomgen.NewLayer(t.Context(), g, [][]geomgen.Polygon{left, right}, geomgen.Overlaps)
		if err != nil {
			t.Fatal(err)
		}

		s, err := geomgen.Select(t.Context(), geomgen.Range{MaxCol: 1, MaxRow: 1})
		if err != nil {
			t.Fatal(err)
		}
		err = eachCell(s.WithLayer(l), func(c geomgen.Cell, w *geomgen.Walker) error {
			if got := w.Owner(geomgen.Largest); got != test.want && name != "thirds" {
				t.Errorf("%s: feature %d, want %d of %v", name, got, test.want, w.Owners())
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// A part of a feature is the same as from a mask of only that feature.
func TestLayerClipper(t *testing.T) {
	g := geomgen.Grid{DX: 1, DY: 1}
	rng := testrand.New(t, 91)
	features := randomFeatures(rng, g, 0)
	l, err := geomgen.NewLayer(t.Context(), g, features, geomgen.Overlaps)
	if err != nil {
		t.Fatal(err)
	}

	r, err := g.Around(l.Bounds())
	if err != nil {
		t.Fatal(err)
	}
	s, err := geomgen.SelectPairs(t.Context(), r, l)
	if err != nil {
		t.Fatal(err)
	}

	clipper := geomgen.NewLayerClipper(l)
	sums := make([]float64, len(features))
	err = eachCell(s, func(c geomgen.Cell, w *geomgen.Walker) error {
		for _, o := range w.Owners() {
			part, err := clipper.Clip(c, o.Feature)
			if err != nil {
				return err
			}
			alone, err := geomgen.NewClipper(l.Feature(o.Feature)).Clip(c)
			if err != nil {
				return err
			}
			if part.Share != alone.Share || part.Share != o.Share || !slices.EqualFunc(part.Rings, alone.Rings, slices.Equal) {
				return fmt.Errorf("cell %v: the part of feature %d is %v, alone %v", c, o.Feature, part, alone)
			}
			sums[o.Feature] += l.ShareOfFeature(c, o)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	for i, sum := range sums {
		if len(features[i]) > 0 && math.Abs(sum-1) > 1e-12 {
			t.Errorf("the shares of feature %d add up to %v", i, sum)
		}
	}
}
