package aoi

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/loader/crs"
)

func squareAt(x, y float64) geomgen.Polygon {
	return geomgen.Polygon{{{X: x, Y: y}, {X: x + 1, Y: y}, {X: x + 1, Y: y + 1}, {X: x, Y: y + 1}, {X: x, Y: y}}}
}

// sampleLayer has features with one polygon, with several, with a hole, and with none. Its values include empty,
// NULL and long ones.
func sampleLayer() *Layer {
	hole := append(squareAt(10, 10), []geomgen.Point{{X: 10.25, Y: 10.25}, {X: 10.25, Y: 10.5}, {X: 10.5, Y: 10.5}, {X: 10.25, Y: 10.25}})
	return &Layer{Types: []string{"text", "bigint"}, Features: []LayerFeature{
		{Polygons: []geomgen.Polygon{squareAt(0, 0)}, Values: []Value{"a", int64(1)}},
		{Polygons: []geomgen.Polygon{hole, squareAt(-5, 2)}, Values: []Value{"", nil}},
		{Polygons: nil, Values: []Value{nil, int64(-9)}},
		{Polygons: []geomgen.Polygon{squareAt(3, 3)}, Values: []Value{strings.Repeat("ö", 300), int64(2)}},
	}}
}

// TestLayerBytes writes features and reads them back: values become texts.
func TestLayerBytes(t *testing.T) {
	l := sampleLayer()
	b := l.Marshal(3035)
	var a Area
	if err := a.UnmarshalLayer(b); err != nil {
		t.Fatal(err)
	}

	if len(a.Layer.Features) != len(l.Features) {
		t.Fatalf("there are %d features, want %d", len(a.Layer.Features), len(l.Features))
	}
	for i, f := range a.Layer.Features {
		want := l.Features[i]
		if len(f.Polygons) != len(want.Polygons) || len(f.Polygons) > 0 && !reflect.DeepEqual(f.Polygons, want.Polygons) {
			t.Errorf("feature %d has the polygons %v, want %v", i, f.Polygons, want.Polygons)
		}
		for k, v := range f.Values {
			if (v == nil) != (want.Values[k] == nil) || v != nil && v != feature.TextOf(want.Values[k]) {
				t.Errorf("feature %d has the value %v, want %v", i, v, want.Values[k])
			}
		}
	}

	if again := a.Layer.Marshal(3035); !bytes.Equal(again, b) {
		t.Error("it is written again as other bytes")
	}
	r, size := l.Bytes(3035)
	if err := iotest.TestReader(r, b); err != nil || size != int64(len(b)) {
		t.Errorf("a reader says that there are %d bytes of %d: %v", size, len(b), err)
	}
	if a.Layer.Digest() != l.Digest() || a.FeaturesDigest() != l.Digest() || new(Area).FeaturesDigest() != "" {
		t.Error("the digest is another one")
	}
}

// Features inside the map stay unchanged, even if another feature wraps around.
func TestPlaceOfLayers(t *testing.T) {
	degrees, known := crs.Known(WGS84)
	if !known {
		t.Fatal("WGS 84 is not known")
	}

	a := &Area{SRID: WGS84}
	l := sampleLayer()
	placed, folded, err := l.Place(t.Context(), a, degrees)
	if err != nil || placed != l || slices.Contains(folded, true) || len(folded) != len(l.Features) {
		t.Fatalf("features on the map are changed: %v, %v, %v", placed, folded, err)
	}

	across := []geomgen.Polygon{squareAt(20, 0), squareAt(179.5, 0)}
	l.Features[2].Polygons = across
	placed, folded, err = l.Place(t.Context(), a, degrees)
	if err != nil || !slices.Equal(folded, []bool{false, false, true, false}) {
		t.Fatalf("%v, %v", folded, err)
	}

	if len(l.Features[2].Polygons) != 2 || !reflect.DeepEqual(across, []geomgen.Polygon{squareAt(20, 0), squareAt(179.5, 0)}) {
		t.Errorf("what was given is changed: %v", l.Features[2].Polygons)
	}
	if got := placed.Features[2].Polygons; len(got) != 3 || got[1].Bounds().XMax != 180 || got[2].Bounds().XMin != -180 {
		t.Errorf("a feature across the antimeridian has the polygons %v", got)
	}
	for _, i := range []int{0, 1, 3} {
		if !reflect.DeepEqual(placed.Features[i], l.Features[i]) {
			t.Errorf("feature %d is %v", i, placed.Features[i])
		}
	}
}

