package geojson

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// For any input, nothing panics, memory is limited, and errors are about the area. Input that
// arrives in small pieces gives the same result.
func FuzzRead(f *testing.F) {
	const polygon = `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`
	for _, seed := range []string{
		polygon, "\x1e" + polygon + "\n\x1e" + polygon, polygon + polygon + "x", `{"type":"Feature","properties":{"a":NaN,"b":[-Infinity,{"c":1e400}]},"geometry":` + polygon + `}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":{"a":"` + strings.Repeat(`\ud83d\ude00\\`, 50) + `"}}]}`,
		`{"type":"Feature","properties":{"a":1e999,"b":00}}`, `{"a":"` + "\xff\xfe" + `","b":-I,"c":Infinit}`, `{"type":"Feature","properties":{"b":"` + "\xff" + `"},"geometry":` + polygon + `}`,
		`{"type":"Topology"}`, `{"type":"Feature","properties":` + strings.Repeat(`{"a":[`, 6000), "{", "{}", `{"":{}}`, `{"type":` + strings.Repeat(" ", 5000) + `"Feature"}`, `{"type":"Fe\u0061ture","geometry":` + polygon + `}`,
	} {
		f.Add([]byte(seed))
	}

	f.Fuzz(func(t *testing.T, in []byte) {
		read := func(pieces int) ([]geomgen.Polygon, []feature.Feature, feature.Schema, error) {
			var to gather.Collector
			to.Select(gather.Selection{Features: true, Names: []string{"a", "b"}})
			schema, err := Read(&pieceReader{bytes.NewReader(in), pieces}, 0, feature.Request{Names: []string{"a", "b"}}, &to)
			polygons, _ := to.Polygons()
			return polygons, to.Features(), schema, err
		}

		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		polygons, features, schema, err := read(1 << 20)
		runtime.ReadMemStats(&after)

		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20+4096*uint64(len(in)) {
			t.Fatalf("%d bytes of input took %d bytes of memory", len(in), used)
		}

		var param *geomgen.ParamError
		if err != nil && !errors.As(err, &param) {
			t.Fatal(err)
		}

		pieces := 1
		if len(in) > 1000 { // for each piece, the library scans all names of the enclosing objects
			pieces = 1000
		}

		again, featuresAgain, schemaAgain, errAgain := read(pieces)
		if len(again) != len(polygons) || len(featuresAgain) != len(features) || schema.SRID != schemaAgain.SRID || (err == nil) != (errAgain == nil) {
			t.Fatalf("%v and %v: %v and %v", polygons, again, err, errAgain)
		}

		for i := range features {
			for k, v := range features[i].Values {
				if f, ok := v.(float64); ok && math.IsNaN(f) {
					continue
				}
				if v != featuresAgain[i].Values[k] {
					t.Fatalf("%v and %v", features, featuresAgain)
				}
			}
		}
	})
}

// pieceReader returns a few bytes at a time.
type pieceReader struct {
	r *bytes.Reader
	n int
}

func (r *pieceReader) Read(b []byte) (int, error) { return r.r.Read(b[:min(len(b), r.n)]) }
