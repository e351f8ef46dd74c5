package main

import (
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
