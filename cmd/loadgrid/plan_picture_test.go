package main

import (
	"math"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// A picture of an extent that crosses the antimeridian has what lies beyond it on its right.
func TestPictureAcrossTheSeam(t *testing.T) {
	p, err := loader.NewPlan(t.Context(), loader.Job{
		Table: loader.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1, SRID: 4326}, Extent: &geomgen.Box{XMin: 170, YMin: 0, XMax: -170, YMax: 5},
	})
	if err != nil {
		t.Fatal(err)
	}

	s := acrossSeam(p)
	if *s.extent != (geomgen.Box{XMin: 170, YMin: 0, XMax: 190, YMax: 5}) {
		t.Errorf("the extent is drawn as %v", s.extent)
	}
	if n := widest(p, s); n < 20 || n > 25 {
		t.Errorf("%d cells lie side by side, and there are 20 columns", n)
	}

	p.Blocks(0, func(b geomgen.Block, _, _ int64) {
		for _, q := range s.ring(p.Job.Grid.AppendCorners(nil, geomgen.Cell{Col: b.Col, Row: b.Row})) {
			if q.X < 170 || q.X > 190 {
				t.Errorf("a corner of cell %d,%d is drawn at %v", b.Col, b.Row, q)
			}
		}
	})
}

// The blocks of a turned grid are drawn where its cells are.
func TestBlockOutline(t *testing.T) {
	cells := geomgen.Range{MinCol: -500, MinRow: -300, MaxCol: 700, MaxRow: 900}
	for _, g := range []geomgen.Grid{
		{DX: 1000, DY: 500, X0: 3e6, Y0: 2e6}, {DX: 1000, DY: 500, X0: 3e6, Y0: 2e6, Rotate: 30}, {DX: 2, DY: 2, Rotate: -137.25, Shape: geomgen.HexagonPointy},
	} {
		outline := blockOutline(g)
		for _, b := range []geomgen.Block{{Col: 64, Row: -128, Level: 6}, {Col: 3, Row: 5}, {Col: 640, Row: 896, Level: 7}, {Col: 4096, Row: 4096, Level: 5}} {
			got, want := outline(b, cells), g.AppendOutline(nil, b, cells)
			if !slices.EqualFunc(got, want, func(p, q geomgen.Point) bool { return math.Hypot(p.X-q.X, p.Y-q.Y) < 1e-6*g.DX }) {
				t.Errorf("turned by %g, block %v: %v, want %v", g.Rotate, b, got, want)
			}
		}
	}
}
