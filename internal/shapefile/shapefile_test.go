package shapefile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/featurefile"
	"github.com/loadgrid/loadgrid/internal/featuretest"
)

// set is the files of a shapefile by their extensions.
type set map[string][]byte

// load reads files of testdata. GDAL 3.6 made them from featuretest/areas.geojson, and some from
// single features. utf8 has the same shapes as areas:
//
//	ogr2ogr -f "ESRI Shapefile" areas.shp areas.geojson
//	ogr2ogr -f "ESRI Shapefile" utf8.shp areas.geojson -lco ENCODING=UTF-8
func load(t testing.TB, names ...string) set {
	t.Helper()

	s := set{}
	for _, name := range names {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		s[name[strings.LastIndex(name, "."):]] = b
	}
	return s
}

func areas(t testing.TB) set {
	return load(t, "areas.shp", "areas.shx", "areas.dbf", "areas.prj")
}

func (s set) sibling(suffix string) (io.ReaderAt, int64, error) {
	b, ok := s[suffix]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return bytes.NewReader(b), int64(len(b)), nil
}

func (s set) read(t testing.TB, o featurefile.Options) (featurefile.Result, *featuretest.Recorder, error) {
	t.Helper()

	var to featuretest.Recorder
	o.Sibling = s.sibling
	result, err := Read(t.Context(), bytes.NewReader(s[".shp"]), int64(len(s[".shp"])), o, &to)
	return result, &to, err
}

var attributes = []string{"name", "code", "share", "day"}

// want returns the values of the attributes, by code.
func want() map[any][]feature.Value {
	return map[any][]feature.Value{
		int64(7):   {"Küstenbäche", int64(7), 0.25, feature.Date{Year: 2024, Month: 2, Day: 29}},
		int64(-12): {"Ödland", int64(-12), 1.5, nil},
		nil:        {nil, nil, nil, feature.Date{Year: 1999, Month: 12, Day: 31}},
	}
}

// checkAreas compares the features with those of areas.geojson.
func checkAreas(t *testing.T, to *featuretest.Recorder) {
	t.Helper()

	if len(to.Features) != 3 || to.Drops {
		t.Fatalf("%d features, dropped %v", len(to.Features), to.Drops)
	}

	for _, f := range to.Features {
		code := f.Values[1]
		if got := featuretest.Normal(f.Polygons); !reflect.DeepEqual(got, featuretest.Areas()[code]) {
			t.Errorf("code %v:\n got %v\nwant %v", code, got, featuretest.Areas()[code])
		}

		if !reflect.DeepEqual(f.Values, want()[code]) {
			t.Errorf("code %v: %#v", code, f.Values)
		}
	}
}

func TestAreas(t *testing.T) {
	noIndex, utf8 := areas(t), areas(t)
	delete(noIndex, ".shx")
	maps.Copy(utf8, load(t, "utf8.dbf", "utf8.cpg"))

	for name, s := range map[string]set{"Latin 1, language driver 87": areas(t), "without .shx": noIndex, "UTF-8": utf8} {
		result, to, err := s.read(t, featurefile.Options{Attributes: attributes})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}

		checkAreas(t, to)
		if !strings.HasPrefix(result.CRS.WKT, `PROJCS["ETRS_1989_LAEA"`) {
			t.Errorf("%s: CRS %+v", name, result.CRS)
		}

		result.CRS = featurefile.CRS{}
		if want := (featurefile.Result{Layers: []string{""}, Attributes: []string{"name", "code", "share", "day", "seen"}, Features: 3}); !reflect.DeepEqual(result, want) {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

func TestOnlyShapes(t *testing.T) {
	result, to, err := load(t, "areas.shp").read(t, featurefile.Options{})
	if err != nil || result.Features != 3 || len(to.Features) != 3 || len(result.Attributes) != 0 || result.CRS != (featurefile.CRS{}) {
		t.Errorf("%+v, %v, %v", result, to.Features, err)
	}
}

func TestCountry(t *testing.T) {
	result, to, err := load(t, "country.shp", "country.dbf", "country.prj", "country.shx").read(t, featurefile.Options{Attributes: []string{"iso_a3"}})
	if err != nil || len(to.Features) != 1 || len(to.Features[0].Polygons) != 3 || to.Features[0].Values[0] != "FRA" || !strings.HasPrefix(result.CRS.WKT, "GEOGCS") {
		t.Errorf("%+v, %+v, %v", result, to.Features, err)
	}
}

// Heights are dropped, and the sink is notified.
func TestHeights(t *testing.T) {
	_, to, err := load(t, "heights.shp").read(t, featurefile.Options{})
	want := []geomgen.Polygon{{{{X: 1, Y: 2}, {X: 3, Y: 2}, {X: 3, Y: 4}, {X: 1, Y: 2}}}}
	if err != nil || !to.Drops || len(to.Features) != 1 || !reflect.DeepEqual(featuretest.Normal(to.Features[0].Polygons), want) {
		t.Errorf("%+v, %v", to, err)
	}
}

// put returns a copy of bytes in which some are replaced.
func put(b []byte, at int, with ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], with)
	return b
}

