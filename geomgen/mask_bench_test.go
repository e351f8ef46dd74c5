package geomgen_test

import (
	"context"
	"math"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

// coast returns a ring of n corners around a place, with bays of all sizes.
func coast(n int, x, y, radius float64) geomgen.Polygon {
	var ring []geomgen.Point
	for i := range n {
		a := 2 * math.Pi * float64(i) / float64(n)
		r := radius * (1 + 0.2*math.Sin(5*a) + 0.05*math.Sin(37*a+1) + 0.01*math.Sin(401*a) + 0.002*math.Sin(2999*a))
		ring = append(ring, geomgen.Point{X: x + r*math.Cos(a), Y: y + r*math.Sin(a)})
	}
	return geomgen.Polygon{append(ring, ring[0])}
}

// BenchmarkSelect counts a million cells and thirty million, by area.
func BenchmarkSelect(b *testing.B) {
	g := geomgen.Grid{DX: 1, DY: 1}
	for _, test := range []struct {
		name   string
		n      int
		radius float64
	}{{"20000-1M", 20000, 560}, {"10000-30M", 10000, 3060}} {
		area := []geomgen.Polygon{coast(test.n, 100.3, 50.7, test.radius)}
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

// BenchmarkClip walks through a million cells and cuts those at the edge.
func BenchmarkClip(b *testing.B) {
	g := geomgen.Grid{DX: 1, DY: 1}
	m, err := geomgen.NewMask(g, []geomgen.Polygon{coast(20000, 100.3, 50.7, 560)}, geomgen.Intersects)
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
