package aoi

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// withProperties returns a feature with a square at x.
func withProperties(x int, properties string) string {
	return fmt.Sprintf(`{"type":"Feature","properties":%s,"geometry":{"type":"Polygon","coordinates":[[[%d,0],[%d,0],[%d,1],[%d,0]]]}}`, properties, x, x+1, x+1, x)
}

// featuresOf returns the features of an area's layer, whose polygons follow each other.
func featuresOf(a *Area) (list []Feature) {
	if a.Layer == nil {
		return nil
	}

	first := 0
	for _, f := range a.Layer.Features {
		end := first + len(f.Polygons)
		list = append(list, Feature{First: first, End: end, Values: f.Values})
		first = end
	}
	return list
}

// The type of a JSON value decides its Go type.
func TestValues(t *testing.T) {
	long := strings.Repeat("ä", 500_000)

	for _, test := range []struct {
		json string
		want Value
	}{
		{"null", nil},
		{"true", true},
		{"false", false},
		{"0", int64(0)},
		{"-0", int64(0)},
		{"9223372036854775807", int64(9223372036854775807)},
		{"9223372036854775808", 9223372036854775808.0},
		{"-9223372036854775808", int64(-9223372036854775808)},
		{"1.0", 1.0},
		{"1e2", 100.0},
		{"1e-400", 0.0},
		{`""`, ""},
		{`"a\"\\\u00fc\ud83d\ude00\n"`, "a\"\\ü😀\n"},
		{`"` + long + `"`, long},
		{`"2024-02-29"`, "2024-02-29"},
		{`[]`, "[]"},
		{`[ 1, {"b" : "]" , "a":[null ,NaN, -Infinity]} ]`, `[1,{"b":"]","a":[null,null,null]}]`},
		{"{\"x\": 1.50,\n\"x\": \"ü\"}", `{"x":1.50,"x":"ü"}`},
	} {
		text := withProperties(0, `{"other":{"v":7},"v":`+test.json+`,"v2":1}`)
		a, err := ReadWith(t.Context(), strings.NewReader(text), ReadOptions{Attributes: []string{"v"}})
		if err != nil {
			t.Errorf("%.40s: %v", test.json, err)
		} else if got := a.Layer.Features[0].Values; len(got) != 1 || got[0] != test.want {
			t.Errorf("%.40s: got %#v", test.json, got)
		}
	}
}