func TestDeletedRows(t *testing.T) {
	s := areas(t)
	s[".dbf"] = put(s[".dbf"], 193+130, '*') // the second row

	result, to, err := s.read(t, featurefile.Options{Attributes: attributes})
	if err != nil || result.Features != 2 || len(to.Features) != 2 || to.Features[1].Values[1] != nil {
		t.Errorf("%+v, %+v, %v", result, to.Features, err)
	}
}

// Programs that change a shape may append it, so that only the .shx has its place.
func TestMovedShape(t *testing.T) {
	s := areas(t)
	first := int(binary.BigEndian.Uint32(s[".shx"][104:]))*2 + 8
	moved := s[".shp"][100 : 100+first]
	end := len(s[".shp"])

	s[".shp"] = append(bytes.Clone(s[".shp"]), moved...)
	binary.BigEndian.PutUint32(s[".shp"][24:], uint32(len(s[".shp"])/2))
	s[".shp"] = put(s[".shp"], 108+44+3*4+16, make([]byte, 16)...) // the old shape differs
	s[".shx"] = put(s[".shx"], 100, binary.BigEndian.AppendUint32(nil, uint32(end/2))...)

	_, to, err := s.read(t, featurefile.Options{Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	checkAreas(t, to)

	delete(s, ".shx")
	if _, _, err := s.read(t, featurefile.Options{}); err == nil || !strings.Contains(err.Error(), "shape 4 has the number 1: put its .shx next to the .shp") {
		t.Errorf("without .shx: %v", err)
	}
}

func TestRefused(t *testing.T) {
	with := func(ext string, b []byte) set {
		s := areas(t)
		s[ext] = b
		return s
	}
	good := areas(t)
	shp, dbf := good[".shp"], good[".dbf"]
	noTable := load(t, "areas.shp")

	for _, test := range []struct {
		name string
		s    set
		o    featurefile.Options
		want string
	}{
		{"nothing", with(".shp", nil), featurefile.Options{}, ".shp ends too early, at byte 0"},
		{"no shapefile", with(".shp", make([]byte, 200)), featurefile.Options{}, "is not a shapefile"},
		{"half", with(".shp", shp[:300]), featurefile.Options{}, "it has 300 bytes, but its header says 712"},
		{"lines", load(t, "line.shp"), featurefile.Options{}, "holds a PolyLine:"},
		{"a point among polygons", with(".shp", put(shp, 108, 1)), featurefile.Options{}, "holds a Point, in feature 1:"},
		{"more rings than bytes", with(".shp", put(shp, 108+36, 0xff, 0xff, 0xff, 0xff)), featurefile.Options{}, "in feature 1: it says that it has 4294967295 rings of 15 positions"},
		{"more positions than bytes", with(".shp", put(shp, 108+40, 0xff, 0xff, 0xff, 0x7f)), featurefile.Options{}, "rings of 2147483647 positions"},
		{"rings in disorder", with(".shp", put(shp, 108+44+8, 1)), featurefile.Options{}, "it has a ring that begins at position 1 of 15, after one at 5"},
		{"an open ring", with(".shp", put(shp, 108+44+12, 1)), featurefile.Options{}, "is not valid, in feature 1: ring 1 is not closed"},
		{"more positions than allowed", good, featurefile.Options{MaxPositions: 14}, "has 15 positions, in feature 1, and aoi-max-positions allows 14"},
		{"a layer", good, featurefile.Options{Layer: "areas"}, "has only one layer"},
		{"other attribute", good, featurefile.Options{Attributes: []string{"x"}}, `has no attribute "x": it has "name", "code"`},
		{"no attributes", noTable, featurefile.Options{Attributes: []string{"x"}}, `its features have no attributes`},
		{"half a table", with(".dbf", dbf[:300]), featurefile.Options{}, ".dbf ends too early"},
		{"more rows", with(".dbf", put(dbf, 4, 4)), featurefile.Options{}, "has 4 rows, but its .shp has 3 shapes"},
		{"fewer rows", with(".dbf", put(dbf, 4, 2)), featurefile.Options{}, "has 2 rows, but its .shp has more shapes"},
		{"dBase 7", with(".dbf", put(dbf, 0, 4)), featurefile.Options{}, "is in the format of dBase 7"},
		{"no dBase", with(".dbf", put(dbf, 0, 0)), featurefile.Options{}, "has the unknown version 0x0"},
		{"long fields", with(".dbf", put(dbf, 48, 200)), featurefile.Options{}, "longer than its rows of 130 bytes"},
		{"Japanese", with(".cpg", []byte("SHIFT_JIS\r\n")), featurefile.Options{}, `has the encoding "SHIFT_JIS", which loadgrid does not read`},
		{"Japanese in the table", with(".dbf", put(dbf, 29, 123)), featurefile.Options{}, `has the encoding "LDID/123"`},
		{"not UTF-8", with(".cpg", []byte("UTF-8")), featurefile.Options{Attributes: attributes}, `cannot be read, in feature 1: attribute "name": "K\xfcstenb\xe4che" is not UTF-8`},
		{"long .prj", with(".prj", make([]byte, 1<<17)), featurefile.Options{}, ".prj has 131072 bytes"},
		{"other .shx", with(".shx", make([]byte, 200)), featurefile.Options{}, ".shx does not begin with the code 9994"},
		{"a place after the end", with(".shx", put(good[".shx"], 100, 1)), featurefile.Options{}, ".shp ends too early"},
	} {
		_, _, err := test.s.read(t, test.o)
		if !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// An index that refers to one shape repeatedly would make Read read it a million times.
func TestIndexThatRepeats(t *testing.T) {
	s := areas(t)
	s[".shx"] = put(put(s[".shx"], 108, s[".shx"][100:108]...), 116, s[".shx"][100:108]...)

	_, to, err := s.read(t, featurefile.Options{})
	if !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), ".shx has overlapping offsets into the .shp, in feature 3") {
		t.Errorf("%d features, %v", len(to.Features), err)
	}
}

func TestSiblingFails(t *testing.T) {
	why := errors.New("permission denied")
	b := areas(t)[".shp"]
	o := featurefile.Options{Sibling: func(string) (io.ReaderAt, int64, error) { return nil, 0, why }}
	if _, err := Read(t.Context(), bytes.NewReader(b), int64(len(b)), o, &featuretest.Recorder{}); !errors.Is(err, why) {
		t.Error(err)
	}
}

func TestEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)

	b := areas(t)[".shp"]
	if _, err := Read(ctx, bytes.NewReader(b), int64(len(b)), featurefile.Options{}, &featuretest.Recorder{}); !errors.Is(err, why) {
		t.Error(err)
	}
}

