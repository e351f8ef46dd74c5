package geomgen

import (
	"math"
	"runtime"
	"slices"
	"testing"
)

// ringAround returns a ring with the given number of corners around a point, counter-clockwise.
func ringAround(x, y float64, corners int) []Point {
	ring := make([]Point, 0, corners+1)
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(corners))
		ring = append(ring, Point{x + 0.5*cos, y + 0.5*sin})
	}
	return append(ring, ring[0])
}

// A layer takes as much memory, in addition to its polygons, as NewLayer documents. Memory in use counts, but not
// garbage.
func TestLayerSize(t *testing.T) {
	const n = 20_000
	for name, test := range map[string]struct {
		feature             func(x float64) []Polygon
		perFeature, perPart int // bytes per feature and per position
	}{
		"rings with few corners":    {func(x float64) []Polygon { return []Polygon{{ringAround(x, 0, 8)}} }, 90, 0},
		"rings with many corners":   {func(x float64) []Polygon { return []Polygon{{ringAround(x, 0, 100)}} }, 250, 12},
		"clockwise rings":           {func(x float64) []Polygon { return []Polygon{{reversed(ringAround(x, 0, 15))}} }, 90, 16},
		"clockwise, many corners":   {func(x float64) []Polygon { return []Polygon{{reversed(ringAround(x, 0, 127))}} }, 250, 28},
		"features with two polygon": {func(x float64) []Polygon { return []Polygon{{ringAround(x, 0, 60)}, {ringAround(x, 2, 60)}} }, 250, 32},
	} {
		t.Run(name, func(t *testing.T) {
			features := make([][]Polygon, n)
			positions := 0
			for i := range features {
				features[i] = test.feature(float64(i))
				for _, p := range features[i] {
					positions += len(p[0])
				}
			}

			before := heapInUse()
			l, err := NewLayer(t.Context(), Grid{DX: 1, DY: 1}, features, Overlaps)
			used := heapInUse() - before
			if err != nil || l.Features() != n {
				t.Fatal(err)
			}

			t.Logf("%d bytes for %d features of %d positions: %.1f a feature", used, n, positions, float64(used)/n)
			if most := int64(n*test.perFeature + positions*test.perPart); used > most {
				t.Errorf("%d bytes, which are more than %d", used, most)
			}
			runtime.KeepAlive(features)
		})
	}
}

func reversed(ring []Point) []Point {
	slices.Reverse(ring)
	return ring
}

// heapInUse returns the size of the objects in use, in bytes.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC() // sweeps what the first one left

	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