func TestAttributes(t *testing.T) {
	text := withProperties(0, `{"b":1,"a":"x"}`) + `{"type":"Feature","geometry":` + polygonOf + `}` +
		withProperties(2, `null`) + `{"type":"Feature","properties":{"a":"none"},"geometry":null}` + polygonOf +
		`{"type":"FeatureCollection","properties":{"a":"not a feature"},"features":[` + withProperties(4, `{"a":2,"a":3}`) + `]}`

	a, err := ReadWith(t.Context(), strings.NewReader(text), ReadOptions{Attributes: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}

	want := []Feature{
		{First: 0, End: 1, Values: []Value{"x", int64(1)}}, {First: 1, End: 2, Values: []Value{nil, nil}}, {First: 2, End: 3, Values: []Value{nil, nil}}, {First: 3, End: 4, Values: []Value{nil, nil}}, {First: 4, End: 5, Values: []Value{int64(3), nil}},
	}
	if !reflect.DeepEqual(featuresOf(a), want) {
		t.Errorf("got %#v", featuresOf(a))
	}

	if a.Layer.Types[0] != string(feature.Text) || a.Layer.Types[1] != string(feature.BigInt) {
		t.Errorf("columns %s, %s", a.Layer.Types[0], a.Layer.Types[1])
	}

	if a, err := Read(strings.NewReader(text)); err != nil || a.Layer != nil {
		t.Errorf("features that nobody asked for: %v, %v", a, err)
	}

	for name, words := range map[string][]string{"A": {"did you mean a?", "exact"}, "c": {"not an attribute of any feature", "the features have b, a"}} {
		_, err := ReadWith(t.Context(), strings.NewReader(text), ReadOptions{Attributes: []string{"b", name}})
		checkParam(t, err, "attribute", words...)
	}

	_, err = ReadWith(t.Context(), strings.NewReader(polygonOf), ReadOptions{Attributes: []string{"c"}})
	checkParam(t, err, "attribute", "the features have no attributes")
	_, err = ReadWith(t.Context(), strings.NewReader(text), ReadOptions{Attributes: []string{"a", "a"}})
	checkParam(t, err, "attribute", "twice")
	_, err = ReadWith(t.Context(), strings.NewReader(withProperties(0, `{"a":"x\u0000y"}`)), ReadOptions{Attributes: []string{"a"}})
	checkParam(t, err, "attribute", "zero character")
	_, err = ReadWith(t.Context(), strings.NewReader(withProperties(0, `{"a":"`+strings.Repeat("x", 1<<20)+`"}`)), ReadOptions{Attributes: []string{"a"}})
	checkParam(t, err, "aoi", "longer than 1048576 bytes")
	_, err = ReadWith(t.Context(), strings.NewReader(text), ReadOptions{Layer: "a"})
	checkParam(t, err, "aoi-layer", "GeoJSON has no layers")
}

// A condition skips features together with everything wrong in them.
func TestWhere(t *testing.T) {
	text := withProperties(0, `{"n":1,"name":"A"}`) +
		`{"type":"Feature","properties":{"n":2,"kind":"point"},"geometry":{"type":"Point","coordinates":[0,0,5]}}` +
		`{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[9,9]]]},"properties":{"n":3}}` +
		`{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[` + polygonOf + `,` + otherOf + `]},"properties":{"n":4}}` +
		withProperties(6, `{"n":5,"name":"B"}`) +
		`{"type":"Feature","properties":{"n":"six"},"geometry":null}`

	for where, want := range map[string][]Feature{
		"n = 1":               {{First: 0, End: 1, Values: []Value{"A"}}},
		"n in (1, 5)":         {{First: 0, End: 1, Values: []Value{"A"}}, {First: 1, End: 2, Values: []Value{"B"}}},
		"n >= 4":              {{First: 0, End: 2, Values: []Value{nil}}, {First: 2, End: 3, Values: []Value{"B"}}},
		"n = 4":               {{First: 0, End: 2, Values: []Value{nil}}},
		"n<>2 and not n = 3":  {{First: 0, End: 1, Values: []Value{"A"}}, {First: 1, End: 3, Values: []Value{nil}}, {First: 3, End: 4, Values: []Value{"B"}}},
		"name is not null":    {{First: 0, End: 1, Values: []Value{"A"}}, {First: 1, End: 2, Values: []Value{"B"}}},
		"name = 'B' or n = 1": {{First: 0, End: 1, Values: []Value{"A"}}, {First: 1, End: 2, Values: []Value{"B"}}},
	} {
		for _, most := range []int64{0, 18} { // skipped features do not count
			a, err := ReadWith(t.Context(), strings.NewReader(text), ReadOptions{Attributes: []string{"name"}, Where: where, MaxPositions: most})
			if err != nil {
				t.Errorf("%s: %v", where, err)
				continue
			}

			if !reflect.DeepEqual(featuresOf(a), want) || len(a.Polygons) != want[len(want)-1].End || a.Warnings != nil || a.Union != (len(a.Polygons) > 1) {
				t.Errorf("%s: got %#v, %v", where, featuresOf(a), a.Polygons)
			}
		}
	}

	if a, err := ReadWith(t.Context(), strings.NewReader(text), ReadOptions{Where: "n = 5"}); err != nil || len(a.Polygons) != 1 || a.Layer != nil || a.Polygons[0][0][0].X != 6 {
		t.Errorf("got %+v: %v", a, err)
	}

	for where, test := range map[string]struct {
		param string
		words []string
	}{
		"n = 2":         {"aoi", []string{"holds a Point", "in feature 2"}},
		"n = 3":         {"aoi", []string{"is not valid, in feature 3"}},
		"n = 7":         {"aoi-where", []string{"true for none of the 5 features"}},
		"N = 1":         {"aoi-where", []string{`uses "N"`, "did you mean n?"}},
		"m = 1":         {"aoi-where", []string{"the features have n, name, kind"}},
		"name = 5":      {"aoi-where", []string{"attribute name", "text", "A", "5, which is a number"}},
		"name":          {"aoi-where", []string{"is not a condition", "after the name of an attribute", "at the end"}},
		"name = B":      {"aoi-where", []string{"single quotes", "at character 8, near B"}},
		"n < 6 or":      {"aoi-where", []string{"expected the name of an attribute, at the end"}},
		"n = 1 and n=5": {"aoi-where", []string{"true for none"}},
	} {
		a, err := ReadWith(t.Context(), strings.NewReader(text), ReadOptions{Where: where})
		if a != nil {
			t.Errorf("%s: an area", where)
		}
		checkParam(t, err, test.param, test.words...)
	}
}

// The limit is for what is kept, and the memory of skipped features is freed.
func TestWhereWithinTheLimit(t *testing.T) {
	const n = 4000
	part := func(i int) string { return withProperties(i, fmt.Sprintf(`{"n":%d}`, i)) + "\n" }

	for where, words := range map[string][]string{
		"n = 3999": nil,
		"n < 100":  nil,
		"n < 101":  {"has 404 positions", "allows 400"},
		"n > 5":    {fmt.Sprintf("has %d positions", 4*(n-6)), "allows 400"},
	} {
		a, err := ReadWith(t.Context(), repeated(n, part), ReadOptions{SRID: 3035, Where: where, MaxPositions: 400})
		if words == nil {
			if err != nil || len(a.Polygons) == 0 || len(a.Polygons) > 100 {
				t.Errorf("%s: %v", where, err)
			}
			continue
		}
		checkParam(t, err, "aoi", words...)
	}

	var a *Area
	var err error
	big := "[" + strings.Repeat("[0,0],[1,0],[1,1],", 1000) + "[0,0]]"
	peak := heapWhile(func() {
		a, err = ReadWith(t.Context(), repeated(300, func(i int) string {
			return fmt.Sprintf(`{"type":"Feature","properties":{"n":%d},"geometry":{"type":"Polygon","coordinates":[%s]}}`, i, big)
		}), ReadOptions{Where: "n = 1 or n = 299"})
	})
	if err != nil || len(a.Polygons) != 2 {
		t.Fatal(err)
	}

	if peak > 8<<20 { // all of them would need 14 MB
		t.Errorf("the heap grew by %d bytes", peak)
	}
}

// repeated is a text of n parts, which are generated while it is read.
func repeated(n int, part func(i int) string) io.Reader { return &repeatedParts{n: n, part: part} }

type repeatedParts struct {
	i, n int
	part func(i int) string
	rest string
}

func (r *repeatedParts) Read(b []byte) (int, error) {
	if r.rest == "" {
		if r.i == r.n {
			return 0, io.EOF
		}
		r.rest = r.part(r.i)
		r.i++
	}

	n := copy(b, r.rest)
	r.rest = r.rest[n:]

	return n, nil
}

// Ten properties, but only two are kept: what a feature needs in addition to its positions.
func TestMemoryOfAFeature(t *testing.T) {
	const n = 10_000
	var text strings.Builder
	for i := range n {
		text.WriteString(parcel(i))
	}

	for _, test := range []struct {
		o    ReadOptions
		most int // bytes per feature, in addition to 32 for each of its 9 positions
	}{
		{ReadOptions{}, 120},
		{ReadOptions{Attributes: []string{"land_use", "number"}}, 300},
		{ReadOptions{Attributes: []string{"id", "land_use"}, Where: "number >= 0"}, 360},
	} {
		var a *Area
		var err error
		used := memoryWhile(func() { a, err = ReadWith(t.Context(), strings.NewReader(text.String()), test.o) })
		if err != nil || len(a.Polygons) != n || test.o.Attributes != nil && len(a.Layer.Features) != n {
			t.Fatal(err)
		}

		t.Logf("%+v: %.0f bytes a feature", test.o, float64(used)/n)
		if most := uint64(n*(9*32+test.most) + 6<<20); used > most {
			t.Errorf("%+v: %d bytes, which are more than %d", test.o, used, most)
		}
	}
}

// parcel returns a feature of eight corners with ten properties, about 1,000 bytes long.
func parcel(i int) string {
	x, y := float64(i%1000)*0.001, float64(i/1000)*0.001
	corner := func(dx, dy float64) string { return fmt.Sprintf("[%.13f,%.13f]", 8+x+dx, 50+y+dy) }
	ring := []string{corner(0, 0), corner(0.0004, 0), corner(0.0008, 0), corner(0.0008, 0.0004), corner(0.0008, 0.0008),
		corner(0.0004, 0.0008), corner(0, 0.0008), corner(0, 0.0004), corner(0, 0)}

	return fmt.Sprintf(`{"type":"Feature","properties":{"id":"DE-%012d","number":%d,"land_use":"%s","area":%d.25,"owner":null,`+
		`"municipality":"Musterstadt an der Beispielach","district":"Bezirk %d","updated":"2024-%02d-01T00:00:00Z","valid":true,"remark":"%s"},`+
		`"geometry":{"type":"Polygon","coordinates":[[%s]]}}`+"\n",
		i, i, []string{"forest", "meadow", "field", "road", "Wohnbaufläche"}[i%5], i%5000, i%17, 1+i%12, strings.Repeat("lorem ipsum ", 25), strings.Join(ring, ","))
}
