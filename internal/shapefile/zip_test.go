package shapefile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/featurefile"
	"github.com/loadgrid/loadgrid/internal/featuretest"
	"github.com/loadgrid/loadgrid/internal/unpack"
)

// entry is a file in a zip.
type entry struct {
	name string
	b    []byte
}

// as returns the files under names that begin with stem.
func (s set) as(stem string) (entries []entry) {
	for ext, b := range s {
		entries = append(entries, entry{stem + ext, b})
	}
	return entries
}

func packZip(t testing.TB, entries ...entry) []byte {
	t.Helper()

	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.Create(e.name)
		if err == nil {
			_, err = f.Write(e.b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readZip(t testing.TB, b []byte, o featurefile.Options) (featurefile.Result, *featuretest.Recorder, error) {
	t.Helper()

	var to featuretest.Recorder
	result, err := ReadZip(t.Context(), bytes.NewReader(b), int64(len(b)), o, &to)
	return result, &to, err
}

func TestZip(t *testing.T) {
	shouting := set{}
	for ext, b := range areas(t) {
		shouting[strings.ToUpper(ext)] = b
	}
	other := load(t, "heights.shp")

	for _, test := range []struct {
		name    string
		entries []entry
		layer   string // requested layer
		want    []string
		read    string
	}{
		{"one", areas(t).as("areas"), "", []string{"areas"}, "areas"},
		{"in a folder", areas(t).as("data/2026/areas"), "areas", []string{"areas"}, "areas"},
		{"capitals", shouting.as("AREAS"), "", []string{"AREAS"}, "AREAS"},
		{"backslashes", areas(t).as(`data\areas`), "", []string{"areas"}, "areas"},
		{"outside", areas(t).as("../../../etc/areas"), "", []string{"areas"}, "areas"},
		{"absolute", areas(t).as("/etc/areas"), "", []string{"areas"}, "areas"},
		{"two", append(areas(t).as("areas"), other.as("other")...), "areas", []string{"areas", "other"}, "areas"},
		{"two of one name", append(areas(t).as("a/areas"), other.as("b/areas")...), "a/areas", []string{"a/areas", "b/areas"}, "a/areas"},
		{"Finder's", append(areas(t).as("areas"), entry{"__MACOSX/._areas.shp", nil}, entry{"._areas.shp", nil}, entry{"x.shp/", nil}), "", []string{"areas"}, "areas"},
		{"with others", append(areas(t).as("areas"), entry{"README.txt", []byte("Hello")}, entry{"b.dbf", []byte("x")}), "", []string{"areas"}, "areas"},
	} {
		result, to, err := readZip(t, packZip(t, test.entries...), featurefile.Options{Layer: test.layer, Attributes: attributes})
		if err != nil || !slices.Equal(result.Layers, test.want) || result.Layer != test.read || result.Features != 3 || !strings.HasPrefix(result.CRS.WKT, "PROJCS") {
			t.Errorf("%s: %+v, %v", test.name, result, err)
			continue
		}
		checkAreas(t, to)
	}
}

func TestZipRefused(t *testing.T) {
	good := packZip(t, areas(t).as("areas")...)
	two := packZip(t, append(areas(t).as("areas"), load(t, "heights.shp").as("other")...)...)

	locked := bytes.Clone(good)
	at := bytes.LastIndex(locked, []byte("PK\x01\x02"))
	for ; at >= 0; at = bytes.LastIndex(locked[:at], []byte("PK\x01\x02")) {
		locked[at+8] |= 1
	}

	for _, test := range []struct {
		name string
		b    []byte
		o    featurefile.Options
		want string
	}{
		{"nothing", nil, featurefile.Options{}, "is a zip that cannot be read"},
		{"half", good[:len(good)/2], featurefile.Options{}, "is a zip that cannot be read"},
		{"empty", packZip(t), featurefile.Options{}, "is a zip without a shapefile"},
		{"others", packZip(t, entry{"a.gpkg", nil}, entry{"b/", nil}), featurefile.Options{}, `without a shapefile: it holds "a.gpkg"`},
		{"no layer chosen", two, featurefile.Options{}, `has several layers: choose one with aoi-layer: "areas", "other"`},
		{"other layer", two, featurefile.Options{Layer: "x"}, `has no such layer: it has "areas", "other"`},
		{"password", locked, featurefile.Options{}, "is a zip with a password"},
		{"large", good, featurefile.Options{MaxBytes: 600}, "has 712 bytes unpacked, but there is room for 600"},
		{"larger than one", good, featurefile.Options{MaxBytes: 1000}, "unpacked, but there is room for 1"},
	} {
		_, _, err := readZip(t, test.b, test.o)
		if !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// ReadZip does not trust the sizes in an archive.
func TestZipForgedSizes(t *testing.T) {
	shp := areas(t)[".shp"]
	forged := bytes.Clone(shp) // a shape with enough positions for a gigabyte
	const positions = 1 << 26
	binary.BigEndian.PutUint32(forged[24:], 1<<30/2)
	binary.BigEndian.PutUint32(forged[104:], (44+8+16*positions)/2)
	forged = append(forged[:108+44], make([]byte, 1<<10)...)
	binary.LittleEndian.PutUint32(forged[108+36:], 2)
	binary.LittleEndian.PutUint32(forged[108+40:], positions)
	binary.LittleEndian.PutUint32(forged[108+44+4:], 5)

	b := packZip(t, entry{"a.shp", forged})
	at := bytes.LastIndex(b, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(b[at+24:], 2<<30) // its unpacked size

	_, _, err := readZip(t, b, featurefile.Options{MaxPositions: 1 << 40})
	if err == nil || !strings.Contains(err.Error(), "as no file of features does") {
		t.Errorf("%v", err)
	}

	binary.LittleEndian.PutUint32(b[at+24:], unpack.FreeBytes)
	binary.BigEndian.PutUint32(forged[24:], unpack.FreeBytes/2)

	n := testing.AllocsPerRun(1, func() {
		if _, _, err := readZip(t, b, featurefile.Options{MaxPositions: 1 << 40}); !errors.As(err, new(*geomgen.ParamError)) {
			t.Errorf("%v", err)
		}
	})
	if n > 1000 {
		t.Errorf("%v allocations", n)
	}
}

// A long list of files would need much memory.
func TestZipOfManyFiles(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for range 70_000 {
		if _, err := w.CreateRaw(&zip.FileHeader{Name: "a-name-that-is-not-so-short.shp"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	if _, _, err := readZip(t, b.Bytes(), featurefile.Options{}); err == nil || !strings.Contains(err.Error(), "its list of files is too long") {
		t.Error(err)
	}
}

// A zip cannot be rewound to a shape that was moved.
func TestZipOfMovedShapes(t *testing.T) {
	s := areas(t)
	shx := bytes.Clone(s[".shx"])
	copy(shx[100:], s[".shx"][108:116])
	copy(shx[108:], s[".shx"][100:108])
	s[".shx"] = shx

	if _, _, err := s.read(t, featurefile.Options{}); err != nil {
		t.Errorf("unpacked: %v", err)
	}
	if _, _, err := readZip(t, packZip(t, s.as("areas")...), featurefile.Options{}); err == nil || !strings.Contains(err.Error(), "not in the order of its .shx: unpack it") {
		t.Error(err)
	}
}

func TestIs(t *testing.T) {
	shp, packed := areas(t)[".shp"], packZip(t, entry{"a", nil})
	if !Is(shp) || Is(packed) || Is(shp[:3]) || !IsZip(packed) || !IsZip(packZip(t)) || IsZip(shp) || IsZip([]byte("PK")) {
		t.Error("the kinds of files are mixed up")
	}
}

func FuzzReadZip(f *testing.F) {
	f.Add(packZip(f, areas(f).as("areas")...))
	f.Add(packZip(f, entry{"a/areas.shp", load(f, "heights.shp")[".shp"]}, entry{"b", nil}))
	f.Add(packZip(f))

	f.Fuzz(func(t *testing.T, b []byte) {
		result, to, err := readZip(t, b, featurefile.Options{MaxBytes: 1 << 20})
		checkFuzzed(t, result, to, err)
	})
}
