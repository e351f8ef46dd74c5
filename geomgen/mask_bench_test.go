package geomgen_test

import (
	"context"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
)

// BenchmarkSelect counts a million cells, and thirty million, by area.
func BenchmarkSelect(b *testing.B) {
	g := geomgen.Grid{DX: 1, DY: 1}
	for _, test := range []struct {
		name   string
		n      int
		radius float64
	}{{"20000-1M", 20000, 560}, {"10000-30M", 10000, 3060}} {
		area := []geomgen.Polygon{oracle.Coast(test.n, geomgen.Point{X: 100.3, Y: 50.7}, test.radius)}
		for _, rule := range []geomgen.Rule{geomgen.Intersects, geomgen.Within, geomgen.Centroid} {
			b.Run(test.name+"-"+string(rule), func(b *testing.B) {
				for b.Loop() {
					m, err := geomgen.NewMask(g, area, rule)
					if err != nil {
						b.Fatal(err)
					}

					r, err := g.Around(m.Bounds())
					if err != nil {
						b.Fatal(err)
					}

					s, err := geomgen.Select(context.Background(), r, m)
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(s.Count()), "cells")
				}
			})
		}
	}
}

// BenchmarkClip walks through a million cells and clips the ones at the edge.
func BenchmarkClip(b *testing.B) {
	g := geomgen.Grid{DX: 1, DY: 1}
	m, err := geomgen.NewMask(g, []geomgen.Polygon{oracle.Coast(20000, geomgen.Point{X: 100.3, Y: 50.7}, 560)}, geomgen.Intersects)
	if err != nil {
		b.Fatal(err)
	}

	r, err := g.Around(m.Bounds())
	if err != nil {
		b.Fatal(err)
	}

	s, err := geomgen.Select(context.Background(), r, m)
	if err != nil {
		b.Fatal(err)
	}

	clipper := geomgen.NewClipper(m)
	for b.Loop() {
		edge := 0
		w := s.Walk(0, geomgen.MaxID)
		for c, ok := w.Next(); ok; c, ok = w.Next() {
			if w.Edge() {
				edge++
				if _, err := clipper.Clip(geomgen.Cell{Col: c.Col, Row: c.Row}); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(edge), "edge")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(edge), "ns/edge")
	}
}
