package aoi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/internal/gather"
)

// bigArea returns a file of features, or WKT of a MultiPolygon, with the given number of rings, each with the
// given number of blocks of positions. Only one block is in memory.
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

// heapWhile returns how much the heap grew at most while f ran, in bytes.
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

// The memory for reading an area is a small multiple of its file, including garbage.
func TestReadAreaOfManyBytes(t *testing.T) {
	const json, wkt = "[%.*f,%.*f]", "%.*f %.*f"
	for _, test := range []struct {
		name, pattern         string
		digits, rings, blocks int
		most                  float64 // multiple of the file's size
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

// memoryWhile returns how many bytes f allocates in total. That includes memory that is collected meanwhile, so
// it does not depend on the time of collections.
func memoryWhile(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)

	return after.TotalAlloc - before.TotalAlloc
}

// shapes returns, in each format, n rings of four positions each, or one ring of all of them.
func shapes(n int) map[string]string {
	var b strings.Builder
	all := make(map[string]string)
	repeat := func(name, head, part, last, foot string, n int) {
		b.Reset()
		b.WriteString(head)
		for range n {
			b.WriteString(part)
		}
		b.WriteString(last + foot)
		all[name] = b.String()
	}

	triangle := "[[0,0],[1,0],[0,1],[0,0]]"
	repeat("GeoJSON, a ring", `{"type":"Polygon","coordinates":[[`, "[0,0],", "[0,0]", "]]}", 4*n)
	repeat("GeoJSON, a ring of long numbers", `{"type":"Polygon","coordinates":[[`, "[-0.1234567890123456,-12.123456789012345],", "[-0.1234567890123456,-12.123456789012345]", "]]}", 4*n)
	repeat("GeoJSON, holes", `{"type":"Polygon","coordinates":[`, triangle+",", triangle, "]}", n)
	repeat("GeoJSON, polygons", `{"type":"MultiPolygon","coordinates":[`, "["+triangle+"],", "["+triangle+"]", "]}", n)
	repeat("WKT, a ring", "POLYGON((", "0 0,", "0 0", "))", 4*n)
	repeat("WKT, holes", "POLYGON(", "(0 0,1 0,0 1,0 0),", "(0 0,1 0,0 1,0 0)", ")", n)
	repeat("EWKT, polygons", "SRID=3035;MULTIPOLYGON(", "((0 0,1 0,0 1,0 0)),", "((0 0,1 0,0 1,0 0))", ")", n)

	return all
}

// Reading an area needs at most 32 bytes per position plus 64 MiB, whatever its geometry. All allocations count,
// even if they could be collected. The program itself accounts for most of the 64 MiB.
func TestReadAreaNeeds32BytesAPosition(t *testing.T) {
	const rings, room = 200_000, 16 << 20
	for name, text := range shapes(rings) {
		t.Run(name, func(t *testing.T) {
			var a *Area
			var err error
			used := memoryWhile(func() { a, err = Read(strings.NewReader(text)) })
			if err != nil {
				t.Fatal(err)
			}

			positions := 0
			for _, p := range a.Polygons {
				for _, ring := range p {
					positions += len(ring)
				}
			}

			t.Logf("%d positions, %d bytes of text: %.1f bytes a position", positions, len(text), float64(used)/float64(positions))
			if most := uint64(32*positions + room); positions < 4*rings || used > most {
				t.Errorf("%d bytes, which are more than %d", used, most)
			}
		})
	}
}

func TestReadAreaOfTooManyPositions(t *testing.T) {
	for name, text := range shapes(10_000) {
		a, err := ReadWith(t.Context(), strings.NewReader(text), ReadOptions{MaxPositions: 40_000})
		positions := strings.Count(text, ",0]") + strings.Count(text, ",1]") + strings.Count(text, "5]") + strings.Count(text, "0 0") + strings.Count(text, "1 0") + strings.Count(text, "0 1")
		checkParam(t, err, "aoi", fmt.Sprintf("has %d positions", positions), "aoi-max-positions allows 40000", "simplify it")
		if a != nil {
			t.Errorf("%s: an area beside the error", name)
		}

		if _, err := ReadWith(t.Context(), strings.NewReader(text), ReadOptions{MaxPositions: int64(positions)}); err != nil {
			t.Errorf("%s: %d positions are allowed: %v", name, positions, err)
		}
	}
}

// Reading stops when its context ends.
func TestReadAreaEndsWithItsContext(t *testing.T) {
	for name, text := range shapes(100_000) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &cancelingReader{r: strings.NewReader(text), cancel: cancel}
		if _, err := ReadWith(ctx, r, ReadOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
		if r.n > 2<<16 {
			t.Errorf("%s: %d bytes were read", name, r.n)
		}
	}
}

// cancelingReader cancels a context after the first read.
type cancelingReader struct {
	r      io.Reader
	cancel context.CancelFunc
	n      int
}

func (r *cancelingReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.n += n
	r.cancel()
	return n, err
}

// EWKB from a server needs as much memory again as it has bytes.
func TestUnmarshalNeeds32BytesAPosition(t *testing.T) {
	for name, text := range shapes(200_000) {
		a, err := Read(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}

		b := a.Marshal()
		var c gather.Collector
		used := memoryWhile(func() { _, err = c.WKB(b) })
		if most := uint64(32*800_000 + 4<<20); err != nil || c.Positions < 800_000 || used > most {
			t.Errorf("%s: %d bytes for %d positions, want no more than %d: %v", name, used, c.Positions, most, err)
		}

		limited := gather.Collector{}
		limited.Max = 1000
		if _, err := limited.WKB(b); err != nil {
			t.Error(err)
		}
		_, err = limited.Polygons()
		checkParam(t, err, "aoi", fmt.Sprintf("has %d positions", c.Positions), "aoi-max-positions allows 1000")
	}
}
