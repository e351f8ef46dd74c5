package geomgen

import (
	"context"
	"slices"
	"testing"
)

// FuzzLayer walks through the cells of a rectangle with features whose rings come from bytes, in quarters of a
// cell, so that borders are often shared and on lines and centres. It compares the walk with a mask and a clipper
// of each single feature.
func FuzzLayer(f *testing.F) {
	square, beside, across := []byte{0, 0, 16, 0, 16, 16, 0, 16}, []byte{16, 0, 30, 2, 16, 16}, []byte{0xf8, 3, 40, 5, 9, 33}
	for i := range fuzzedGrids() {
		for rule := range uint8(4) {
			f.Add(uint8(i), rule, uint16(7), square, beside, across)
		}
	}
	f.Add(uint8(0), uint8(1), uint16(0), square, square, []byte{4, 4, 8, 4, 8, 8, 4, 8})
	f.Add(uint8(0), uint8(3), uint16(300), []byte{2, 2, 6, 2, 6, 6, 2, 6}, []byte{6, 2, 10, 2, 10, 6, 6, 6}, []byte{2, 6, 6, 6, 6, 10, 2, 10})

	f.Fuzz(func(t *testing.T, grid, rule uint8, cut uint16, a, b, c []byte) {
		g := fuzzedGrids()[int(grid)%len(fuzzedGrids())]
		var features [][]Polygon
		for _, bytes := range [][]byte{a, b, c} {
			if p := []Polygon{{fuzzedRing(g, bytes)}}; len(bytes) <= 32 && CheckPolygons(p) == nil {
				features = append(features, p)
			}
		}

		l, err := NewLayer(context.Background(), g, features, []Rule{Intersects, Within, Centroid, Overlaps}[rule%4])
		if err != nil {
			return
		}

		r, err := g.AroundIn(Range{-12, -12, 12, 12}.Intersect(g.World()), l.Bounds())
		if err != nil || r.Count() == 0 {
			return
		}
		s, err := SelectPairs(context.Background(), r, l)
		if err != nil {
			t.Fatal(err)
		}

		want := make([][]Owner, 0)
		pairs := int64(0)
		clipper := NewLayerClipper(l)
		for _, id := range selectedIDs(r, nil) {
			cell, _ := CellOf(id)
			owners := fuzzedOwners(t, l, clipper, cell)
			want = append(want, owners)
			pairs += int64(len(owners))
		}
		if s.Count() != pairs {
			t.Fatalf("%d pairs are counted, want %d", s.Count(), pairs)
		}

		compareFuzzed(t, g, r, l, cut, want)
	})
}

// fuzzedOwners returns the owners of a cell according to masks and a clipper.
func fuzzedOwners(t *testing.T, l *Layer, clipper *LayerClipper, cell Cell) (owners []Owner) {
	t.Helper()
	for i := range int32(l.Features()) {
		if !l.Contains(cell, i) {
			continue
		}
		part, err := clipper.Clip(cell, i)
		if err != nil {
			t.Fatal(err)
		}
		owners = append(owners, Owner{i, part.Share})
	}
	return owners
}

// compareFuzzed compares walks over the ids before and after a cell of a rectangle with the owners of each cell.
func compareFuzzed(t *testing.T, g Grid, r Range, l *Layer, cut uint16, want [][]Owner) {
	t.Helper()
	all, err := Select(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}

	split := all.At(int64(cut) % r.Count())
	order := NewBlockOrder()
	for _, ids := range [][2]int64{{0, split}, {split + 1, MaxID}} {
		w := all.WithLayer(l).Walk(ids[0], ids[1])
		for b, ok := w.Next(); ok; b, ok = w.Next() {
			for range order.Offsets(b) {
				owners := w.Owners()
				if !slices.Equal(owners, want[0]) {
					t.Fatalf("block %+v of %+v is in %v, want %v", b, g, owners, want[0])
				}
				if first := w.Owner(First); len(owners) > 0 && first != owners[0].Feature || len(owners) == 0 && first >= 0 {
					t.Fatalf("block %+v is of feature %d by first: %v", b, first, owners)
				}
				checkLargest(t, w, owners)
				want = want[1:]
			}
		}
	}

	if len(want) > 0 {
		t.Fatalf("%d cells did not come", len(want))
	}
}

// checkLargest checks that an owner has the largest share among the features that a rule has selected.
func checkLargest(t *testing.T, w *Walker, owners []Owner) {
	t.Helper()
	largest := w.Owner(Largest)
	at := slices.IndexFunc(owners, func(o Owner) bool { return o.Feature == largest })
	for i, o := range owners {
		if at >= 0 && (o.Share > owners[at].Share+1e-14 || i < at && o.Share > owners[at].Share) {
			t.Fatalf("Owner returned feature %d as the largest share: %v", largest, owners)
		}
	}
	if largest < 0 && len(owners) > 0 {
		t.Fatalf("Owner returned no feature with the largest share: %v", owners)
	}
}
