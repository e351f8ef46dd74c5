package geomgen_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/oracle"
	"github.com/loadgrid/loadgrid/internal/testrand"
)

// benchLayers returns features over about a million cells of a grid, and the cells.
func benchLayers(b *testing.B) map[string]benchLayer {
	square := geomgen.Grid{DX: 1, DY: 1}
	million := geomgen.Range{MaxCol: 1000, MaxRow: 1000}
	box := []geomgen.Polygon{{{{X: 0, Y: 0}, {X: 1000, Y: 0}, {X: 1000, Y: 1000}, {X: 0, Y: 1000}, {X: 0, Y: 0}}}}
	degrees := geomgen.Grid{DX: 0.25, DY: 0.25, SRID: 4326}

	return map[string]benchLayer{
		"rectangle":   {square, million, [][]geomgen.Polygon{box}},
		"polygons100": {square, million, oracle.Honeycomb(testrand.New(b, 1), geomgen.Point{X: -200, Y: -200}, 1400./10, 10)},
		"polygons10k": {square, million, oracle.Honeycomb(testrand.New(b, 1), geomgen.Point{X: -20, Y: -20}, 1040./100, 100)},
		"countries":   {degrees, geomgen.Range{MinCol: -720, MinRow: -360, MaxCol: 720, MaxRow: 360}, countries(b)},
	}
}

type benchLayer struct {
	grid     geomgen.Grid
	cells    geomgen.Range
	features [][]geomgen.Polygon
}

// countries reads testdata/countries.geojson.
func countries(b *testing.B) [][]geomgen.Polygon {
	text, err := os.ReadFile("../testdata/countries.geojson")
	if err != nil {
		b.Fatal(err)
	}

	var file struct {
		Features []struct {
			Geometry struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		b.Fatal(err)
	}

	var list [][]geomgen.Polygon
	for _, f := range file.Features {
		var parts [][][][2]float64
		if f.Geometry.Type == "Polygon" {
			parts = make([][][][2]float64, 1)
			err = json.Unmarshal(f.Geometry.Coordinates, &parts[0])
		} else {
			err = json.Unmarshal(f.Geometry.Coordinates, &parts)
		}
		if err != nil {
			b.Fatal(err)
		}

		var polygons []geomgen.Polygon
		for _, part := range parts {
			var p geomgen.Polygon
			for _, ring := range part {
				var points []geomgen.Point
				for _, q := range ring {
					points = append(points, geomgen.Point{X: q[0], Y: q[1]})
				}
				p = append(p, points)
			}
			polygons = append(polygons, p)
		}
		if geomgen.CheckPolygons(polygons) == nil {
			list = append(list, polygons)
		}
	}
	return list
}

// BenchmarkLayer makes layers and walks through a million cells: without the layer, with the owner of each cell
// by its share, and with all pairs and their shares.
func BenchmarkLayer(b *testing.B) {
	for name, test := range benchLayers(b) {
		b.Run(name+"-make", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := geomgen.NewLayer(context.Background(), test.grid, test.features, geomgen.Overlaps); err != nil {
					b.Fatal(err)
				}
			}
		})

		l, err := geomgen.NewLayer(context.Background(), test.grid, test.features, geomgen.Overlaps)
		if err != nil {
			b.Fatal(err)
		}
		cells, err := geomgen.Select(context.Background(), test.cells)
		if err != nil {
			b.Fatal(err)
		}
		pairs, err := geomgen.SelectPairs(context.Background(), test.cells, l)
		if err != nil {
			b.Fatal(err)
		}

		walk := func(s *geomgen.Selection, visit func(w *geomgen.Walker) int) func(b *testing.B) {
			return func(b *testing.B) {
				b.ReportAllocs()
				n, edge := 0, 0
				for b.Loop() {
					n, edge = 0, 0
					w := s.Walk(0, geomgen.MaxID)
					for c, ok := w.Next(); ok; c, ok = w.Next() {
						n += int(c.Cells()) * visit(w)
						if c.Level == 0 {
							edge++
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(test.cells.Count()), "ns/cell")
				b.ReportMetric(float64(n), "rows")
				b.ReportMetric(float64(edge), "single")
			}
		}

		b.Run(name+"-cells", walk(cells, func(*geomgen.Walker) int { return 1 }))
		b.Run(name+"-largest", walk(cells.WithLayer(l), func(w *geomgen.Walker) int { w.Owner(geomgen.Largest); return 1 }))
		b.Run(name+"-first", walk(cells.WithLayer(l), func(w *geomgen.Walker) int { w.Owner(geomgen.First); return 1 }))
		b.Run(name+"-pairs", walk(pairs, func(w *geomgen.Walker) int {
			for _, o := range w.Owners() {
				if math.IsNaN(o.Share) {
					b.Fatal(o)
				}
			}
			return len(w.Owners())
		}))
		b.Run(name+"-count", func(b *testing.B) {
			for b.Loop() {
				if _, err := geomgen.SelectPairs(context.Background(), test.cells, l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
