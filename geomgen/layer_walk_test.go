package geomgen_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// fan returns n triangles around a point, whose borders are shared.
func fan(centre geomgen.Point, radius float64, n int) [][]geomgen.Polygon {
	at := func(i int) geomgen.Point {
		a := 2 * math.Pi * float64(i%n) / float64(n)
		return geomgen.Point{X: centre.X + radius*math.Cos(a), Y: centre.Y + radius*math.Sin(a)}
	}

	var features [][]geomgen.Polygon
	for i := range n {
		features = append(features, []geomgen.Polygon{{{centre, at(i), at(i + 1), centre}}})
	}
	return features
}

// The pairs are right even if more edges are near than fit in a list, and if many features contain a cell.
func TestLayerOfManyAtOnePlace(t *testing.T) {
	g := geomgen.Grid{DX: 1, DY: 1}
	var nested [][]geomgen.Polygon
	for i := range 70 {
		d := float64(i) / 25
		nested = append(nested, []geomgen.Polygon{{ringOf(-4+d, -4+d, 4-d, -4+d, 4-d, 4-d, -4+d, 4-d)}})
	}

	for name, features := range map[string][][]geomgen.Polygon{
		"fan in a cell":            fan(geomgen.Point{X: 0.3, Y: 0.4}, 3.3, 40),
		"fan at a corner of cells": fan(geomgen.Point{X: 1, Y: 1}, 2.6, 40),
		"squares in squares":       nested,
		"one and many":             append([][]geomgen.Polygon{{{ringOf(-9, -9, 9, -9, 9, 9, -9, 9)}}}, fan(geomgen.Point{X: 0.5, Y: 0.5}, 1.5, 36)...),
	} {
		for _, rule := range allRules {
			if err := checkLayer(g, features, rule); err != nil {
				t.Errorf("%s, %s: %v", name, rule, err)
			}
		}
	}
}