// TestDigestsOfLayers fails if a digest misses a difference.
func TestDigestsOfLayers(t *testing.T) {
	seen := map[string]string{}
	for name, change := range map[string]func(l *Layer){
		"as it is":             func(*Layer) {},
		"another value":        func(l *Layer) { l.Features[0].Values[0] = "b" },
		"NULL for empty":       func(l *Layer) { l.Features[1].Values[0] = nil },
		"another order":        func(l *Layer) { l.Features[0], l.Features[3] = l.Features[3], l.Features[0] },
		"another place":        func(l *Layer) { l.Features[0].Polygons = []geomgen.Polygon{squareAt(0, 1e-9)} },
		"one polygon less":     func(l *Layer) { l.Features[1].Polygons = l.Features[1].Polygons[:1] },
		"one feature less":     func(l *Layer) { l.Features = l.Features[:3] },
		"values the other way": func(l *Layer) { l.Features[0].Values = []Value{int64(1), "a"} },
	} {
		l := sampleLayer()
		change(l)
		if before, there := seen[l.Digest()]; there {
			t.Errorf("%s has the digest of %s", name, before)
		}
		seen[l.Digest()] = name
	}
}

// TestDamagedLayerBytes truncates and changes what Marshal returns.
func TestDamagedLayerBytes(t *testing.T) {
	b := sampleLayer().Marshal(4326)
	var a Area
	for n := range b {
		if err := a.UnmarshalLayer(b[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are read", n, len(b))
		}
	}

	for name, bad := range map[string][]byte{
		"more":           append(slices.Clone(b), 0),
		"another format": append([]byte{2}, b[1:]...),
		"too many":       {1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1},
		"all too many":   {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"a long number":  {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
	} {
		if err := a.UnmarshalLayer(bad); !errors.Is(err, errLayerBytes) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func FuzzLayerBytes(f *testing.F) {
	b := sampleLayer().Marshal(4326)
	f.Add(b)
	f.Add(b[:len(b)-3])
	f.Add((&Layer{}).Marshal(0))
	f.Add([]byte{1, 0xff, 0xff, 0x03, 0})
	f.Add([]byte{1, 2, 1, 9, 1, 6, 0, 0, 0, 0, 0, 0, 0, 2, 'a', 9, 1, 6, 0, 0, 0, 0, 0, 0, 0, 0})

	f.Fuzz(func(t *testing.T, b []byte) {
		var a Area
		if err := a.UnmarshalLayer(b); err != nil {
			return
		}

		again := a.Layer.Marshal(0)
		var c Area
		if err := c.UnmarshalLayer(again); err != nil || !bytes.Equal(c.Layer.Marshal(0), again) {
			t.Fatalf("what is read of % x is written as % x, which is read with %v", b, again, err)
		}
	})
}

// TestByNameOfMany merges many features into few names, in memory that grows linearly.
func TestByNameOfMany(t *testing.T) {
	const n = 20_000
	l := &Layer{Types: []string{"text"}, Features: make([]LayerFeature, n)}
	polygons := []geomgen.Polygon{squareAt(0, 0)}
	for i := range l.Features {
		l.Features[i] = LayerFeature{Polygons: polygons, Values: []Value{"a"}}
	}

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	named, _, err := l.ByName("name", func(v Value) (string, error) { return v.(string), nil })
	runtime.ReadMemStats(&after)

	if err != nil || len(named.Features) != 1 || len(named.Features[0].Polygons) != n {
		t.Fatalf("%v, %v", named, err)
	}
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 16<<20 {
		t.Errorf("%d bytes were allocated", bytes)
	}
}

// TestByName merges features by name, in the order of the first feature of each name.
func TestByName(t *testing.T) {
	l := &Layer{Types: []string{"text", "bigint"}}
	for i, name := range []string{"b", "a", "b", "c", "a", "b"} {
		l.Features = append(l.Features, LayerFeature{Polygons: []geomgen.Polygon{squareAt(float64(i), 0)}, Values: []Value{name, int64(i)}})
	}

	key := func(v Value) (string, error) { return v.(string), nil }
	named, several, err := l.ByName("name", key)
	if err != nil {
		t.Fatal(err)
	}

	var got []string
	for i, f := range named.Features {
		text := fmt.Sprint(f.Values, several[i])
		for _, p := range f.Polygons {
			text += fmt.Sprint(" ", p[0][0].X)
		}
		got = append(got, text)
	}

	if want := []string{"[b 0] true 0 2 5", "[a 1] true 1 4", "[c 3] false 3"}; !slices.Equal(got, want) {
		t.Errorf("the features are %q, want %q", got, want)
	}
	if len(l.Features[0].Polygons) != 1 || len(l.Features) != 6 {
		t.Error("the layer itself was changed")
	}

	l.Features[4].Values = []Value{nil, nil}
	var param *geomgen.ParamError
	if _, _, err := l.ByName("name", key); !errors.As(err, &param) || param.Param != "each" || !strings.Contains(err.Error(), "is NULL in feature 5") {
		t.Errorf("the error is %v", err)
	}

	wrong := errors.New("no name")
	if _, _, err := l.ByName("name", func(Value) (string, error) { return "", wrong }); !errors.Is(err, wrong) {
		t.Errorf("the error is %v", err)
	}
}
