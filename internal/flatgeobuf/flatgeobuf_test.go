package flatgeobuf

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
	"github.com/loadgrid/loadgrid/internal/featuretest"
)

// GDAL 3.6 made the files from featuretest/areas.geojson, and some from single features:
//
//	ogr2ogr -f FlatGeobuf areas.fgb areas.geojson -nln areas
//	ogr2ogr -f FlatGeobuf noindex.fgb areas.geojson -nln areas -lco SPATIAL_INDEX=NO -t_srs EPSG:3857
func file(t testing.TB, name string) []byte {
	t.Helper()

	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t testing.TB, b []byte, o featurefile.Options) (featurefile.Result, *featuretest.Recorder, error) {
	t.Helper()

	var to featuretest.Recorder
	result, err := Read(t.Context(), bytes.NewReader(b), int64(len(b)), o, &to)
	return result, &to, err
}

func TestIndexSize(t *testing.T) {
	for _, test := range []struct {
		features, nodeSize uint64
		nodes              int64
	}{{0, 16, 0}, {5, 0, 0}, {1, 16, 2}, {16, 16, 17}, {17, 16, 20}, {179, 16, 192}, {2, 1, 3}} {
		if got, ok := indexBytes(test.features, test.nodeSize); !ok || got != 40*test.nodes {
			t.Errorf("%d features in nodes of %d: %d, %v", test.features, test.nodeSize, got, ok)
		}
	}

	if n, ok := indexBytes(1<<63, 2); ok {
		t.Errorf("an index of 2^64 nodes has %d bytes", n)
	}
}

var attributes = []string{"seen", "name", "code", "share", "day"}

// want returns the values of the attributes, by code. GDAL writes dates as times, because FlatGeobuf
// has no type for dates.
func want() map[any][]feature.Value {
	return map[any][]feature.Value{
		int64(7):   {time.Date(2024, 2, 29, 13, 14, 15, 0, time.UTC), "Küstenbäche", int64(7), 0.25, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		int64(-12): {nil, "Ödland", int64(-12), 1.5, nil},
		nil:        {time.Date(1999, 12, 31, 23, 59, 59, 5e8, time.UTC), nil, nil, nil, time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)},
	}
}