// Read does not trust a count that exceeds the size of the file.
func TestForgedSizesAllocateNothing(t *testing.T) {
	for _, ext := range [...]string{".shp", ".shx", ".dbf"} {
		good := areas(t)
		for at := 0; at+4 <= len(good[ext]); at += 2 {
			for _, forged := range []uint32{0x7fffffff, 0xffffffff, 0x10} {
				s := maps.Clone(good)
				s[ext] = put(s[ext], at, binary.BigEndian.AppendUint32(nil, forged)...)

				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, _, _ = s.read(t, featurefile.Options{Attributes: attributes})
				runtime.ReadMemStats(&after)

				if n := after.TotalAlloc - before.TotalAlloc; n > 2<<20 {
					t.Fatalf("%#x at byte %d of %s: %d bytes were allocated", forged, at, ext, n)
				}
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []set{areas(f), load(f, "areas.shp", "areas.shx", "utf8.dbf", "utf8.cpg"), load(f, "heights.shp"), load(f, "country.shp", "country.dbf")} {
		f.Add(s[".shp"], s[".shx"], s[".dbf"], s[".cpg"])
	}

	f.Fuzz(func(t *testing.T, shp, shx, dbf, cpg []byte) {
		s := set{".shp": shp, ".shx": shx, ".dbf": dbf, ".cpg": cpg}
		for ext, b := range s {
			if len(b) == 0 {
				delete(s, ext)
			}
		}

		result, to, err := s.read(t, featurefile.Options{})
		checkFuzzed(t, result, to, err)

		result, to, err = s.read(t, featurefile.Options{Attributes: result.Attributes})
		checkFuzzed(t, result, to, err)
	})
}

func checkFuzzed(t *testing.T, result featurefile.Result, to *featuretest.Recorder, err error) {
	t.Helper()

	if err != nil && !errors.As(err, new(*geomgen.ParamError)) {
		t.Fatal(err)
	}

	if result.Features != int64(len(to.Features)) {
		t.Fatalf("%d features of %d", len(to.Features), result.Features)
	}
}