// Walks over parts of the ids, with masks, have the same pairs as one walk over all of them, cell by cell.
func TestLayerInChunks(t *testing.T) {
	rng := testrand.New(t, 515)
	for name, g := range maskGrids() {
		centre := g.Centre(geomgen.Cell{})
		unit := 5 * max(g.DX, g.DY)
		features := oracle.Honeycomb(rng, geomgen.Point{X: centre.X - 4*unit, Y: centre.Y - 4*unit}, unit, 8)
		features = append(features, oracle.Polygons(rng, g, true), oracle.Polygons(rng, g, false))
		l, err := geomgen.NewLayer(t.Context(), g, features, geomgen.Intersects)
		if err != nil {
			t.Fatal(err)
		}

		r, err := g.Around(l.Bounds())
		if err != nil {
			t.Fatal(err)
		}
		var masks []*geomgen.Mask
		for range 2 {
			b := geomgen.Box{XMin: centre.X - (1+rng.Float64())*unit, YMin: centre.Y - (1+rng.Float64())*unit, XMax: centre.X + 2*unit, YMax: centre.Y + 2*unit}
			m, err := geomgen.NewMask(g, []geomgen.Polygon{{ringOf(b.XMin, b.YMin, b.XMax, b.YMin, b.XMax, b.YMax, b.XMin, b.YMax)}}, geomgen.Within)
			if err != nil {
				t.Fatal(err)
			}
			masks = append(masks, m)
		}

		s, err := geomgen.SelectPairs(t.Context(), r, l, masks...)
		if err != nil {
			t.Fatal(err)
		}
		if s.Count() < 20 {
			t.Errorf("%s: only %d pairs", name, s.Count())
		}
		if err := checkChunks(s, l, masks); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// checkChunks compares the pairs of walks over chunks with the pairs of each single cell.
func checkChunks(s *geomgen.Selection, l *geomgen.Layer, masks []*geomgen.Mask) error {
	want := map[geomgen.Cell][]int32{}
	r := s.Range()
	for col := r.MinCol; col < r.MaxCol; col++ {
		for row := r.MinRow; row < r.MaxRow; row++ {
			c := geomgen.Cell{Col: col, Row: row}
			if slices.ContainsFunc(masks, func(m *geomgen.Mask) bool { return !m.Contains(c) }) {
				continue
			}
			for i := range int32(l.Features()) {
				if l.Contains(c, i) {
					want[c] = append(want[c], i)
				}
			}
		}
	}

	got := map[geomgen.Cell][]int32{}
	order := geomgen.NewBlockOrder()
	for n := int64(0); n < s.Count(); {
		first, before := s.CellAt(n)
		if before != n {
			return fmt.Errorf("cell %d begins with pair %d, want %d", first, before, n)
		}

		next, last := s.Count(), geomgen.MaxID
		if n+7 < s.Count() {
			last, next = s.CellAt(n + 7)
			last--
		}
		if next == n { // the chunk ends in its first cell
			last, next = first, n+1
			for next < s.Count() && s.At(next) == first {
				next++
			}
		}

		rows := int64(0)
		w := s.Walk(first, last)
		for b, ok := w.Next(); ok; b, ok = w.Next() {
			for i, off := range order.Offsets(b) {
				if id := b.ID + int64(i); id < first || id > last {
					return fmt.Errorf("cell %d is not between %d and %d", id, first, last)
				}
				c := geomgen.Cell{Col: b.Col + int32(off&15), Row: b.Row + int32(off>>4)}
				for _, o := range w.Owners() {
					got[c] = append(got[c], o.Feature)
					rows++
				}
			}
		}
		if rows != next-n {
			return fmt.Errorf("a chunk has %d pairs, want %d", rows, next-n)
		}
		n = next
	}

	if !maps.EqualFunc(got, want, slices.Equal) {
		return fmt.Errorf("the chunks have pairs of %d cells, want %d", len(got), len(want))
	}
	return nil
}

// A row needs no allocation.
func TestOwnersAllocateNothing(t *testing.T) {
	g := geomgen.Grid{DX: 1, DY: 1}
	features := oracle.Honeycomb(testrand.New(t, 3), geomgen.Point{X: -100, Y: -100}, 9, 30)
	l, err := geomgen.NewLayer(t.Context(), g, features, geomgen.Intersects)
	if err != nil {
		t.Fatal(err)
	}
	s, err := geomgen.SelectPairs(t.Context(), geomgen.Range{MinCol: -50, MinRow: -50, MaxCol: 100, MaxRow: 100}, l)
	if err != nil {
		t.Fatal(err)
	}

	w := s.Walk(0, geomgen.MaxID)
	for range 3000 { // its buffers grow
		w.Next()
		w.Owners()
		w.Owner(geomgen.Largest)
	}
	if n := testing.AllocsPerRun(2000, func() {
		if _, ok := w.Next(); !ok {
			t.Fatal("the walk is at its end")
		}
		w.Owners()
		w.Owner(geomgen.Largest)
	}); n > 0 {
		t.Errorf("a block takes %v allocations", n)
	}
}

// If a limit allows only large blocks, the number of pairs is approximately right.
func TestEstimatePairsIsNear(t *testing.T) {
	g := geomgen.Grid{DX: 1, DY: 1}
	rng := testrand.New(t, 8)
	for _, unit := range []float64{0.8, 3, 20} {
		l, err := geomgen.NewLayer(t.Context(), g, oracle.Honeycomb(rng, geomgen.Point{}, unit, 60), geomgen.Overlaps)
		if err != nil {
			t.Fatal(err)
		}

		side := int32(60 * unit)
		r := geomgen.Range{MaxCol: side, MaxRow: side}
		exact, err := geomgen.SelectPairs(t.Context(), r, l)
		if err != nil {
			t.Fatal(err)
		}
		e, err := geomgen.EstimatePairs(t.Context(), 60, r, l)
		if err != nil {
			t.Fatal(err)
		}

		least, most := e.Bounds()
		if ratio := float64(e.Count()) / float64(exact.Count()); ratio < 0.7 || ratio > 1.4 || least > exact.Count() || most < exact.Count() || least == most {
			t.Errorf("unit %v: about %d pairs, between %d and %d, want %d", unit, e.Count(), least, most, exact.Count())
		}
	}
}