func TestAreas(t *testing.T) {
	result, to, err := read(t, file(t, "areas.fgb"), featurefile.Options{Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}

	crs := result.CRS
	if crs.Organization != "EPSG" || crs.Code != "3035" || !strings.Contains(crs.WKT, "LAEA Europe") {
		t.Errorf("CRS %+v", crs)
	}

	result.CRS = featurefile.CRS{}
	if want := (featurefile.Result{Layer: "areas", Layers: []string{"areas"}, Attributes: []string{"name", "code", "share", "day", "seen"}, Features: 3}); !reflect.DeepEqual(result, want) {
		t.Errorf("%+v", result)
	}

	if len(to.Features) != 3 || to.Drops {
		t.Fatalf("%d features, dropped %v", len(to.Features), to.Drops)
	}

	for _, f := range to.Features {
		code := f.Values[2]
		if !reflect.DeepEqual(featuretest.Normal(f.Polygons), featuretest.Areas()[code]) {
			t.Errorf("code %v: %v", code, f.Polygons)
		}

		if !reflect.DeepEqual(f.Values, want()[code]) {
			t.Errorf("code %v: %#v", code, f.Values)
		}
	}
}

func TestCountry(t *testing.T) {
	_, to, err := read(t, file(t, "country.fgb"), featurefile.Options{Attributes: []string{"iso_a3"}})
	if err != nil || len(to.Features) != 1 || len(to.Features[0].Polygons) != 3 || to.Features[0].Values[0] != "FRA" {
		t.Fatalf("%+v, %v", to.Features, err)
	}
}

func TestRefused(t *testing.T) {
	areas := file(t, "areas.fgb")
	header := int(binary.LittleEndian.Uint32(areas[8:]))

	for _, test := range []struct {
		name string
		file func() []byte
		o    featurefile.Options
		want string
	}{
		{"nothing", func() []byte { return nil }, featurefile.Options{}, "is not a FlatGeobuf"},
		{"magic only", func() []byte { return areas[:8] }, featurefile.Options{}, "ends in its header"},
		{"half a header", func() []byte { return areas[:100] }, featurefile.Options{}, "ends in its header"},
		{"half an index", func() []byte { return areas[:12+header+50] }, featurefile.Options{}, "ends in its index"},
		{"half a feature", func() []byte { return areas[:len(areas)-1] }, featurefile.Options{}, "ends in feature 3"},
		{"other layer", func() []byte { return areas }, featurefile.Options{Layer: "b"}, `aoi-layer b: the area of interest has no such layer: it has "areas"`},
		{"other attribute", func() []byte { return areas }, featurefile.Options{Attributes: []string{"x"}}, `has no attribute "x": it has "name", "code", "share", "day", "seen"`},
		{"a line", func() []byte { return file(t, "line.fgb") }, featurefile.Options{}, "holds a LineString, in feature 1"},
		{"a collection", func() []byte { return file(t, "collection.fgb") }, featurefile.Options{}, "holds a GeometryCollection, in feature 1"},
	} {
		_, _, err := read(t, test.file(), test.o)
		if !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// Heights are dropped, and the sink is notified.
func TestHeights(t *testing.T) {
	_, to, err := read(t, file(t, "heights.fgb"), featurefile.Options{})
	if err != nil || !to.Drops || len(to.Features) != 1 || len(to.Features[0].Polygons) != 1 {
		t.Fatalf("%+v, %v", to, err)
	}
}

func TestEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)

	b := file(t, "areas.fgb")
	if _, err := Read(ctx, bytes.NewReader(b), int64(len(b)), featurefile.Options{}, &featuretest.Recorder{}); !errors.Is(err, why) {
		t.Error(err)
	}
}

// Read returns the error of the sink.
func TestSinkFails(t *testing.T) {
	to := featuretest.Recorder{Err: errors.New("full")}
	b := file(t, "areas.fgb")
	result, err := Read(t.Context(), bytes.NewReader(b), int64(len(b)), featurefile.Options{}, &to)
	if !errors.Is(err, to.Err) || len(to.Features) != 1 || result.Layer != "areas" {
		t.Errorf("%v after %d features, %+v", err, len(to.Features), result)
	}
}

// Read does not trust a count that exceeds the size of the file.
func TestForgedSizesAllocateNothing(t *testing.T) {
	areas := file(t, "areas.fgb")

	for at := 8; at+4 <= len(areas); at++ {
		for _, forged := range []uint32{0x7fffffff, 0xffffffff, 0x10000000} {
			b := bytes.Clone(areas)
			binary.LittleEndian.PutUint32(b[at:], forged)

			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, _ = read(t, b, featurefile.Options{Attributes: attributes[1:]})
			runtime.ReadMemStats(&after)

			if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
				t.Fatalf("%#x at byte %d: %d bytes were allocated", forged, at, n)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"areas.fgb", "noindex.fgb", "country.fgb", "line.fgb", "collection.fgb", "heights.fgb"} {
		f.Add(file(f, name))
	}

	f.Fuzz(func(t *testing.T, b []byte) {
		result, to, err := read(t, b, featurefile.Options{})
		if err != nil && !errors.As(err, new(*geomgen.ParamError)) {
			t.Fatalf("%v", err)
		}

		if result.Features != int64(len(to.Features)) {
			t.Fatalf("%d features of %d", len(to.Features), result.Features)
		}

		positions := 0
		for _, feature := range to.Features {
			for _, p := range feature.Polygons {
				for _, ring := range p {
					positions += len(ring)
				}
			}
		}

		if positions > len(b)/16 {
			t.Fatalf("%d positions in %d bytes", positions, len(b))
		}

		_, _, _ = read(t, b, featurefile.Options{Attributes: result.Attributes})
	})
}
