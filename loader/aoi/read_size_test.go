package aoi

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
)

// bigArea is a file of features, or WKT of a MultiPolygon, of rings of so many
// blocks of positions each. No more than a block of it is in memory.
func bigArea(pattern string, wkt bool, digits, rings, blocks int) (r io.Reader, size int, points int) {
	const perBlock = 1000
	var b strings.Builder

	for i := range perBlock {
		a := 2 * math.Pi * float64(i) / perBlock
		fmt.Fprintf(&b, pattern+",", digits, math.Cos(a), digits, math.Sin(a))
	}

	block, last := b.String(), fmt.Sprintf(pattern, digits, 1.0, digits, 0.0)
	head, foot := `{"type":"FeatureCollection","features":[`, `]}`
	open, end := `{"type":"Feature","properties":null,"geometry":{"type":"Polygon","coordinates":[[`, last+`]]}}`
	if wkt {
		head, foot, open, end = "MULTIPOLYGON(", ")", "((", last+"))"
	}

	parts := []string{head}

	for n := range rings {
		if n > 0 {
			parts = append(parts, ",")
		}

		parts = append(parts, open)

		for range blocks {
			parts = append(parts, block) // the same bytes
		}

		parts = append(parts, end)
	}

	readers := []io.Reader{}

	for _, part := range append(parts, foot) {
		size += len(part)
		readers = append(readers, strings.NewReader(part))
	}

	return io.MultiReader(readers...), size, rings * (blocks*perBlock + 1)
}

// heapWhile returns by how many bytes of objects the heap grew at most while f ran.
func heapWhile(f func()) int64 {
	heap := func() int64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)

		return int64(sample[0].Value.Uint64())
	}

	runtime.GC()
	before := heap()
	done, peak := make(chan struct{}), make(chan int64)
	go func() {
		most := before
		for {
			most = max(most, heap())
			select {
			case <-done:
				peak <- most - before
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()

	f()
	close(done)

	return <-peak
}

// The memory that an area needs while it is read is a small multiple of its file,
// garbage included.
func TestReadAreaOfManyBytes(t *testing.T) {
	const json, wkt = "[%.*f,%.*f]", "%.*f %.*f"
	for _, test := range []struct {
		name, pattern         string
		digits, rings, blocks int
		most                  float64 // times the size of the file
	}{
		{"GeoJSON of one polygon", json, 12, 1, 640, 4},
		{"GeoJSON of short numbers", json, 1, 1, 320, 10},
		{"GeoJSON of many features", json, 12, 100, 1, 4},
		{"WKT of one polygon", wkt, 12, 1, 640, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, size, points := bigArea(test.pattern, test.pattern == wkt, test.digits, test.rings, test.blocks)
			var a *Area
			var err error
			start := time.Now()
			peak := heapWhile(func() { a, err = Read(r) })
			if err != nil {
				t.Fatal(err)
			}

			got := 0

			for _, p := range a.Polygons {
				got += len(p[0])
			}

			if got != points || len(a.Polygons) != test.rings {
				t.Errorf("got %d points of %d polygons, want %d of %d", got, len(a.Polygons), points, test.rings)
			}

			times := float64(peak) / float64(size)
			t.Logf("%d points, %d bytes in %v: the heap grew by %.1f times the file", points, size, time.Since(start).Round(time.Millisecond), times)
			if times > test.most {
				t.Errorf("the heap grew by %.1f times the file, more than %v", times, test.most)
			}
		})
	}
}
